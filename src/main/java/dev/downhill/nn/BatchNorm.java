package dev.downhill.nn;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Normalization;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Normalises each channel: in training by the batch, in evaluation by running statistics that
 * training keeps. The parameters {@code weight} and {@code bias} (C) start as 1 and 0; the buffers
 * are {@code running_mean} and {@code running_var} (C), which start as 0 and 1, and {@code
 * num_batches_tracked}, the number of training batches. See {@link Normalization#batchNorm}.
 */
public abstract sealed class BatchNorm extends Layer permits BatchNorm1d, BatchNorm2d {
  private final long channels;
  private final Options options;
  private final @Nullable Parameter weight;
  private final @Nullable Parameter bias;
  private final @Nullable Parameter runningMean;
  private final @Nullable Parameter runningVar;
  private final @Nullable Parameter batches;

  /**
   * What a batch normalisation has.
   *
   * @param eps added to the variance
   * @param momentum the share of the batch in new running statistics
   * @param affine whether there are a weight and a bias
   * @param trackRunningStats whether there are running statistics; if not, the batch normalises in
   *     evaluation too
   */
  public record Options(double eps, double momentum, boolean affine, boolean trackRunningStats) {
    /** As in PyTorch: eps 1e-5, momentum 0.1, all parameters and buffers. */
    public static final Options DEFAULT = new Options(1e-5, 0.1, true, true);

    /** With another eps. */
    public Options withEps(double added) {
      return new Options(added, momentum, affine, trackRunningStats);
    }

    /** With another momentum. */
    public Options withMomentum(double share) {
      return new Options(eps, share, affine, trackRunningStats);
    }

    /** Without weight and bias. */
    public Options withoutAffine() {
      return new Options(eps, momentum, false, trackRunningStats);
    }

    /** Without running statistics. */
    public Options withoutRunningStats() {
      return new Options(eps, momentum, affine, false);
    }
  }

  BatchNorm(long channels, Options options) {
    if (channels < 1) {
      throw new IllegalArgumentException(
          "%s: expected 1 or more channels, got %s"
              .formatted(getClass().getSimpleName(), channels));
    }
    this.channels = channels;
    this.options = options;
    Shape each = Shape.of(channels);
    boolean tracks = options.trackRunningStats();
    weight = options.affine() ? parameter("weight", each, Init.constant(1)) : null;
    bias = options.affine() ? parameter("bias", each, Init.zeros()) : null;
    runningMean = tracks ? buffer("running_mean", each, Init.zeros()) : null;
    runningVar = tracks ? buffer("running_var", each, Init.constant(1)) : null;
    batches = tracks ? buffer("num_batches_tracked", DType.I64, Shape.SCALAR, Init.zeros()) : null;
  }

  /** Whether an input of this rank is one of this layer. */
  abstract boolean takes(int rank);

  @Override
  public Tensor forward(Tensor x) {
    if (!takes(x.dim())) {
      throw new ShapeException(
          "batchNorm: unexpected number of dimensions for %s, got shape %s"
              .formatted(this, x.shape()));
    }
    boolean byBatch = isTraining() || !options.trackRunningStats();
    Tensor y =
        Normalization.batchNorm(
            x,
            tensor(runningMean),
            tensor(runningVar),
            tensor(weight),
            tensor(bias),
            new Normalization.BatchNorm(byBatch, options.momentum(), options.eps()));
    if (isTraining() && batches != null) {
      try (Scope _ = Scope.open();
          Autograd.Mode _ = Autograd.noGrad()) {
        batches.tensor().copyFrom(batches.tensor().add(1));
      }
    }
    return y;
  }

  private static @Nullable Tensor tensor(@Nullable Parameter p) {
    return p == null ? null : p.tensor();
  }

  @Override
  public String toString() {
    return "%s(%s, eps=%s, momentum=%s, affine=%b, track_running_stats=%b)"
        .formatted(
            getClass().getSimpleName(),
            channels,
            options.eps(),
            options.momentum(),
            options.affine(),
            options.trackRunningStats());
  }
}

package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Numbers brought to mean 0 and variance 1, over a batch, a sample or a group of its channels.
 *
 * <p>All but {@link #rmsNorm} compute z = (x - μ) r with r = 1/√(v + eps), where μ and v are the
 * mean and the biased variance Σ (x - μ)² / n, then y = z w + b. With g = dy w, the gradients are
 * dx = r (g - mean(g) - z mean(g z)), dw = Σ dy z, db = Σ dy. The variance is that of the
 * deviations, so that a large mean costs no digits. bfloat16 is computed in float32 and rounded
 * once.
 */
public final class Normalization {
  private Normalization() {}

  /**
   * The options of {@link #batchNorm}.
   *
   * @param training whether to normalise by the batch and to update the running statistics; if not,
   *     these normalise
   * @param momentum the share of the batch in new running statistics
   * @param eps added to the variance
   */
  public record BatchNorm(boolean training, double momentum, double eps) {
    /** Evaluation, momentum 0.1, eps 1e-5, as in PyTorch. */
    public static final BatchNorm DEFAULT = new BatchNorm(false, 0.1, 1e-5);

    /** Normalises by the batch or by the running statistics. */
    public BatchNorm withTraining(boolean whether) {
      return new BatchNorm(whether, momentum, eps);
    }

    /** With another momentum. */
    public BatchNorm withMomentum(double share) {
      return new BatchNorm(training, share, eps);
    }

    /** With another eps. */
    public BatchNorm withEps(double added) {
      return new BatchNorm(training, momentum, added);
    }
  }

  /**
   * Normalises each channel over the batch and all positions, as {@code F.batch_norm} (Ioffe and
   * Szegedy 2015).
   *
   * <p>In training, μ and v are those of the batch, and the running statistics become (1 -
   * momentum) running + momentum batch, where the batch's variance is the unbiased one, divided by
   * n - 1; an empty batch leaves them alone. In evaluation μ and v are the running statistics; then
   * dx = r g. The running statistics get no gradient.
   *
   * @param x (N, C) or (N, C, ...)
   * @param runningMean (C), changed in place in training; null for none
   * @param runningVar (C), likewise
   * @param weight (C), or null for 1
   * @param bias (C), or null for 0
   * @return of x's shape
   * @throws ShapeException if shapes do not fit, in training on one value a channel, which has no
   *     variance, or in evaluation without running statistics
   */
  public static Tensor batchNorm(
      Tensor x,
      @Nullable Tensor runningMean,
      @Nullable Tensor runningVar,
      @Nullable Tensor weight,
      @Nullable Tensor bias,
      BatchNorm options) {
    Op op = Op.of("batchNorm", Inputs.given(x, runningMean, runningVar, weight, bias)).floating();
    if (x.dim() < 2) {
      throw op.refuse("expected x (N, C) or (N, C, ...)");
    }
    checkPerChannel(op, x.size(1), runningMean, runningVar, weight, bias);
    checkEps(op, options.eps());
    if (!Double.isFinite(options.momentum())) {
      throw op.refuse("expected a finite momentum, got " + options.momentum());
    }
    int[] dims = IntStream.range(0, x.dim()).filter(d -> d != 1).toArray();
    try (Scope scope = Scope.internal()) {
      Tensor z;
      if (options.training()) {
        z = trained(op, x, dims, runningMean, runningVar, options);
      } else if (runningMean == null || runningVar == null) {
        throw op.refuse("expected running statistics to evaluate with, got none");
      } else {
        Tensor mean = alongChannels(wide(runningMean.detach()), x);
        Tensor variance = alongChannels(wide(runningVar.detach()), x);
        z = wide(x).sub(mean).mul(variance.add(options.eps()).rsqrt());
      }
      return scope.keep(channelAffine(z, weight, bias).to(x.dtype()));
    }
  }

  private static Tensor trained(
      Op op,
      Tensor x,
      int[] dims,
      @Nullable Tensor runningMean,
      @Nullable Tensor runningVar,
      BatchNorm options) {
    long n = Reduction.Dims.of(op.name(), x.shape(), dims).count();
    if (n == 1) {
      throw op.refuse("expected more than one value a channel in training, got one");
    }
    Tensor mean = wide(x).mean(dims, true);
    Tensor deviation = wide(x).sub(mean);
    Tensor variance = deviation.square().mean(dims, true);
    if (n > 1) {
      update(runningMean, mean, options.momentum());
      update(runningVar, variance.detach().mul((double) n / (n - 1)), options.momentum());
    }
    return deviation.mul(variance.add(options.eps()).rsqrt());
  }

  private static void update(@Nullable Tensor running, Tensor batch, double momentum) {
    if (running != null) {
      try (Autograd.Mode _ = Autograd.noGrad()) {
        Tensor now = batch.reshape(running.numel());
        running.copyFrom(wide(running).mul(1 - momentum).add(now, momentum));
      }
    }
  }

  /**
   * Normalises over the last dimensions, as {@code F.layer_norm} (Ba et al. 2016).
   *
   * @param x (..., normalized)
   * @param normalized the sizes of the dimensions to normalise over, one or more
   * @param weight of shape {@code normalized}, or null for 1
   * @param bias of shape {@code normalized}, or null for 0
   * @param eps added to the variance; PyTorch's is 1e-5
   * @return of x's shape
   * @throws ShapeException if shapes do not fit
   */
  public static Tensor layerNorm(
      Tensor x, Shape normalized, @Nullable Tensor weight, @Nullable Tensor bias, double eps) {
    Op op = Op.of("layerNorm", Inputs.given(x, weight, bias)).floating();
    checkLast(op, x, normalized, weight, bias);
    checkEps(op, eps);
    return FusedLayerNorm.of(op, x, normalized, weight, bias, eps, true);
  }

  /**
   * Normalises each sample over groups of neighbouring channels and all positions, as {@code
   * F.group_norm} (Wu and He 2018).
   *
   * @param x (N, C) or (N, C, ...)
   * @param groups into how many groups the channels fall; divides C
   * @param weight (C), or null for 1
   * @param bias (C), or null for 0
   * @param eps added to the variance; PyTorch's is 1e-5
   * @return of x's shape
   * @throws ShapeException if shapes do not fit
   */
  public static Tensor groupNorm(
      Tensor x, long groups, @Nullable Tensor weight, @Nullable Tensor bias, double eps) {
    Op op = Op.of("groupNorm", Inputs.given(x, weight, bias)).floating();
    if (x.dim() < 2 || groups < 1 || x.size(1) % groups != 0) {
      throw op.refuse(
          "expected x (N, C) or (N, C, ...) and groups that divide C, got %d groups"
              .formatted(groups));
    }
    checkPerChannel(op, x.size(1), weight, bias);
    checkEps(op, eps);
    long each = x.shape().slice(1, x.dim()).numel() / groups;
    try (Scope scope = Scope.internal()) {
      Tensor z = standard(wide(x).reshape(x.size(0), groups, each), new int[] {2}, eps);
      Tensor whole = z.reshape(x.shape().toArray());
      return scope.keep(channelAffine(whole, weight, bias).to(x.dtype()));
    }
  }

  /**
   * Divides by the root of the mean square over the last dimensions, as {@code F.rms_norm} (Zhang
   * and Sennrich 2019): z = x r with r = 1/√(mean(x²) + eps), y = z w.
   *
   * <p>With g = dy w, dx = r (g - z mean(g z)) and dw = Σ dy z. bfloat16 is computed in float32.
   *
   * @param x (..., normalized)
   * @param normalized the sizes of the dimensions to normalise over, one or more
   * @param weight of shape {@code normalized}, or null for 1
   * @param eps added to the mean square
   * @return of x's shape
   * @throws ShapeException if shapes do not fit
   */
  public static Tensor rmsNorm(Tensor x, Shape normalized, @Nullable Tensor weight, double eps) {
    Op op = Op.of("rmsNorm", Inputs.given(x, weight)).floating();
    checkLast(op, x, normalized, weight);
    checkEps(op, eps);
    return FusedLayerNorm.of(op, x, normalized, weight, null, eps, false);
  }

  /** (x - μ) / √(v + eps) over dimensions. */
  private static Tensor standard(Tensor x, int[] dims, double eps) {
    Tensor deviation = x.sub(x.mean(dims, true));
    return deviation.mul(deviation.square().mean(dims, true).add(eps).rsqrt());
  }

  private static Tensor affine(Tensor z, @Nullable Tensor weight, @Nullable Tensor bias) {
    Tensor y = weight == null ? z : z.mul(wide(weight));
    return bias == null ? y : y.add(wide(bias));
  }

  /** In the type that is computed in. */
  static Tensor wide(Tensor x) {
    return x.dtype() == DType.BF16 ? x.to(DType.F32) : x;
  }

  /** As {@link #affine}, with one weight and one bias a channel. */
  private static Tensor channelAffine(Tensor z, @Nullable Tensor weight, @Nullable Tensor bias) {
    return affine(
        z,
        weight == null ? null : alongChannels(weight, z),
        bias == null ? null : alongChannels(bias, z));
  }

  /** One number a channel, (C), as a tensor that broadcasts to x (N, C, ...). */
  private static Tensor alongChannels(Tensor t, Tensor x) {
    long[] sizes = new long[x.dim() - 1];
    Arrays.fill(sizes, 1);
    sizes[0] = t.numel();
    return t.reshape(sizes);
  }

  private static void checkPerChannel(Op op, long channels, @Nullable Tensor... given) {
    for (Tensor t : given) {
      if (t != null && !t.shape().equals(Shape.of(channels))) {
        throw op.refuse(
            "expected one number a channel, shape (%d), got %s".formatted(channels, t.shape()));
      }
    }
  }

  private static void checkLast(Op op, Tensor x, Shape normalized, @Nullable Tensor... given) {
    int rank = normalized.rank();
    int first = x.dim() - rank;
    if (rank == 0 || first < 0 || !x.shape().slice(first, x.dim()).equals(normalized)) {
      throw op.refuse("expected an input whose last dimensions are " + normalized);
    }
    for (Tensor t : given) {
      if (t != null && !t.shape().equals(normalized)) {
        throw op.refuse(
            "expected one number an element, shape %s, got %s".formatted(normalized, t.shape()));
      }
    }
  }

  private static void checkEps(Op op, double eps) {
    if (!(eps >= 0 && eps < Double.POSITIVE_INFINITY)) {
      throw op.refuse("expected a finite eps of 0 or more, got " + eps);
    }
  }
}

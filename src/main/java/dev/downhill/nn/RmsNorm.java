package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Normalization;
import dev.downhill.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Divides by the root of the mean square over the last dimensions. The parameter {@code weight}, of
 * the shape of these dimensions, starts as 1. See {@link Normalization#rmsNorm}.
 */
public final class RmsNorm extends Layer {
  private final Shape normalized;
  private final Options options;
  private final @Nullable Parameter weight;

  /**
   * What a root-mean-square normalisation has.
   *
   * @param eps added to the mean square; null for the spacing of the numbers that are computed with
   *     at 1: 2^-52 for float64, else 2^-23
   * @param affine whether there is a weight
   */
  public record Options(@Nullable Double eps, boolean affine) {
    /** As in PyTorch: eps by the dtype, a weight. */
    public static final Options DEFAULT = new Options(null, true);

    /** With another eps. */
    public Options withEps(double added) {
      return new Options(added, affine);
    }

    /** Without a weight. */
    public Options withoutAffine() {
      return new Options(eps, false);
    }
  }

  /** Over the last dimensions, of these sizes, as in PyTorch. */
  public RmsNorm(long... sizes) {
    this(Shape.of(sizes), Options.DEFAULT);
  }

  /** Over the last dimensions, of this shape. */
  public RmsNorm(Shape normalized, Options options) {
    this.normalized = normalized;
    this.options = options;
    if (normalized.rank() == 0 || normalized.numel() == 0) {
      throw new IllegalArgumentException(
          "RmsNorm: expected one or more sizes of 1 or more, got " + normalized);
    }
    weight = options.affine() ? parameter("weight", normalized, Init.constant(1)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    Double eps = options.eps();
    double added = eps != null ? eps : x.dtype() == DType.F64 ? 0x1p-52 : 0x1p-23;
    return Normalization.rmsNorm(x, normalized, weight == null ? null : weight.tensor(), added);
  }

  @Override
  public RmsNorm on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public RmsNorm on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }

  @Override
  public String toString() {
    Double eps = options.eps();
    return "RmsNorm(%s, eps=%s, elementwise_affine=%b)"
        .formatted(normalized, eps == null ? "none" : eps, options.affine());
  }
}

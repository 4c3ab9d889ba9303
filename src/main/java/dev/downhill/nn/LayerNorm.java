package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Normalization;
import dev.downhill.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Normalises over the last dimensions. The parameters {@code weight} and {@code bias}, of the shape
 * of these dimensions, start as 1 and 0. See {@link Normalization#layerNorm}.
 */
public final class LayerNorm extends Layer {
  private final Shape normalized;
  private final Options options;
  private final @Nullable Parameter weight;
  private final @Nullable Parameter bias;

  /**
   * What a layer normalisation has.
   *
   * @param eps added to the variance
   * @param weight whether there is a weight
   * @param bias whether there is a bias
   */
  public record Options(double eps, boolean weight, boolean bias) {
    /** As in PyTorch: eps 1e-5, a weight and a bias. */
    public static final Options DEFAULT = new Options(1e-5, true, true);

    /** With another eps. */
    public Options withEps(double added) {
      return new Options(added, weight, bias);
    }

    /** With neither weight nor bias. */
    public Options withoutAffine() {
      return new Options(eps, false, false);
    }

    /** Without a bias. */
    public Options withoutBias() {
      return new Options(eps, weight, false);
    }
  }

  /** Over the last dimensions, of these sizes, as in PyTorch. */
  public LayerNorm(long... sizes) {
    this(Shape.of(sizes), Options.DEFAULT);
  }

  /** Over the last dimensions, of this shape. */
  public LayerNorm(Shape normalized, Options options) {
    this.normalized = normalized;
    this.options = options;
    if (normalized.rank() == 0 || normalized.numel() == 0) {
      throw new IllegalArgumentException(
          "LayerNorm: expected one or more sizes of 1 or more, got " + normalized);
    }
    weight = options.weight() ? parameter("weight", normalized, Init.constant(1)) : null;
    bias = options.bias() ? parameter("bias", normalized, Init.zeros()) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Normalization.layerNorm(
        x,
        normalized,
        weight == null ? null : weight.tensor(),
        bias == null ? null : bias.tensor(),
        options.eps());
  }

  @Override
  public LayerNorm on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public LayerNorm on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }

  @Override
  public String toString() {
    return "LayerNorm(%s, eps=%s, elementwise_affine=%b%s)"
        .formatted(
            normalized,
            options.eps(),
            options.weight(),
            options.weight() && !options.bias() ? ", bias=false" : "");
  }
}

package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Matmul;
import dev.downhill.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * The affine map y = x wᵀ + b, x (..., in), y (..., out), with the parameters {@code weight} (out,
 * in) and {@code bias} (out). Both start uniform on ±1/sqrt(in), as in PyTorch. See {@link
 * Matmul#linear}.
 */
public final class Linear extends Layer {
  private final long in;
  private final long out;
  private final Parameter weight;
  private final @Nullable Parameter bias;

  /**
   * What a linear layer has and starts with.
   *
   * @param bias whether there is a bias
   * @param weightInit how the weight starts; null is as in PyTorch
   * @param biasInit how the bias starts; null is as in PyTorch
   */
  public record Options(boolean bias, @Nullable Init weightInit, @Nullable Init biasInit) {
    /** With a bias, starting as in PyTorch. */
    public static final Options DEFAULT = new Options(true, null, null);

    /** Without a bias. */
    public Options withoutBias() {
      return new Options(false, weightInit, null);
    }

    /** With a weight that starts so. */
    public Options withWeightInit(Init init) {
      return new Options(bias, init, biasInit);
    }

    /** With a bias that starts so. */
    public Options withBiasInit(Init init) {
      return new Options(true, weightInit, init);
    }
  }

  /** A map of {@code in} features to {@code out}, with a bias. */
  public Linear(long in, long out) {
    this(in, out, Options.DEFAULT);
  }

  /** A map of {@code in} features to {@code out}. */
  public Linear(long in, long out, Options options) {
    if (in < 1 || out < 1) {
      throw new IllegalArgumentException(
          "Linear: expected 1 or more features, got in %s and out %s".formatted(in, out));
    }
    this.in = in;
    this.out = out;
    double bound = 1 / Math.sqrt((double) in);
    Init standard = Init.uniform(-bound, bound);
    Init weightInit = options.weightInit();
    Init biasInit = options.biasInit();
    weight = parameter("weight", Shape.of(out, in), weightInit == null ? standard : weightInit);
    bias =
        options.bias()
            ? parameter("bias", Shape.of(out), biasInit == null ? standard : biasInit)
            : null;
  }

  /** The weight, (out, in). */
  public Parameter weight() {
    return weight;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Matmul.linear(x, weight.tensor(), bias == null ? null : bias.tensor());
  }

  @Override
  public Linear on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Linear on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }

  @Override
  public String toString() {
    return "Linear(%s, %s%s)".formatted(in, out, bias == null ? ", no bias" : "");
  }
}

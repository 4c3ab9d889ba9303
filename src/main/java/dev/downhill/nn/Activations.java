package dev.downhill.nn;

import dev.downhill.tensor.Activation;
import dev.downhill.tensor.Tensor;

/** Activation functions as layers; the formulas stand with {@link Activation}. */
public final class Activations {
  private Activations() {}

  /** x where x &gt; 0, else slope x; PyTorch's slope is 0.01. */
  public static Layer leakyRelu(double slope) {
    return Layer.of("LeakyRelu(%s)".formatted(slope), x -> Activation.leakyRelu(x, slope));
  }

  /** x where x &gt; 0, else alpha (e^x - 1); PyTorch's alpha is 1. */
  public static Layer elu(double alpha) {
    return Layer.of("Elu(%s)".formatted(alpha), x -> Activation.elu(x, alpha));
  }

  /** Self-normalising ELU; goes with {@link Init#lecunNormal}. */
  public static Layer selu() {
    return Layer.of("Selu()", Activation::selu);
  }

  /** x Phi(x). */
  public static Layer gelu() {
    return Layer.of("Gelu()", Activation::gelu);
  }

  /** The approximation of {@link #gelu} by tanh. */
  public static Layer geluTanh() {
    return Layer.of("GeluTanh()", Activation::geluTanh);
  }

  /** x sigmoid(x). */
  public static Layer silu() {
    return Layer.of("Silu()", Activation::silu);
  }

  /** log(1 + e^(beta x)) / beta, x where beta x &gt; threshold; PyTorch's numbers are 1 and 20. */
  public static Layer softplus(double beta, double threshold) {
    return Layer.of(
        "Softplus(%s, %s)".formatted(beta, threshold),
        x -> Activation.softplus(x, beta, threshold));
  }

  /** x tanh(softplus(x)). */
  public static Layer mish() {
    return Layer.of("Mish()", Activation::mish);
  }

  /** x limited to [low, high]; PyTorch's limits are -1 and 1. */
  public static Layer hardtanh(double low, double high) {
    return Layer.of(
        "Hardtanh(%s, %s)".formatted(low, high), x -> Activation.hardtanh(x, low, high));
  }

  /** min(max(x + 3, 0), 6) / 6. */
  public static Layer hardsigmoid() {
    return Layer.of("Hardsigmoid()", Activation::hardsigmoid);
  }

  /** x min(max(x + 3, 0), 6) / 6. */
  public static Layer hardswish() {
    return Layer.of("Hardswish()", Activation::hardswish);
  }

  /** min(max(x, 0), 6). */
  public static Layer relu6() {
    return Layer.of("Relu6()", Activation::relu6);
  }

  /** The hyperbolic tangent. */
  public static Layer tanh() {
    return Layer.of("Tanh()", Tensor::tanh);
  }

  /** 1 / (1 + e^-x). */
  public static Layer sigmoid() {
    return Layer.of("Sigmoid()", Tensor::sigmoid);
  }
}

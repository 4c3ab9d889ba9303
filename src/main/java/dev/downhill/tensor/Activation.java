package dev.downhill.tensor;

import dev.downhill.backend.Unary;

/**
 * Activation functions, element by element, as {@code torch.nn.functional} has them. {@code relu},
 * {@code tanh} and {@code sigmoid} are methods of {@link Tensor} too. All take floating-point
 * tensors ({@code relu} integers too) and give NaN for NaN. {@code relu} saves y for the backward
 * pass, the others save x.
 */
public final class Activation {
  private Activation() {}

  /** y = max(x, 0); dx = dy where x &gt; 0, else 0. */
  public static Tensor relu(Tensor x) {
    return Pointwise.apply(Unary.RELU, "relu", x);
  }

  /** y = min(max(x, 0), 6); dx = dy where 0 &lt; x &lt; 6, else 0. */
  public static Tensor relu6(Tensor x) {
    return Pointwise.apply(Unary.HARDTANH, "relu6", x, 0, 6);
  }

  /** {@link #leakyRelu(Tensor, double)} with a slope of 0.01. */
  public static Tensor leakyRelu(Tensor x) {
    return leakyRelu(x, 0.01);
  }

  /**
   * y = x where x &gt; 0, else negativeSlope x; dx = dy or negativeSlope dy, the latter at 0 (Maas
   * et al. 2013).
   */
  public static Tensor leakyRelu(Tensor x, double negativeSlope) {
    return Pointwise.apply(Unary.LEAKY_RELU, "leakyRelu", x, negativeSlope, 0);
  }

  /** {@link #elu(Tensor, double)} with alpha 1. */
  public static Tensor elu(Tensor x) {
    return elu(x, 1);
  }

  /**
   * y = x where x &gt; 0, else alpha (e^x - 1); dx = dy or dy alpha e^x, the latter at 0 (Clevert
   * et al. 2016).
   */
  public static Tensor elu(Tensor x, double alpha) {
    return Pointwise.apply(Unary.ELU, "elu", x, alpha, 0);
  }

  /**
   * y = 1.0507... elu(x, 1.6733...), whose constants keep mean 0 and variance 1 from layer to layer
   * (Klambauer et al. 2017).
   */
  public static Tensor selu(Tensor x) {
    return Pointwise.apply(Unary.SELU, "selu", x);
  }

  /**
   * y = x/2 (1 + erf(x/√2)) = x cdf(x) of the normal distribution; dx = dy (cdf(x) + x pdf(x))
   * (Hendrycks and Gimpel 2016).
   */
  public static Tensor gelu(Tensor x) {
    return Pointwise.apply(Unary.GELU, "gelu", x);
  }

  /** The approximation of {@link #gelu} by y = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
  public static Tensor geluTanh(Tensor x) {
    return Pointwise.apply(Unary.GELU_TANH, "geluTanh", x);
  }

  /** y = x sigmoid(x); dx = dy s (1 + x (1 - s)) with s = sigmoid(x). Also known as swish. */
  public static Tensor silu(Tensor x) {
    return Pointwise.apply(Unary.SILU, "silu", x);
  }

  /** {@link #softplus(Tensor, double, double)} with beta 1 and threshold 20. */
  public static Tensor softplus(Tensor x) {
    return softplus(x, 1, 20);
  }

  /**
   * y = log(1 + e^(beta x)) / beta, and x itself where beta x is above the threshold; dx = dy
   * sigmoid(beta x), there exactly dy.
   *
   * @throws IllegalArgumentException if beta is not above 0
   */
  public static Tensor softplus(Tensor x, double beta, double threshold) {
    if (!(beta > 0)) {
      throw Op.of("softplus", x).refuse("expected beta above 0, got " + beta);
    }
    return Pointwise.apply(Unary.SOFTPLUS, "softplus", x, beta, threshold);
  }

  /** y = x tanh(softplus(x)) (Misra 2019). */
  public static Tensor mish(Tensor x) {
    return Pointwise.apply(Unary.MISH, "mish", x);
  }

  /** {@link #hardtanh(Tensor, double, double)} between -1 and 1. */
  public static Tensor hardtanh(Tensor x) {
    return hardtanh(x, -1, 1);
  }

  /**
   * y = x limited to [low, high]; dx = dy strictly inside, 0 at both bounds and beyond.
   *
   * @throws IllegalArgumentException if low is not below high
   */
  public static Tensor hardtanh(Tensor x, double low, double high) {
    if (!(low < high)) {
      throw Op.of("hardtanh", x)
          .refuse("expected a lower bound below the upper, got %s and %s".formatted(low, high));
    }
    return Pointwise.apply(Unary.HARDTANH, "hardtanh", x, low, high);
  }

  /** y = relu6(x + 3)/6; dx = dy/6 strictly between -3 and 3, else 0. */
  public static Tensor hardsigmoid(Tensor x) {
    return Pointwise.apply(Unary.HARDSIGMOID, "hardsigmoid", x);
  }

  /**
   * y = x relu6(x + 3)/6; dx = dy (x/3 + 1/2) strictly between -3 and 3, 0 at -3 and below, dy at 3
   * and above (Howard et al. 2019).
   */
  public static Tensor hardswish(Tensor x) {
    return Pointwise.apply(Unary.HARDSWISH, "hardswish", x);
  }
}

package dev.downhill.tensor;

import dev.downhill.backend.Unary;

/**
 * The derivative of every function of one element as plain operators: what the derivative kernels
 * are held to, and what runs when a backward pass is itself differentiated.
 *
 * <p>Pieces are chosen with {@code where}, and arguments kept where nothing overflows, so that the
 * piece that is not chosen adds no NaN to second derivatives.
 */
final class Derivative {
  private static final double SELU_ALPHA = 1.6732632423543772;
  private static final double SELU_SCALE = 1.0507009873554805;

  private Derivative() {}

  /**
   * dx = dy f'(s).
   *
   * @param s what f' reads: f's argument or result, as {@link Unary#reads} says
   * @param a the first parameter of f
   * @param b the second
   */
  static Tensor of(Unary f, Tensor s, Tensor dy, double a, double b) {
    return switch (f) {
      case NEG -> dy.neg();
      case ABS -> dy.mul(s.sign());
      case EXP -> dy.mul(s);
      case EXPM1 -> dy.mul(s.add(1));
      case LOG -> dy.div(s);
      case LOG1P -> dy.div(s.add(1));
      case SQRT -> dy.div(s.mul(2));
      case RSQRT -> dy.mul(s.pow(3).mul(-0.5));
      case SQUARE -> dy.mul(s.mul(2));
      case RECIPROCAL -> dy.mul(s.square()).neg();
      case POW -> a == 0 ? zero(dy) : dy.mul(s.pow(a - 1).mul(a));
      case SIN -> dy.mul(s.cos());
      case COS -> dy.mul(s.sin()).neg();
      case TANH -> dy.mul(s.square().rsub(1));
      case SIGMOID -> dy.mul(s.mul(s.rsub(1)));
      case ERF -> dy.mul(s.square().neg().exp().mul(2 / Math.sqrt(Math.PI)));
      case FLOOR, SIGN -> zero(dy);
      case CLAMP -> dy.where(s.le(b), 0).where(s.ge(a), 0);
      case RELU -> dy.maskedFill(s.le(0), 0);
      case LEAKY_RELU -> dy.where(s.gt(0), dy.mul(a));
      case ELU -> elu(s, dy, a);
      case SELU -> elu(s, dy.mul(SELU_SCALE), SELU_ALPHA);
      case GELU -> dy.mul(gelu(s));
      case GELU_TANH -> dy.mul(geluTanh(s.clamp(-10, 10)));
      case SILU -> dy.mul(silu(s));
      case SOFTPLUS -> dy.where(s.mul(a).gt(b), dy.mul(s.mul(a).sigmoid()));
      case MISH -> dy.mul(mish(s));
      case HARDTANH -> inside(a, s, b, dy);
      case HARDSIGMOID -> inside(-3, s, 3, dy.div(6));
      case HARDSWISH -> dy.where(s.ge(3), inside(-3, s, 3, dy.mul(s.div(3).add(0.5))));
      case NOT, IS_FINITE -> throw new AssertionError(f);
    };
  }

  private static Tensor zero(Tensor dy) {
    return Tensor.zeros(dy.device(), dy.dtype()).expand(dy.shape().toArray());
  }

  private static Tensor inside(double low, Tensor x, double high, Tensor value) {
    return value.where(x.gt(low), 0).where(x.lt(high), 0);
  }

  private static Tensor elu(Tensor x, Tensor dy, double alpha) {
    Tensor negative = x.clamp(Double.NEGATIVE_INFINITY, 0);
    return dy.where(x.gt(0), dy.mul(negative.exp().mul(alpha)));
  }

  /** cdf(x) + x pdf(x) of the normal distribution. */
  private static Tensor gelu(Tensor x) {
    Tensor cdf = x.mul(Math.sqrt(0.5)).erf().add(1).mul(0.5);
    Tensor pdf = x.square().mul(-0.5).exp().mul(1 / Math.sqrt(2 * Math.PI));
    return cdf.add(x.mul(pdf));
  }

  /** With s = (1 + tanh u)/2 = sigmoid(2u): s + x s (1 - s) 2u'. Beyond |x| = 10 it is 0 or 1. */
  private static Tensor geluTanh(Tensor x) {
    double c = 2 * Math.sqrt(2 / Math.PI);
    Tensor s = x.add(x.pow(3).mul(0.044715)).mul(c).sigmoid();
    Tensor slope = x.square().mul(3 * 0.044715).add(1).mul(c);
    return s.add(x.mul(s.mul(s.rsub(1))).mul(slope));
  }

  private static Tensor silu(Tensor x) {
    Tensor s = x.sigmoid();
    return s.mul(x.mul(s.rsub(1)).add(1));
  }

  private static Tensor mish(Tensor x) {
    Tensor t = Activation.softplus(x).tanh();
    return t.add(x.mul(x.sigmoid()).mul(t.square().rsub(1)));
  }
}

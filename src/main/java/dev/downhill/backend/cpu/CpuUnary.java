package dev.downhill.backend.cpu;

import static dev.downhill.backend.cpu.Formula.*;

import dev.downhill.backend.Unary;

/** The functions of one number, and their derivatives. */
final class CpuUnary {
  // Klambauer et al., Self-Normalizing Neural Networks, 2017.
  private static final double SELU_ALPHA = 1.6732632423543772;
  private static final double SELU_SCALE = 1.0507009873554805;

  private static final double SQRT_HALF = Math.sqrt(0.5);
  private static final double SQRT_TWO_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double GELU_CUBIC = 0.044715;

  private CpuUnary() {}

  /** op(x) with the scalars a and b. */
  static Formula forward(Unary op) {
    Formula x = X;
    return switch (op) {
      case NEG -> neg(x);
      case ABS -> abs(x);
      case EXP -> exp(x);
      case EXPM1 -> expm1(x);
      case LOG -> log(x);
      case LOG1P -> log1p(x);
      case SQRT -> sqrt(x);
      case RSQRT -> div(ONE, sqrt(x));
      case SQUARE -> mul(x, x);
      case RECIPROCAL -> div(ONE, x);
      case POW -> pow(x, A);
      case SIN -> sin(x);
      case COS -> cos(x);
      case TANH -> tanh(x);
      case SIGMOID -> sigmoid(x);
      case ERF -> erf(x);
      case FLOOR -> floor(x);
      case SIGN -> sign(x);
      case CLAMP, HARDTANH -> clamp(x, A, B);
      case RELU -> max(x, ZERO);
      case LEAKY_RELU -> select(lt(ZERO, x), x, mul(A, x));
      case ELU -> elu(x, A);
      case SELU -> mul(SELU_SCALE, elu(x, constant(SELU_ALPHA)));
      case GELU -> mul(x, normalCdf(x));
      case GELU_TANH -> mul(x, sigmoid(geluArgument(x)));
      case SILU -> mul(x, sigmoid(x));
      case SOFTPLUS -> select(lt(B, mul(A, x)), x, div(softplus(mul(A, x)), A));
      case MISH -> mul(x, tanh(softplus(x)));
      case HARDSIGMOID -> hardSigmoid(x);
      case HARDSWISH -> mul(x, hardSigmoid(x));
      case NOT -> eq(x, ZERO);
      case IS_FINITE -> lt(abs(x), constant(Double.POSITIVE_INFINITY));
    };
  }

  /** dy op'(saved): X is the op's input x or its output y as {@link Unary#reads} says, Y is dy. */
  static Formula backward(Unary op) {
    Formula x = X;
    Formula y = X;
    Formula dy = Y;
    return switch (op) {
      case NEG -> neg(dy);
      case ABS -> mul(dy, sign(x));
      case EXP -> mul(dy, y);
      case EXPM1 -> mul(dy, add(y, ONE));
      case LOG -> div(dy, x);
      case LOG1P -> div(dy, add(x, ONE));
      case SQRT -> div(dy, add(y, y));
      case RSQRT -> mul(dy, mul(-0.5, mul(y, mul(y, y))));
      case SQUARE -> mul(dy, add(x, x));
      case RECIPROCAL -> neg(mul(dy, mul(y, y)));
      case POW -> select(eq(A, ZERO), ZERO, mul(dy, mul(A, pow(x, sub(A, ONE)))));
      case SIN -> mul(dy, cos(x));
      case COS -> neg(mul(dy, sin(x)));
      case TANH -> mul(dy, mul(sub(ONE, y), add(ONE, y)));
      case SIGMOID -> mul(dy, mul(y, sub(ONE, y)));
      case ERF -> mul(dy, mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x)))));
      case FLOOR, SIGN -> ZERO;
      case CLAMP -> select(le(A, x), select(le(x, B), dy, ZERO), ZERO);
      case RELU -> select(le(x, ZERO), ZERO, dy);
      case LEAKY_RELU -> select(lt(ZERO, x), dy, mul(A, dy));
      case ELU -> eluBackward(x, A, dy);
      case SELU -> mul(SELU_SCALE, eluBackward(x, constant(SELU_ALPHA), dy));
      case GELU -> mul(dy, add(normalCdf(x), mul(x, normalPdf(x))));
      case GELU_TANH -> mul(dy, geluTanhDerivative(clamp(x, constant(-10), constant(10))));
      case SILU -> mul(dy, siluDerivative(x));
      case SOFTPLUS -> select(lt(B, mul(A, x)), dy, mul(dy, sigmoid(mul(A, x))));
      case MISH -> mul(dy, mishDerivative(x));
      case HARDTANH -> inside(A, x, B, dy);
      case HARDSIGMOID -> inside(constant(-3), x, constant(3), div(dy, constant(6)));
      case HARDSWISH ->
          select(
              le(constant(3), x),
              dy,
              inside(
                  constant(-3), x, constant(3), mul(dy, add(div(x, constant(3)), constant(0.5)))));
      case NOT, IS_FINITE -> throw new AssertionError(op + " has no derivative");
    };
  }

  private static Formula sign(Formula x) {
    return select(lt(ZERO, x), ONE, select(lt(x, ZERO), constant(-1), x));
  }

  private static Formula clamp(Formula x, Formula low, Formula high) {
    return min(max(x, low), high);
  }

  private static Formula hardSigmoid(Formula x) {
    return div(clamp(add(x, constant(3)), ZERO, constant(6)), constant(6));
  }

  /** {@code value} where low < x < high, else 0. */
  private static Formula inside(Formula low, Formula x, Formula high, Formula value) {
    return select(lt(low, x), select(lt(x, high), value, ZERO), ZERO);
  }

  private static Formula elu(Formula x, Formula alpha) {
    return select(lt(ZERO, x), x, mul(alpha, expm1(x)));
  }

  private static Formula eluBackward(Formula x, Formula alpha, Formula dy) {
    return select(lt(ZERO, x), dy, mul(dy, mul(alpha, exp(x))));
  }

  /** log(1 + e^x) without overflow. */
  private static Formula softplus(Formula x) {
    return add(max(x, ZERO), log1p(exp(neg(abs(x)))));
  }

  private static Formula normalCdf(Formula x) {
    return mul(0.5, add(ONE, erf(mul(SQRT_HALF, x))));
  }

  private static Formula normalPdf(Formula x) {
    return mul(1 / Math.sqrt(2 * Math.PI), exp(mul(-0.5, mul(x, x))));
  }

  /** The z with (1 + tanh(z / 2)) / 2 = sigmoid(z) as the approximation of the normal cdf. */
  private static Formula geluArgument(Formula x) {
    return mul(2 * SQRT_TWO_OVER_PI, mul(x, add(ONE, mul(GELU_CUBIC, mul(x, x)))));
  }

  /** For |x| <= 10, where nothing overflows; the derivative is 0 or 1 beyond. */
  private static Formula geluTanhDerivative(Formula x) {
    Formula s = sigmoid(geluArgument(x));
    Formula dz = mul(2 * SQRT_TWO_OVER_PI, add(ONE, mul(3 * GELU_CUBIC, mul(x, x))));
    return mul(s, add(ONE, mul(x, mul(sub(ONE, s), dz))));
  }

  private static Formula siluDerivative(Formula x) {
    Formula s = sigmoid(x);
    return mul(s, add(ONE, mul(x, sub(ONE, s))));
  }

  private static Formula mishDerivative(Formula x) {
    Formula t = tanh(softplus(x));
    return add(t, mul(x, mul(sub(ONE, mul(t, t)), sigmoid(x))));
  }
}

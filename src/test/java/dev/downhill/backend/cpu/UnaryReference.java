package dev.downhill.backend.cpu;

import dev.downhill.backend.Unary;
import org.apache.commons.math3.special.Erf;

/** The functions of one number by their textbook definitions, in double. */
final class UnaryReference {
  private UnaryReference() {}

  static double forward(Unary op, double x, double a, double b) {
    return switch (op) {
      case NEG -> -x;
      case ABS -> Math.abs(x);
      case EXP -> StrictMath.exp(x);
      case EXPM1 -> StrictMath.expm1(x);
      case LOG -> StrictMath.log(x);
      case LOG1P -> StrictMath.log1p(x);
      case SQRT -> StrictMath.sqrt(x);
      case RSQRT -> 1 / StrictMath.sqrt(x);
      case SQUARE -> x * x;
      case RECIPROCAL -> 1 / x;
      case POW -> StrictMath.pow(x, a);
      case SIN -> StrictMath.sin(x);
      case COS -> StrictMath.cos(x);
      case TANH -> StrictMath.tanh(x);
      case SIGMOID -> sigmoid(x);
      case ERF -> erf(x);
      case FLOOR -> StrictMath.floor(x);
      case SIGN -> Math.signum(x);
      case CLAMP, HARDTANH -> Math.min(Math.max(x, a), b);
      case RELU -> Math.max(x, 0);
      case LEAKY_RELU -> x > 0 ? x : a * x;
      case ELU -> x > 0 ? x : a * StrictMath.expm1(x);
      case SELU -> 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * StrictMath.expm1(x));
      case GELU -> x / 2 * (1 + erf(x / Math.sqrt(2)));
      case GELU_TANH ->
          x / 2 * (1 + StrictMath.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case SILU -> x * sigmoid(x);
      case SOFTPLUS -> a * x > b ? x : softplus(a * x) / a;
      case MISH -> x * StrictMath.tanh(softplus(x));
      case HARDSIGMOID -> Math.min(Math.max(x + 3, 0), 6) / 6;
      case HARDSWISH -> x * (Math.min(Math.max(x + 3, 0), 6) / 6);
      case NOT -> x == 0 ? 1 : 0;
      case IS_FINITE -> Double.isFinite(x) ? 1 : 0;
    };
  }

  /** A central difference, good to 1e-9 or so where the function is smooth. */
  static double derivative(Unary op, double x, double a, double b) {
    double h = 1e-4 * Math.max(1, Math.abs(x));
    double near = forward(op, x + h, a, b) - forward(op, x - h, a, b);
    double far = forward(op, x + 2 * h, a, b) - forward(op, x - 2 * h, a, b);
    return (8 * near - far) / (12 * h);
  }

  private static double sigmoid(double x) {
    return 1 / (1 + StrictMath.exp(-x));
  }

  private static double softplus(double x) {
    return x > 40 ? x : StrictMath.log1p(StrictMath.exp(x));
  }

  private static double erf(double x) {
    return Double.isNaN(x) ? x : Math.abs(x) > 40 ? Math.signum(x) : Erf.erf(x);
  }
}

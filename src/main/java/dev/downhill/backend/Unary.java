package dev.downhill.backend;

/**
 * Functions of one number, applied to every element. {@code a} and {@code b} are the two scalars
 * that come with the call; functions that need none ignore them. The constant says what its
 * derivative reads: the input x, or the output y, so that only that is kept for the backward pass.
 */
public enum Unary {
  /** -x. */
  NEG(Reads.NOTHING),
  /** |x|; the derivative at 0 is 0. */
  ABS(Reads.INPUT),
  /** e^x. */
  EXP(Reads.OUTPUT),
  /** e^x - 1. */
  EXPM1(Reads.OUTPUT),
  /** Natural logarithm. */
  LOG(Reads.INPUT),
  /** log(1 + x). */
  LOG1P(Reads.INPUT),
  /** Square root. */
  SQRT(Reads.OUTPUT),
  /** 1 / sqrt(x). */
  RSQRT(Reads.OUTPUT),
  /** x^2. */
  SQUARE(Reads.INPUT),
  /** 1 / x. */
  RECIPROCAL(Reads.OUTPUT),
  /** x^a; x^0 is 1. */
  POW(Reads.INPUT),
  /** Sine. */
  SIN(Reads.INPUT),
  /** Cosine. */
  COS(Reads.INPUT),
  /** Hyperbolic tangent. */
  TANH(Reads.OUTPUT),
  /** 1 / (1 + e^-x). */
  SIGMOID(Reads.OUTPUT),
  /** The error function. */
  ERF(Reads.INPUT),
  /** The largest integer not above x; the derivative is 0. */
  FLOOR(Reads.NOTHING),
  /** -1, 0 or 1; the derivative is 0. */
  SIGN(Reads.NOTHING),
  /** min(max(x, a), b), b where a > b; the derivative is 1 where {@code a <= x <= b}, else 0. */
  CLAMP(Reads.INPUT),
  /** max(x, 0); the derivative at 0 is 0. */
  RELU(Reads.OUTPUT),
  /** x where x > 0, else a x; the derivative at 0 is a. */
  LEAKY_RELU(Reads.INPUT),
  /** x where x > 0, else a (e^x - 1); the derivative at 0 is a. */
  ELU(Reads.INPUT),
  /** scale elu(x, alpha) with the constants of Klambauer et al. 2017. */
  SELU(Reads.INPUT),
  /** x/2 (1 + erf(x / sqrt 2)). */
  GELU(Reads.INPUT),
  /** x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
  GELU_TANH(Reads.INPUT),
  /** x sigmoid(x). */
  SILU(Reads.INPUT),
  /** log(1 + e^(a x)) / a, x where a x > b; there the derivative is exactly 1. */
  SOFTPLUS(Reads.INPUT),
  /** x tanh(softplus(x)). */
  MISH(Reads.INPUT),
  /** x limited to [a, b]; the derivative is 1 strictly inside, else 0. */
  HARDTANH(Reads.INPUT),
  /** min(max(x + 3, 0), 6) / 6; the derivative is 1/6 strictly between -3 and 3, else 0. */
  HARDSIGMOID(Reads.INPUT),
  /** x min(max(x + 3, 0), 6) / 6; the derivative is 0 at -3 and 1 at 3. */
  HARDSWISH(Reads.INPUT),
  /** not x, of truth values; no derivative. */
  NOT(Reads.NO_DERIVATIVE),
  /** Whether x is neither infinite nor NaN, a truth value; no derivative. */
  IS_FINITE(Reads.NO_DERIVATIVE);

  /** What the derivative of a function reads. */
  public enum Reads {
    /** A constant: nothing is kept. */
    NOTHING,
    /** The argument x. */
    INPUT,
    /** The result y. */
    OUTPUT,
    /** There is none. */
    NO_DERIVATIVE
  }

  private final Reads reads;

  Unary(Reads reads) {
    this.reads = reads;
  }

  /** What the derivative reads. */
  public Reads reads() {
    return reads;
  }

  /** Whether the result is of type bool. */
  public boolean isPredicate() {
    return reads == Reads.NO_DERIVATIVE;
  }
}

package dev.downhill.tensor;

import dev.downhill.backend.Binary;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Locale;

/**
 * Arithmetic of two tensors of one dtype, element by element. Shapes broadcast: aligned at the
 * right, sizes are equal, or one of them is 1 or missing; the gradient of a broadcast operand is
 * summed back to its shape. A Java number takes the tensor's dtype, so that an integer tensor takes
 * whole numbers only. Integers wrap on overflow; their division is an error.
 */
final class Arithmetic {
  private Arithmetic() {}

  private static Op numbers(Binary f, Tensor... operands) {
    return Op.of(name(f), operands).sameType().numeric();
  }

  /** The name of an operator in messages. */
  static String name(Binary f) {
    return f.name().toLowerCase(Locale.ROOT);
  }

  private static DType type(Binary f, Tensor x) {
    return f.isComparison() ? DType.BOOL : x.dtype();
  }

  /** z = f(x, y) on broadcast views, not yet recorded. */
  static Tensor compute(Op op, Binary f, Tensor x, Tensor y) {
    Shape shape = Shape.broadcast(name(f), x.shape(), y.shape());
    Layout left = x.layout().expand(shape);
    Layout right = y.layout().expand(shape);
    Tensor z = op.output(type(f, x), shape);
    op.device().run(b -> b.binary(f, x.view().with(left), y.view().with(right), z.view()));
    return z;
  }

  /** z = f(x, y) with one y for all elements. */
  static Tensor compute(Op op, Binary f, Tensor x, double y) {
    double number = op.number(y);
    Tensor z = op.output(type(f, x), x.shape());
    op.device().run(b -> b.binary(f, x.view(), number, z.view()));
    return z;
  }

  private static Tensor compute(Op op, Binary f, double x, Tensor y) {
    double number = op.number(x);
    Tensor z = op.output(y.shape());
    op.device().run(b -> b.binary(f, number, y.view(), z.view()));
    return z;
  }

  /** A 0-d tensor of x's dtype, for an operator on x that takes numbers by broadcasting. */
  static Tensor constant(String op, Tensor x, double value) {
    return Tensor.full(x.device(), x.dtype(), Op.of(op, x).number(value));
  }

  /** z = x + y; dx = dz, dy = dz. */
  static Tensor add(Tensor x, Tensor y) {
    Op op = numbers(Binary.ADD, x, y);
    return op.record(compute(op, Binary.ADD, x, y), p -> p.dy(), p -> p.dy());
  }

  /** z = x + y; dx = dz. */
  static Tensor add(Tensor x, double y) {
    Op op = numbers(Binary.ADD, x);
    return op.record(compute(op, Binary.ADD, x, y), p -> p.dy());
  }

  /** z = x + alpha y. */
  static Tensor add(Tensor x, Tensor y, double alpha) {
    numbers(Binary.ADD, x, y).number(alpha);
    try (Scope scope = Scope.internal()) {
      return scope.keep(add(x, mul(y, alpha)));
    }
  }

  /** z = x - y; dx = dz, dy = -dz. */
  static Tensor sub(Tensor x, Tensor y) {
    Op op = numbers(Binary.SUB, x, y);
    return op.record(compute(op, Binary.SUB, x, y), p -> p.dy(), p -> p.dy().neg());
  }

  /** z = x - y; dx = dz. */
  static Tensor sub(Tensor x, double y) {
    Op op = numbers(Binary.SUB, x);
    return op.record(compute(op, Binary.SUB, x, y), p -> p.dy());
  }

  /** z = x - y; dy = -dz. */
  static Tensor sub(double x, Tensor y) {
    Op op = Op.of("rsub", y).numeric();
    return op.record(compute(op, Binary.SUB, x, y), p -> p.dy().neg());
  }

  /** z = x - alpha y. */
  static Tensor sub(Tensor x, Tensor y, double alpha) {
    numbers(Binary.SUB, x, y).number(alpha);
    try (Scope scope = Scope.internal()) {
      return scope.keep(sub(x, mul(y, alpha)));
    }
  }

  /** z = x y; dx = dz y, dy = dz x. */
  static Tensor mul(Tensor x, Tensor y) {
    Op op = numbers(Binary.MUL, x, y).saving(x, y);
    return op.record(
        compute(op, Binary.MUL, x, y), p -> p.dy().mul(p.saved(1)), p -> p.dy().mul(p.saved(0)));
  }

  /** z = x y; dx = dz y. */
  static Tensor mul(Tensor x, double y) {
    Op op = numbers(Binary.MUL, x);
    return op.record(compute(op, Binary.MUL, x, y), p -> p.dy().mul(y));
  }

  /** z = x / y; dx = dz / y, dy = -dz z / y. */
  static Tensor div(Tensor x, Tensor y) {
    Op op = numbers(Binary.DIV, x, y).floating();
    Tensor z = compute(op, Binary.DIV, x, y);
    return op.saving(y, z)
        .record(z, p -> p.dy().div(p.saved(0)), p -> p.dy().mul(p.saved(1)).div(p.saved(0)).neg());
  }

  /** z = x / y; dx = dz / y. */
  static Tensor div(Tensor x, double y) {
    Op op = numbers(Binary.DIV, x).floating();
    return op.record(compute(op, Binary.DIV, x, y), p -> p.dy().div(y));
  }

  /** z = x / y; dy = -dz z / y. */
  static Tensor div(double x, Tensor y) {
    Op op = Op.of("rdiv", y).floating();
    Tensor z = compute(op, Binary.DIV, x, y);
    return op.saving(y, z).record(z, p -> p.dy().mul(p.saved(1)).div(p.saved(0)).neg());
  }

  /**
   * z = x^y, where 0^0 = 1 and a fractional power of a negative number is NaN.
   *
   * <p>dx = dz y x^(y-1), 0 where y = 0; dy = dz z log x, 0 where x = 0 and y &gt;= 0.
   */
  static Tensor pow(Tensor x, Tensor y) {
    Op op = numbers(Binary.POW, x, y).floating();
    Tensor z = compute(op, Binary.POW, x, y);
    return op.saving(x, y, z)
        .record(
            z,
            p -> powBase(p.dy(), p.saved(0), p.saved(1)),
            p -> powExponent(p.dy(), p.saved(0), p.saved(1), p.saved(2)));
  }

  // A 1 takes the place of the operand where the derivative is 0 by convention: so nothing infinite
  // arises there that a second derivative would multiply by 0.

  private static Tensor powBase(Tensor dz, Tensor x, Tensor y) {
    Tensor flat = y.eq(0);
    return dz.mul(y).mul(x.maskedFill(flat, 1).pow(y.sub(1))).maskedFill(flat, 0);
  }

  private static Tensor powExponent(Tensor dz, Tensor x, Tensor y, Tensor z) {
    Tensor flat = x.eq(0).logicalAnd(y.ge(0));
    return dz.mul(z).mul(x.maskedFill(flat, 1).log());
  }

  /** z = x^y; dy = dz z log x, 0 where x = 0 and y &gt;= 0. */
  static Tensor pow(double x, Tensor y) {
    Op.of("rpow", y).floating();
    try (Scope scope = Scope.internal()) {
      return scope.keep(pow(constant("rpow", y, x), y));
    }
  }

  /** z = the larger, NaN if either is; dz goes to the larger, and half of it to each at a tie. */
  static Tensor maximum(Tensor x, Tensor y) {
    Op op = Op.of("maximum", x, y).sameType().saving(x, y);
    return op.record(
        compute(op, Binary.MAXIMUM, x, y),
        p -> toWinner(p.dy(), p.saved(1), p.saved(0)),
        p -> toWinner(p.dy(), p.saved(0), p.saved(1)));
  }

  /** z = the smaller, NaN if either is; dz goes to the smaller, and half of it to each at a tie. */
  static Tensor minimum(Tensor x, Tensor y) {
    Op op = Op.of("minimum", x, y).sameType().saving(x, y);
    return op.record(
        compute(op, Binary.MINIMUM, x, y),
        p -> toWinner(p.dy(), p.saved(0), p.saved(1)),
        p -> toWinner(p.dy(), p.saved(1), p.saved(0)));
  }

  /** dz where low &lt; high, half of it where they are equal, and 0 where high &lt; low. */
  private static Tensor toWinner(Tensor dz, Tensor low, Tensor high) {
    return dz.mul(0.5).where(low.eq(high), dz).maskedFill(high.lt(low), 0);
  }

  /** {@link #maximum(Tensor, Tensor)} with one number. */
  static Tensor maximum(Tensor x, double y) {
    try (Scope scope = Scope.internal()) {
      return scope.keep(maximum(x, constant("maximum", x, y)));
    }
  }

  /** {@link #minimum(Tensor, Tensor)} with one number. */
  static Tensor minimum(Tensor x, double y) {
    try (Scope scope = Scope.internal()) {
      return scope.keep(minimum(x, constant("minimum", x, y)));
    }
  }
}

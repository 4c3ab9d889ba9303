package dev.downhill.tensor;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Unary;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;

/**
 * Comparisons, whose results are truth values, and choices made by truth values. Shapes broadcast
 * as in {@link Arithmetic}. With NaN every comparison is false but {@code ne}; -0 equals 0.
 */
final class Comparison {
  private Comparison() {}

  /** c = f(x, y), of dtype bool. No gradient. */
  static Tensor compare(Binary f, Tensor x, Tensor y) {
    return Arithmetic.compute(Op.of(Arithmetic.name(f), x, y).sameType(), f, x, y);
  }

  /** c = f(x, y) with one y for all elements. No gradient. */
  static Tensor compare(Binary f, Tensor x, double y) {
    return Arithmetic.compute(Op.of(Arithmetic.name(f), x), f, x, y);
  }

  /** Not x, of truth values. */
  static Tensor logicalNot(Tensor x) {
    Op op = Op.of("logicalNot", x).type(0, DType.BOOL);
    Tensor y = op.output(x.shape());
    op.device().run(b -> b.unary(Unary.NOT, x.view(), 0, 0, y.view()));
    return y;
  }

  /** x and y, of truth values. */
  static Tensor logicalAnd(Tensor x, Tensor y) {
    Op op = Op.of("logicalAnd", x, y).type(0, DType.BOOL).sameType();
    return choose(op, x, y, x);
  }

  /** x or y, of truth values. */
  static Tensor logicalOr(Tensor x, Tensor y) {
    Op op = Op.of("logicalOr", x, y).type(0, DType.BOOL).sameType();
    return choose(op, x, x, y);
  }

  /** Whether elements are neither infinite nor NaN. No gradient. */
  static Tensor isFinite(Tensor x) {
    Op op = Op.of("isFinite", x).floating();
    Tensor y = op.output(DType.BOOL, x.shape());
    op.device().run(b -> b.unary(Unary.IS_FINITE, x.view(), 0, 0, y.view()));
    return y;
  }

  /**
   * z = x where the condition is true, else y.
   *
   * <p>dx = dz where it is true, else 0; dy = dz where it is false, else 0, also where the side not
   * chosen is infinite or NaN.
   *
   * @param condition of dtype bool
   */
  static Tensor where(Tensor condition, Tensor x, Tensor y) {
    return where("where", condition, x, y);
  }

  /** z = x where the condition is true, else the number y. */
  static Tensor where(Tensor condition, Tensor x, double y) {
    try (Scope scope = Scope.internal()) {
      return scope.keep(where("where", condition, x, Arithmetic.constant("where", x, y)));
    }
  }

  /** y = value where the mask is true, else x, which broadcast with each other; dx = 0 or dy. */
  static Tensor maskedFill(Tensor x, Tensor mask, double value) {
    try (Scope scope = Scope.internal()) {
      Tensor filling = Arithmetic.constant("maskedFill", x, value);
      return scope.keep(where("maskedFill", mask, filling, x));
    }
  }

  private static Tensor where(String name, Tensor condition, Tensor x, Tensor y) {
    Op op = Op.of(name, condition, x, y).type(0, DType.BOOL);
    if (x.dtype() != y.dtype()) {
      throw op.refuse(
          "dtypes differ, expected one, got %s and %s; convert one with to(dtype)"
              .formatted(x.dtype(), y.dtype()));
    }
    return op.saving(condition)
        .record(
            choose(op, condition, x, y),
            p -> null,
            p -> p.dy().where(p.saved(0), 0),
            p -> p.dy().maskedFill(p.saved(0), 0));
  }

  /** z = condition ? x : y on broadcast views, not yet recorded. */
  private static Tensor choose(Op op, Tensor condition, Tensor x, Tensor y) {
    Shape shape =
        Shape.broadcast(
            op.name(), Shape.broadcast(op.name(), condition.shape(), x.shape()), y.shape());
    Tensor z = op.output(x.dtype(), shape);
    op.device()
        .run(
            b ->
                b.where(
                    condition.view().with(condition.layout().expand(shape)),
                    x.view().with(x.layout().expand(shape)),
                    y.view().with(y.layout().expand(shape)),
                    z.view()));
    return z;
  }

  /**
   * The lower triangle of the last two dimensions: keeps column - row &lt;= diagonal, the rest is
   * 0. dx = tril(dy).
   *
   * @throws ShapeException if x has fewer than two dimensions
   */
  static Tensor tril(Tensor x, long diagonal) {
    return triangle("tril", Binary.LE, x, diagonal);
  }

  /** The upper triangle: keeps column - row &gt;= diagonal, the rest is 0. dx = triu(dy). */
  static Tensor triu(Tensor x, long diagonal) {
    return triangle("triu", Binary.GE, x, diagonal);
  }

  private static Tensor triangle(String name, Binary kept, Tensor x, long diagonal) {
    Op op = Op.of(name, x);
    if (x.dim() < 2) {
      throw op.refuse("expected a tensor with two or more dimensions");
    }
    try (Scope scope = Scope.internal()) {
      Tensor row = Tensor.arange(x.device(), DType.I64, x.size(-2)).reshape(x.size(-2), 1);
      Tensor column = Tensor.arange(x.device(), DType.I64, x.size(-1));
      return scope.keep(x.where(compare(kept, column.sub(row), (double) diagonal), 0));
    }
  }
}

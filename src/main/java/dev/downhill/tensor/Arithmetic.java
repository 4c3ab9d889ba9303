package dev.downhill.tensor;

import dev.downhill.backend.Binary;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;

/**
 * Arithmetic of two tensors of one dtype, element by element. Shapes broadcast: aligned at the right,
 * sizes are equal, or one of them is 1 or missing; the gradient of a broadcast operand is summed back
 * to its shape. A Java number takes the tensor's dtype.
 */
final class Arithmetic {
  private Arithmetic() {}

  /** z = op(x, y) on broadcast views, not yet recorded. */
  private static Tensor compute(Op op, Binary f, Tensor x, Tensor y) {
    Shape shape = Shape.broadcast(f.name().toLowerCase(java.util.Locale.ROOT), x.shape(), y.shape());
    Layout left = x.layout().expand(shape);
    Layout right = y.layout().expand(shape);
    Tensor z = op.output(shape);
    op.device().run(b -> b.binary(f, x.view().with(left), y.view().with(right), z.view()));
    return z;
  }

  private static Tensor compute(Op op, Binary f, Tensor x, double y) {
    Tensor z = op.output(x.shape());
    op.device().run(b -> b.binary(f, x.view(), y, z.view()));
    return z;
  }

  /** z = x + y; dx = dz, dy = dz. */
  static Tensor add(Tensor x, Tensor y) {
    Op op = Op.of("add", x, y).sameType();
    return op.record(compute(op, Binary.ADD, x, y), p -> p.dy(), p -> p.dy());
  }

  /** z = x + y; dx = dz. */
  static Tensor add(Tensor x, double y) {
    Op op = Op.of("add", x);
    return op.record(compute(op, Binary.ADD, x, y), p -> p.dy());
  }

  /** z = x y; dx = dz y, dy = dz x. */
  static Tensor mul(Tensor x, Tensor y) {
    Op op = Op.of("mul", x, y).sameType().saving(x, y);
    return op.record(
        compute(op, Binary.MUL, x, y), p -> p.dy().mul(p.saved(1)), p -> p.dy().mul(p.saved(0)));
  }

  /** z = x y; dx = dz y. */
  static Tensor mul(Tensor x, double y) {
    Op op = Op.of("mul", x);
    return op.record(compute(op, Binary.MUL, x, y), p -> p.dy().mul(y));
  }
}

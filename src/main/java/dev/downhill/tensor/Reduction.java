package dev.downhill.tensor;

import dev.downhill.autograd.Destination;
import dev.downhill.backend.Reduce;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import org.jspecify.annotations.Nullable;

/** Many numbers made one, over all dimensions or some. */
final class Reduction {
  private Reduction() {}

  /** Which dimensions go: their shape with size 1, and without them. */
  record Dims(boolean[] reduced, Shape kept, Shape dropped) {
    static Dims of(String op, Shape shape, int[] dims) {
      boolean[] reduced = new boolean[shape.rank()];
      for (int d : dims) {
        int dim = shape.dim(op, d);
        if (shape.rank() > 0) {
          if (reduced[dim]) {
            throw new dev.downhill.shape.ShapeException(
                "%s: expected each dimension once, got %d twice (shape %s)".formatted(op, d, shape));
          }
          reduced[dim] = true;
        }
      }
      Shape kept = shape;
      for (int d = 0; d < shape.rank(); d++) {
        kept = reduced[d] ? kept.with(d, 1) : kept;
      }
      Shape dropped = kept;
      for (int d = shape.rank() - 1; d >= 0; d--) {
        dropped = reduced[d] ? dropped.remove(d) : dropped;
      }
      return new Dims(reduced, kept, dropped);
    }

    static Dims all(Shape shape) {
      int[] dims = new int[shape.rank()];
      java.util.Arrays.setAll(dims, d -> d);
      return of("reduce", shape, dims);
    }

    Shape shape(boolean keepdim) {
      return keepdim ? kept : dropped;
    }
  }

  /** y = sum of all elements of x, 0-d; integers and truth values as int64. dx = dy everywhere. */
  static Tensor sum(Tensor x) {
    return sum(x, Dims.all(x.shape()), false);
  }

  /**
   * y = sum of x over {@code dims}, which stay with size 1 if {@code keepdim}. 0 over nothing. dx = dy,
   * repeated along the dimensions.
   */
  static Tensor sum(Tensor x, int[] dims, boolean keepdim) {
    return sum(x, Dims.of("sum", x.shape(), dims), keepdim);
  }

  private static Tensor sum(Tensor x, Dims dims, boolean keepdim) {
    Op op = Op.of("sum", x);
    Tensor y = reduce(op, Reduce.SUM, x, dims, keepdim);
    Shape kept = dims.kept();
    Shape shape = x.shape();
    return op.record(y, p -> p.dy().reshape(kept.toArray()).expand(shape.toArray()));
  }

  private static Tensor reduce(Op op, Reduce f, Tensor x, Dims dims, boolean keepdim) {
    boolean widens = !x.dtype().isFloating() && (f == Reduce.SUM || f == Reduce.PROD);
    Tensor y = op.output(widens ? DType.I64 : x.dtype(), dims.shape(keepdim));
    Layout kept = Layout.contiguous(dims.kept());
    op.device().run(b -> b.reduce(f, x.view(), y.view().with(kept)));
    return y;
  }

  /**
   * The sum over the dimensions in which {@code shape} was broadcast to x's shape: the gradient of
   * broadcasting.
   */
  static Tensor sumTo(Tensor x, Shape shape) {
    if (x.shape().equals(shape)) {
      return x;
    }
    if (!shape.broadcastsTo(x.shape())) {
      throw Op.of("sumTo", x).refuse("expected a shape that broadcasts to the tensor's, got " + shape);
    }
    int lead = x.dim() - shape.rank();
    int[] dims =
        java.util.stream.IntStream.range(0, x.dim())
            .filter(d -> d < lead || (shape.size(d - lead) == 1 && x.shape().size(d) != 1))
            .toArray();
    return sum(x, dims, true).reshape(shape.toArray());
  }

  /** The sum of a rule's dy (n, m) over its rows, where the rule's destination is if it has one. */
  static @Nullable Tensor sumRows(Rule.Pull p) {
    Tensor dy = p.dy();
    Destination<Tensor> d = p.destination();
    if (d == null || d.accumulate()) {
      return sum(dy, new int[] {0}, false);
    }
    Layout row = d.into().layout().unsqueeze(0);
    dy.device().run(b -> b.reduce(Reduce.SUM, dy.view(), d.into().view().with(row)));
    return p.written();
  }
}

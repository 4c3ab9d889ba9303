package dev.downhill.tensor;

import dev.downhill.autograd.Destination;
import dev.downhill.backend.Binary;
import dev.downhill.backend.Reduce;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Many numbers made one, over all dimensions or some: sums, means, products. Dimensions go, or stay
 * with size 1 if {@code keepdim}. Sums and products of integers and truth values are int64.
 */
final class Reduction {
  private Reduction() {}

  /**
   * Which dimensions go: their shape with size 1, without them, and how many elements become one.
   */
  record Dims(Shape kept, Shape dropped, long count) {
    /** The dimensions {@code dims}, all if null. */
    static Dims of(String op, Shape shape, int @Nullable [] dims) {
      boolean[] reduced = new boolean[shape.rank()];
      for (int d : dims == null ? IntStream.range(0, shape.rank()).toArray() : dims) {
        int dim = shape.dim(op, d);
        if (shape.rank() > 0) {
          if (reduced[dim]) {
            throw new ShapeException(
                "%s: expected each dimension once, got %s twice (shape %s)"
                    .formatted(op, d, shape));
          }
          reduced[dim] = true;
        }
      }
      Shape kept = shape;
      Shape dropped = shape;
      long count = 1;
      for (int d = shape.rank() - 1; d >= 0; d--) {
        if (reduced[d]) {
          kept = kept.with(d, 1);
          dropped = dropped.remove(d);
          count *= shape.size(d);
        }
      }
      return new Dims(kept, dropped, count);
    }

    Shape shape(boolean keepdim) {
      return keepdim ? kept : dropped;
    }

    /** A result, or its gradient, with the dimensions in place. */
    Tensor keep(Tensor y) {
      return y.reshape(kept.toArray());
    }
  }

  /** y = f of x over the dimensions, not yet recorded. */
  static Tensor reduce(Op op, Reduce f, Tensor x, Dims dims, boolean keepdim) {
    boolean widens = !x.dtype().isFloating() && (f == Reduce.SUM || f == Reduce.PROD);
    Tensor y = op.output(widens ? DType.I64 : x.dtype(), dims.shape(keepdim));
    Layout kept = Layout.contiguous(dims.kept());
    op.device().run(b -> b.reduce(f, x.view(), y.view().with(kept)));
    return y;
  }

  /** The name of a reduction in messages. */
  static String name(Reduce f) {
    return f.name().toLowerCase(Locale.ROOT);
  }

  /**
   * y = the sum of x over {@code dims}; 0 over nothing. dx = dy, repeated along the dimensions.
   *
   * @param dims which dimensions, null for all
   */
  static Tensor sum(Tensor x, int @Nullable [] dims, boolean keepdim) {
    Op op = Op.of("sum", x);
    Dims d = Dims.of("sum", x.shape(), dims);
    long[] sizes = x.shape().toArray();
    return op.record(reduce(op, Reduce.SUM, x, d, keepdim), p -> d.keep(p.dy()).expand(sizes));
  }

  /**
   * y = the sum of x over {@code dims}, divided by the number n of elements summed; NaN over
   * nothing. dx = dy / n, repeated along the dimensions. Integers have no mean.
   *
   * @param dims which dimensions, null for all
   */
  static Tensor mean(Tensor x, int @Nullable [] dims, boolean keepdim) {
    Op op = Op.of("mean", x).floating();
    Dims d = Dims.of("mean", x.shape(), dims);
    Tensor y = reduce(op, Reduce.SUM, x, d, keepdim);
    double n = d.count();
    op.device().run(b -> b.binary(Binary.DIV, y.view(), n, y.view()));
    long[] sizes = x.shape().toArray();
    return op.record(y, p -> d.keep(p.dy().div(n)).expand(sizes));
  }

  /** y = the product of all elements of x, 0-d; 1 over nothing. */
  static Tensor prod(Tensor x) {
    x.check("prod");
    try (Scope scope = Scope.internal()) {
      return scope.keep(prod(x.reshape(x.numel()), 0, false));
    }
  }

  /**
   * y = the product of x along a dimension; 1 over nothing. dx = dy times the product of the other
   * elements, also where some are 0.
   */
  static Tensor prod(Tensor x, int dim, boolean keepdim) {
    Op op = Op.of("prod", x).saving(x);
    Dims d = Dims.of("prod", x.shape(), new int[] {dim});
    Rule dx = x.dim() == 0 ? p -> p.dy() : p -> d.keep(p.dy()).mul(others(p.saved(0), dim));
    return op.record(reduce(op, Reduce.PROD, x, d, keepdim), dx);
  }

  /**
   * For each element the product of all others along a dimension: of those before and those after
   * it, by doubling the reach of both log2 n times. No division, so that zeros need no cases.
   */
  private static Tensor others(Tensor x, int dim) {
    Tensor before = shifted(x, dim, 1);
    Tensor after = shifted(x, dim, -1);
    for (long reach = 1; reach < x.size(dim); reach *= 2) {
      before = before.mul(shifted(before, dim, reach));
      after = after.mul(shifted(after, dim, -reach));
    }
    return before.mul(after);
  }

  /** The elements moved along a dimension, 1 where none arrives. */
  private static Tensor shifted(Tensor x, int dim, long by) {
    long n = x.size(dim);
    long moved = Math.min(Math.abs(by), n);
    Shape gap = x.shape().with(x.shape().dim("prod", dim), moved);
    Tensor ones = Tensor.ones(x.device(), x.dtype()).expand(gap.toArray());
    return by > 0
        ? Tensor.cat(List.of(ones, x.narrow(dim, 0, n - moved)), dim)
        : Tensor.cat(List.of(x.narrow(dim, moved, n - moved), ones), dim);
  }

  /**
   * y[i] = x[0] + ... + x[i] along a dimension; int64 for integers and truth values. dx[i] = dy[i]
   * + ... + dy[n-1].
   */
  static Tensor cumsum(Tensor x, int dim) {
    int d = x.shape().dim("cumsum", dim);
    if (!x.dtype().isFloating() && x.dtype() != DType.I64) {
      try (Scope scope = Scope.internal()) {
        return scope.keep(cumsum(x.to(DType.I64), dim));
      }
    }
    Op op = Op.of("cumsum", x);
    Tensor y = op.output(x.shape());
    if (x.dim() == 0) {
      op.device().run(b -> b.copy(x.view(), y.view()));
      return op.record(y, p -> p.dy());
    }
    op.device().run(b -> b.cumsum(x.view(), d, y.view()));
    return op.record(y, p -> reversed(reversed(p.dy(), d).cumsum(d), d));
  }

  private static Tensor reversed(Tensor x, int dim) {
    long n = x.size(dim);
    return x.indexSelect(dim, Tensor.arange(x.device(), DType.I64, n).rsub(n - 1.0));
  }

  /**
   * The sum over the dimensions in which {@code shape} was broadcast to x's shape: the gradient of
   * broadcasting.
   */
  static Tensor sumTo(Tensor x, Shape shape) {
    x.check("sumTo");
    if (x.shape().equals(shape)) {
      return x;
    }
    if (!shape.broadcastsTo(x.shape())) {
      throw Op.of("sumTo", x)
          .refuse("expected a shape that broadcasts to the tensor's, got " + shape);
    }
    int lead = x.dim() - shape.rank();
    int[] dims =
        IntStream.range(0, x.dim())
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

package dev.downhill.tensor;

import dev.downhill.backend.Reduce;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import org.jspecify.annotations.Nullable;

/**
 * The largest and smallest elements and where they are. NaN counts as larger than anything for the
 * largest and as smaller for the smallest, so that it is always found. Nothing has no extremum: an
 * error.
 *
 * <p>Methods take {@link Reduce#MAX} or {@link Reduce#MIN}.
 */
final class Extremum {
  private Extremum() {}

  /**
   * y = the extremum of x over {@code dims}, all if null. Elements that attain it share dy equally;
   * so do NaNs if it is NaN.
   */
  static Tensor of(Reduce f, Tensor x, int @Nullable [] dims, boolean keepdim) {
    String name = Reduction.name(f);
    Op op = Op.of(name, x);
    Reduction.Dims d = Reduction.Dims.of(name, x.shape(), dims);
    checkSome(op, d);
    Tensor y = Reduction.reduce(op, f, x, d, keepdim);
    return op.saving(x, y)
        .record(y, p -> shared(p.saved(0), d.keep(p.saved(1)), d.keep(p.dy()), dims));
  }

  private static Tensor shared(Tensor x, Tensor y, Tensor dy, int @Nullable [] dims) {
    Tensor attains = x.eq(y).logicalOr(x.ne(x));
    return dy.div(attains.sum(dims, true).to(x.dtype())).where(attains, 0);
  }

  /**
   * The extremum along a dimension and its first index (int64), which alone gets the gradient.
   *
   * @param keepdim whether the dimension stays with size 1
   */
  static Ranked along(Reduce f, Tensor x, int dim, boolean keepdim) {
    String name = Reduction.name(f);
    try (Scope scope = Scope.internal()) {
      Tensor index = index(name, f, x, dim, true);
      int d = x.shape().dim(name, dim);
      Tensor value = Indexing.pick(Op.of(name, x, index), x, d, index, p -> p.dy());
      if (!keepdim) {
        value = value.squeeze(d);
        index = index.squeeze(d);
      }
      return new Ranked(scope.keep(value), scope.keep(index));
    }
  }

  /** The first index of the extremum in the row-major order of all elements, 0-d, int64. */
  static Tensor index(Reduce f, Tensor x) {
    x.check(argName(f));
    try (Scope scope = Scope.internal()) {
      return scope.keep(index(argName(f), f, x.detach().reshape(x.numel()), 0, false));
    }
  }

  /** The first index of the extremum along a dimension, int64. */
  static Tensor index(Reduce f, Tensor x, int dim, boolean keepdim) {
    return index(argName(f), f, x, dim, keepdim);
  }

  private static String argName(Reduce f) {
    return "arg" + Reduction.name(f);
  }

  private static Tensor index(String name, Reduce f, Tensor x, int dim, boolean keepdim) {
    Op op = Op.of(name, x);
    int d = x.shape().dim(name, dim);
    Reduction.Dims dims = Reduction.Dims.of(name, x.shape(), new int[] {dim});
    checkSome(op, dims);
    Tensor y = op.output(DType.I64, dims.shape(keepdim));
    Shape kept = x.dim() == 0 ? Shape.of(1) : dims.kept();
    Layout from = x.dim() == 0 ? x.layout().unsqueeze(0) : x.layout();
    op.device()
        .run(b -> b.argReduce(f, x.view().with(from), d, y.view().with(Layout.contiguous(kept))));
    return y;
  }

  private static void checkSome(Op op, Reduction.Dims dims) {
    if (dims.count() == 0) {
      throw op.refuse("expected at least one element to choose from, got none");
    }
  }
}

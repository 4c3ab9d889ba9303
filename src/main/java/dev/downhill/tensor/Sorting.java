package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;

/**
 * Elements in order of size along a dimension, and where they were. The order is stable in both
 * directions: equal elements, 0 and -0 among them, stay in the order in which they came. NaN is
 * larger than everything.
 */
final class Sorting {
  private Sorting() {}

  /**
   * All elements along a dimension, in order: values[i] = x[indices[i]]. dx[indices[i]] = dy[i].
   *
   * @param descending the largest first
   */
  static Ranked sort(Tensor x, int dim, boolean descending) {
    return sort("sort", x, dim, descending);
  }

  private static Ranked sort(String name, Tensor x, int dim, boolean descending) {
    int d = x.shape().dim(name, dim);
    Op first = Op.of(name, x);
    try (Scope scope = Scope.internal()) {
      Tensor values = first.output(x.shape());
      Tensor indices = first.output(DType.I64, x.shape());
      Layout from = Indexing.atLeast1d(x);
      Layout to = Indexing.atLeast1d(values);
      first
          .device()
          .run(
              b ->
                  b.sort(
                      x.view().with(from),
                      d,
                      descending,
                      values.view().with(to),
                      indices.view().with(to)));
      Indexing.picked(Op.of(name, x, indices), values, d, indices, p -> p.dy());
      return new Ranked(scope.keep(values), scope.keep(indices));
    }
  }

  /** The indices of {@link #sort}: where the elements are that come first, second, ... in order. */
  static Tensor argsort(Tensor x, int dim, boolean descending) {
    x.check("argsort");
    try (Scope scope = Scope.internal()) {
      return scope.keep(sort("argsort", x.detach(), dim, descending).indices());
    }
  }

  /**
   * The k largest elements along a dimension, in order, the largest first; or the k smallest, the
   * smallest first. dx[indices[i]] = dy[i], 0 elsewhere.
   *
   * @param k 0 to the size of the dimension
   * @param largest whether the largest or the smallest
   */
  static Ranked topk(Tensor x, long k, int dim, boolean largest) {
    Op op = Op.of("topk", x);
    int d = x.shape().dim("topk", dim);
    long size = x.dim() == 0 ? 1 : x.size(d);
    if (k < (x.dim() == 0 ? 1 : 0) || k > size) {
      throw op.refuse(
          "expected k of 0 to the size %s of dimension %s, got %s".formatted(size, d, k));
    }
    try (Scope scope = Scope.internal()) {
      Ranked all = sort("topk", x, dim, largest);
      if (x.dim() == 0) {
        return new Ranked(scope.keep(all.values()), scope.keep(all.indices()));
      }
      return new Ranked(
          scope.keep(all.values().narrow(d, 0, k)), scope.keep(all.indices().narrow(d, 0, k)));
    }
  }
}

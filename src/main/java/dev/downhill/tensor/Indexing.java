package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;

/**
 * Elements picked by the values of an int64 tensor. Indices are never negative; one out of range is
 * an {@link IllegalArgumentException} (on a GPU when the device is next waited for) and nothing is
 * written through it. Where an index occurs twice, gradients add up, in the order of the index.
 */
public final class Indexing {
  private Indexing() {}

  /**
   * y[p] = x[p with p[dim] replaced by index[p]], as {@code torch.gather}. The index has x's rank;
   * in the other dimensions it may be smaller than x.
   *
   * <p>dx[p with p[dim] replaced by index[p]] += dy[p].
   */
  static Tensor gather(Tensor x, int dim, Tensor index) {
    Op op = Op.of("gather", x, index).type(1, DType.I64);
    int d = x.shape().dim("gather", dim);
    if (!covers(x.shape(), index.shape(), d)) {
      throw op.refuse(
          "expected an index of the tensor's rank, no larger than it outside dimension " + d);
    }
    return pick(op, x, d, index, p -> p.dy());
  }

  /** Whether the index has the rank of {@code whole} and is no larger outside {@code dim}. */
  private static boolean covers(Shape whole, Shape index, int dim) {
    boolean fits = index.rank() == whole.rank();
    for (int i = 0; fits && i < whole.rank(); i++) {
      fits = i == dim || index.size(i) <= whole.size(i);
    }
    return fits;
  }

  /**
   * The slices of x that {@code index} names along a dimension: y has its length there.
   *
   * <p>dx's slice index[i] += dy's slice i.
   *
   * @param index 1-D, or 0-D for one slice
   */
  static Tensor indexSelect(Tensor x, int dim, Tensor index) {
    Op op = Op.of("indexSelect", x, index).type(1, DType.I64);
    int d = x.shape().dim("indexSelect", dim);
    if (index.dim() > 1 || (x.dim() == 0 && index.numel() != 1)) {
      throw op.refuse("expected an index with one dimension");
    }
    return slices(op, x, d, index, p -> p.dy());
  }

  private static Tensor slices(Op op, Tensor x, int dim, Tensor index, Rule dy) {
    try (Scope scope = Scope.internal()) {
      long[] along = new long[x.dim()];
      Arrays.fill(along, 1);
      long[] sizes = x.shape().toArray();
      if (x.dim() > 0) {
        along[dim] = index.numel();
        sizes[dim] = index.numel();
      }
      return scope.keep(pick(op, x, dim, index.reshape(along).expand(sizes), dy));
    }
  }

  /**
   * Rows of a table, as {@code torch.nn.functional.embedding}: y[p] = weight[index[p]].
   *
   * <p>dweight[index[p]] += dy[p].
   *
   * @param index int64, of any shape
   * @param weight (rows, columns)
   * @return index's shape with a dimension of size columns added at the end
   */
  public static Tensor embedding(Tensor index, Tensor weight) {
    return embedding(index, weight, p -> p.dy());
  }

  /**
   * {@link #embedding(Tensor, Tensor)} with a row for padding, which is looked up as usual but gets
   * no gradient.
   *
   * @param paddingIdx the row; negative counts from the end
   */
  public static Tensor embedding(Tensor index, Tensor weight, long paddingIdx) {
    long rows = weight.dim() == 0 ? 0 : weight.size(0);
    if (paddingIdx < -rows || paddingIdx >= rows) {
      throw Op.of("embedding", index, weight)
          .refuse(
              "paddingIdx out of range, expected %s to %s, got %s"
                  .formatted(-rows, rows - 1, paddingIdx));
    }
    long row = paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
    return embedding(index, weight, p -> p.dy().maskedFill(p.saved(0).eq((double) row), 0));
  }

  private static Tensor embedding(Tensor index, Tensor weight, Rule dy) {
    Op check = Op.of("embedding", index, weight).type(0, DType.I64);
    if (weight.dim() != 2) {
      throw check.refuse("expected a weight with two dimensions");
    }
    try (Scope scope = Scope.internal()) {
      Tensor flat = index.reshape(index.numel());
      Tensor rows = slices(Op.of("embedding", weight, flat), weight, 0, flat, dy);
      return scope.keep(rows.reshape(index.shape().insert(index.dim(), weight.size(1)).toArray()));
    }
  }

  /**
   * Picks with an index of y's shape, of which x's other dimensions may be a larger part.
   *
   * @param dy what is placed into dx; its saved tensor is the index
   */
  static Tensor pick(Op op, Tensor x, int dim, Tensor index, Rule dy) {
    Tensor y = op.output(x.dtype(), index.shape());
    Layout indices = atLeast1d(index);
    Layout source = covered(atLeast1d(x), indices.shape(), dim);
    Layout target = atLeast1d(y);
    op.device()
        .run(
            b ->
                b.gather(
                    x.view().with(source), dim, index.view().with(indices), y.view().with(target)));
    return picked(op, y, dim, index, dy);
  }

  /**
   * Records that y was picked out of an operator's first input by an index along a dimension, its
   * second input.
   *
   * @param dy what is placed into dx; its saved tensor is the index
   */
  static Tensor picked(Op op, Tensor y, int dim, Tensor index, Rule dy) {
    return op.saving(index).record(y, Rule.placed(p -> new Rows(dim, p.saved(0)), dy), p -> null);
  }

  /** A 0-d tensor as the one element of a vector, for backends that index along a dimension. */
  static Layout atLeast1d(Tensor x) {
    return x.dim() == 0 ? x.layout().unsqueeze(0) : x.layout();
  }

  /** The part of x that an index covers. */
  private static Layout covered(Layout x, Shape index, int dim) {
    Layout part = x;
    for (int d = 0; d < index.rank(); d++) {
      if (d != dim) {
        part = part.slice(d, 0, index.size(d), 1);
      }
    }
    return part;
  }

  /**
   * y = x, with src[p] added at p with p[dim] replaced by index[p] for every position p of the
   * index, as {@code torch.scatter_add}. Of src, which may be larger, the part that the index
   * covers counts.
   *
   * <p>dx = dy; dsrc = dy gathered at the index, 0 outside it.
   */
  static Tensor scatterAdd(Tensor x, int dim, Tensor index, Tensor src) {
    Op check = Op.of("scatterAdd", x, index, src).numeric().type(1, DType.I64);
    int d = x.shape().dim("scatterAdd", dim);
    if (x.dtype() != src.dtype()) {
      throw check.refuse(
          "dtypes differ, expected %s, got %s; convert one with to(dtype)"
              .formatted(x.dtype(), src.dtype()));
    }
    if (!covers(x.shape(), index.shape(), d) || !covers(src.shape(), index.shape(), -1)) {
      throw check.refuse(
          "expected an index of the tensor's rank, no larger than it outside dimension %s and than the source anywhere"
              .formatted(d));
    }
    try (Scope scope = Scope.internal()) {
      Tensor part = src;
      for (int i = 0; i < index.dim(); i++) {
        part = index.size(i) < src.size(i) ? part.narrow(i, 0, index.size(i)) : part;
      }
      Op op = Op.of("scatterAdd", x, index, part);
      Tensor y = op.output(x.shape());
      op.device().run(b -> b.copy(x.view(), y.view()));
      new Rows(d, index).add(y, part);
      return scope.keep(
          op.saving(index)
              .record(y, p -> p.dy(), p -> null, p -> new Rows(d, p.saved(0)).take(p.dy())));
    }
  }

  /**
   * 1 where the new last dimension's index equals the value, else 0; int64.
   *
   * @param classes the size of the new dimension; -1 for the largest value plus one, which waits
   *     for the device
   */
  public static Tensor oneHot(Tensor index, long classes) {
    Op op = Op.of("oneHot", index).type(0, DType.I64);
    if (classes < 1 && (classes != -1 || index.numel() == 0)) {
      throw op.refuse("expected 1 or more classes, or -1 and at least one value, got " + classes);
    }
    try (Scope scope = Scope.internal()) {
      long size = classes == -1 ? index.max().toLongs()[0] + 1 : classes;
      int last = index.dim();
      Tensor one = Tensor.ones(index.device(), DType.I64);
      Tensor at = index.unsqueeze(last);
      Tensor y =
          Tensor.zeros(index.device(), DType.I64, index.shape().insert(last, size).toArray());
      new Rows(last, at).add(y, one.expand(at.shape().toArray()));
      return scope.keep(y);
    }
  }

  /** The elements of a whole that an index names. */
  private record Rows(int dim, Tensor index) implements Region {
    @Override
    public Tensor[] reads() {
      return new Tensor[] {index};
    }

    @Override
    public Region reading(Rule.Pull pull) {
      return new Rows(dim, pull.saved(0));
    }

    @Override
    public void add(Tensor whole, Tensor value) {
      Layout indices = atLeast1d(index);
      Layout target = covered(atLeast1d(whole), indices.shape(), dim);
      Layout source = atLeast1d(value);
      whole
          .device()
          .run(
              b -> {
                b.scatterAdd(
                    value.view().with(source),
                    dim,
                    index.view().with(indices),
                    whole.view().with(target));
                whole.storage().changed();
              });
    }

    @Override
    public Tensor take(Tensor whole) {
      return pick(Op.of("gather", whole, index), whole, dim, index, p -> p.dy());
    }
  }
}

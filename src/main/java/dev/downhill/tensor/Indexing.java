package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;

/** Elements picked by the values of an int64 tensor. */
public final class Indexing {
  private Indexing() {}

  /**
   * y[p] = x[p with p[dim] replaced by index[p]], as {@code torch.gather}. The index has x's rank; in
   * the other dimensions it may be smaller than x.
   *
   * <p>Gradient: dx[p with p[dim] replaced by index[p]] += dy[p], in the order of p.
   *
   * @throws IllegalArgumentException if an index is out of range; nothing is computed
   */
  public static Tensor gather(Tensor x, int dim, Tensor index) {
    Op op = Op.of("gather", x, index).type(1, DType.I64);
    int d = x.shape().dim("gather", dim);
    boolean fits = index.dim() == x.dim();
    for (int i = 0; fits && i < x.dim(); i++) {
      fits = i == d || index.shape().size(i) <= x.shape().size(i);
    }
    if (!fits) {
      throw op.refuse(
          "expected an index of the tensor's rank, no larger than it outside dimension " + d);
    }
    return pick(op, x, d, index);
  }

  /** Picks with an index of y's shape, of which x's other dimensions may be a larger part. */
  private static Tensor pick(Op op, Tensor x, int dim, Tensor index) {
    Tensor y = op.output(index.shape());
    // A 0-d tensor is one element of a vector; index the part of x that the index covers.
    Layout from = x.layout();
    Layout at = index.layout();
    Layout to = y.layout();
    if (x.dim() == 0) {
      from = from.unsqueeze(0);
      at = at.unsqueeze(0);
      to = to.unsqueeze(0);
    }
    Layout source = covered(from, at.shape(), dim);
    Layout indices = at;
    Layout target = to;
    op.device()
        .run(
            b ->
                b.gather(
                    x.view().with(source), dim, index.view().with(indices), y.view().with(target)));
    return op.saving(index)
        .record(y, Rule.placed(p -> new Rows(dim, p.saved(0)), p -> p.dy()), p -> null);
  }

  private static Layout covered(Layout x, Shape index, int dim) {
    Layout part = x;
    for (int d = 0; d < index.rank(); d++) {
      if (d != dim) {
        part = part.slice(d, 0, index.size(d), 1);
      }
    }
    return part;
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
      Layout to = whole.layout();
      Layout at = index.layout();
      Layout from = value.layout();
      if (whole.dim() == 0) {
        to = to.unsqueeze(0);
        at = at.unsqueeze(0);
        from = from.unsqueeze(0);
      }
      Layout target = covered(to, at.shape(), dim);
      Layout indices = at;
      Layout source = from;
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
      return pick(Op.of("gather", whole, index), whole, dim, index);
    }
  }
}

package dev.downhill.tensor;

import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The same memory seen otherwise. No element moves, save in {@link #reshape} where the new shape
 * cannot be had by strides. The gradient of a view is the same view of the gradient, undone; the
 * gradient of a part is placed into the whole, so that many small parts of a large tensor cost what
 * they hold.
 */
final class Views {
  private Views() {}

  /**
   * The same elements in the same order in another shape; one size may be -1 and follows from the
   * others. A view where strides allow, else a copy.
   */
  static Tensor reshape(Tensor x, long... sizes) {
    Op op = Op.of("reshape", x);
    Shape target = inferred(op, x.shape(), sizes);
    Layout layout = x.layout().reshape(target);
    if (layout == null) {
      try (Scope scope = Scope.internal()) {
        return scope.keep(reshape(Conversion.copy(x), sizes));
      }
    }
    long[] back = x.shape().toArray();
    return op.record(op.view(layout), p -> p.dy().reshape(back));
  }

  private static Shape inferred(Op op, Shape shape, long[] sizes) {
    long[] target = sizes.clone();
    int hole = -1;
    long known = 1;
    for (int d = 0; d < target.length; d++) {
      if (target[d] == -1 && hole < 0) {
        hole = d;
      } else if (target[d] < 0) {
        throw op.refuse(
            "expected sizes of 0 or more and at most one -1, got " + Arrays.toString(sizes));
      } else {
        known *= target[d];
      }
    }
    if (hole >= 0) {
      if (known == 0 || shape.numel() % known != 0) {
        throw op.refuse(
            "expected sizes that divide %s elements, got %s"
                .formatted(shape.numel(), Arrays.toString(sizes)));
      }
      target[hole] = shape.numel() / known;
    }
    Shape result = Shape.of(target);
    if (result.numel() != shape.numel()) {
      throw op.refuse(
          "expected sizes with %s elements, got %s"
              .formatted(shape.numel(), Arrays.toString(sizes)));
    }
    return result;
  }

  /** The view whose dimension i is dimension {@code dims[i]} of x. */
  static Tensor permute(Tensor x, int... dims) {
    Op op = Op.of("permute", x);
    int[] order = new int[dims.length];
    int[] inverse = new int[dims.length];
    Arrays.fill(inverse, -1);
    boolean valid = dims.length == x.dim();
    for (int i = 0; valid && i < dims.length; i++) {
      order[i] = x.shape().dim("permute", dims[i]);
      valid = inverse[order[i]] < 0;
      inverse[order[i]] = i;
    }
    if (!valid) {
      throw op.refuse(
          "expected each of %s dimensions once, got %s".formatted(x.dim(), Arrays.toString(dims)));
    }
    return op.record(op.view(x.layout().permute(order)), p -> p.dy().permute(inverse));
  }

  /** The view with two dimensions swapped. */
  static Tensor transpose(Tensor x, int a, int b) {
    Op op = Op.of("transpose", x);
    int i = x.shape().dim("transpose", a);
    int j = x.shape().dim("transpose", b);
    Layout layout = i == j ? x.layout() : x.layout().transpose(i, j);
    return op.record(op.view(layout), p -> p.dy().transpose(i, j));
  }

  /**
   * Every {@code step}-th element from {@code start} up to {@code end} (exclusive) along a
   * dimension, as Python's slices: negative positions count from the end, out of range is cut off.
   *
   * @param start the first, {@code Long.MIN_VALUE} for the beginning
   * @param end one past the last, {@code Long.MAX_VALUE} for the end
   * @param step at least 1
   */
  static Tensor slice(Tensor x, int dim, long start, long end, long step) {
    Op op = Op.of("slice", x);
    int d = x.shape().dim("slice", dim);
    if (x.dim() == 0 || step < 1) {
      throw op.refuse(
          "expected a tensor with dimensions and a step of 1 or more, got rank %s and step %s"
              .formatted(x.dim(), step));
    }
    long size = x.shape().size(d);
    long from = clip(start, size);
    long to = Math.max(from, clip(end, size));
    long length = Math.ceilDiv(to - from, step);
    return part(op, x, layout -> layout.slice(d, from, length, step));
  }

  private static long clip(long position, long size) {
    long p = position < 0 ? Math.max(position, -size - 1) + size : position;
    return Math.clamp(p, 0, size);
  }

  /**
   * The {@code length} elements from {@code start} along a dimension; a negative start counts from
   * the end.
   *
   * @throws ShapeException if they are not all inside
   */
  static Tensor narrow(Tensor x, int dim, long start, long length) {
    Op op = Op.of("narrow", x);
    int d = x.shape().dim("narrow", dim);
    long size = x.dim() == 0 ? 0 : x.shape().size(d);
    long from = start < 0 ? start + size : start;
    if (x.dim() == 0 || from < 0 || length < 0 || length > size - from) {
      throw op.refuse(
          "expected a range inside 0 to %s along dimension %s, got start %s and length %s"
              .formatted(size, d, start, length));
    }
    return part(op, x, layout -> layout.slice(d, from, length, 1));
  }

  /** The elements at one index along a dimension, which goes. */
  static Tensor select(Tensor x, int dim, long index) {
    Op op = Op.of("select", x);
    int d = x.shape().dim("select", dim);
    long size = x.dim() == 0 ? 0 : x.shape().size(d);
    long at = index < 0 ? index + size : index;
    if (at < 0 || at >= size) {
      throw op.refuse(
          "index out of range along dimension %s, expected %s to %s, got %s"
              .formatted(d, -size, size - 1, index));
    }
    return part(op, x, layout -> layout.slice(d, at, 1, 1).squeeze(d));
  }

  /**
   * The diagonal of two dimensions, as the last dimension in place of both: y[..., i] = x at i in
   * {@code a} and i + offset in {@code b}, or at i - offset in {@code a} and i in {@code b} if the
   * offset is negative.
   */
  static Tensor diagonal(Tensor x, long offset, int a, int b) {
    Op op = Op.of("diagonal", x);
    int i = x.shape().dim("diagonal", a);
    int j = x.shape().dim("diagonal", b);
    if (x.dim() < 2 || i == j) {
      throw op.refuse("expected two different dimensions, got %s and %s".formatted(a, b));
    }
    long down = Math.max(0, -offset);
    long across = Math.max(0, offset);
    long length = Math.max(0, Math.min(x.size(i) - down, x.size(j) - across));
    return part(op, x, whole -> diagonal(whole, i, down, j, across, length));
  }

  private static Layout diagonal(Layout whole, int a, long down, int b, long across, long length) {
    int last = whole.shape().rank() - 1;
    Layout inside =
        length == 0 ? whole : whole.slice(a, down, length, 1).slice(b, across, length, 1);
    Shape rest = whole.shape().remove(Math.max(a, b)).remove(Math.min(a, b));
    long[] strides = new long[last];
    int to = 0;
    for (int d = 0; d <= last; d++) {
      if (d != a && d != b) {
        strides[to++] = whole.stride(d);
      }
    }
    strides[to] = whole.stride(a) + whole.stride(b);
    return Layout.of(rest.insert(to, length), strides, inside.offset());
  }

  /** A part of the whole, given by what it does to the whole's layout. */
  private interface Cut {
    Layout of(Layout whole);
  }

  private static Tensor part(Op op, Tensor x, Cut cut) {
    Region place = new Part(cut);
    return op.record(op.view(cut.of(x.layout())), Rule.placed(p -> place, p -> p.dy()));
  }

  private record Part(Cut cut) implements Region {
    @Override
    public void add(Tensor whole, Tensor value) {
      try (Scope _ = Scope.internal()) {
        InPlace.add(Tensor.alias(whole.storage(), cut.of(whole.layout()), null), value);
      }
    }

    @Override
    public Tensor take(Tensor whole) {
      return part(Op.of("part", whole), whole, cut);
    }
  }

  /**
   * Broadcast to larger sizes without a copy: sizes of 1 repeat, new dimensions come first, -1
   * keeps a size. dx = the sum of dy over what was repeated.
   */
  static Tensor expand(Tensor x, long... sizes) {
    Op op = Op.of("expand", x);
    long[] target = sizes.clone();
    int lead = target.length - x.dim();
    for (int d = Math.max(lead, 0); d < target.length; d++) {
      target[d] = target[d] == -1 ? x.shape().size(d - lead) : target[d];
    }
    if (lead < 0 || Arrays.stream(target).anyMatch(s -> s < 0)) {
      throw op.refuse(
          "expected sizes for all dimensions, -1 only for existing ones, got "
              + Arrays.toString(sizes));
    }
    Shape shape = Shape.of(target);
    if (!x.shape().broadcastsTo(shape)) {
      throw op.refuse("expected sizes that the shape broadcasts to, got " + Arrays.toString(sizes));
    }
    return op.record(op.view(x.layout().expand(shape)), p -> p.dy());
  }

  /** A dimension of size 1 inserted before {@code dim}. */
  static Tensor unsqueeze(Tensor x, int dim) {
    Op op = Op.of("unsqueeze", x);
    int rank = x.dim() + 1;
    if (dim < -rank || dim >= rank) {
      throw op.refuse(
          "dimension out of range, expected %s to %s, got %s".formatted(-rank, rank - 1, dim));
    }
    long[] back = x.shape().toArray();
    return op.record(
        op.view(x.layout().unsqueeze(dim < 0 ? dim + rank : dim)), p -> p.dy().reshape(back));
  }

  /**
   * Without dimensions of size 1.
   *
   * @param dims which to drop; those of another size stay. Null drops every one of size 1
   */
  static Tensor squeeze(Tensor x, int @Nullable ... dims) {
    Op op = Op.of("squeeze", x);
    boolean[] drop = new boolean[x.dim()];
    if (dims == null) {
      Arrays.fill(drop, true);
    } else {
      for (int d : dims) {
        int dim = x.shape().dim("squeeze", d);
        if (x.dim() > 0) {
          drop[dim] = true;
        }
      }
    }
    Layout layout = x.layout();
    for (int d = x.dim() - 1; d >= 0; d--) {
      if (drop[d] && x.shape().size(d) == 1) {
        layout = layout.squeeze(d);
      }
    }
    long[] back = x.shape().toArray();
    return op.record(op.view(layout), p -> p.dy().reshape(back));
  }

  /**
   * The dimensions {@code start} to {@code end}, both included, as one. A 0-d tensor becomes a
   * vector of one element.
   */
  static Tensor flatten(Tensor x, int start, int end) {
    Op op = Op.of("flatten", x);
    int from = x.shape().dim("flatten", start);
    int to = x.shape().dim("flatten", end);
    if (from > to) {
      throw op.refuse(
          "expected a first dimension not after the last, got %s and %s".formatted(start, end));
    }
    if (x.dim() == 0) {
      return reshape(x, 1);
    }
    Shape inside = x.shape().slice(from, to + 1);
    Shape before = x.shape().slice(0, from);
    Shape after = x.shape().slice(to + 1, x.dim());
    return reshape(x, before.append(Shape.of(inside.numel())).append(after).toArray());
  }
}

package dev.downhill.shape;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where the elements of a view lie in its buffer: element (i0, i1, ...) is at {@code offset + i0 *
 * stride0 + i1 * stride1 + ...}, counted in elements. A stride of 0 repeats one element (an
 * expanded dimension). Strides are never negative. Immutable.
 */
public final class Layout {
  private final Shape shape;
  private final long[] strides;
  private final long offset;

  private Layout(Shape shape, long[] strides, long offset) {
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
  }

  /** Row-major from the start of the buffer. */
  public static Layout contiguous(Shape shape) {
    return new Layout(shape, rowMajor(shape), 0);
  }

  /**
   * A layout with explicit strides.
   *
   * @throws ShapeException if the number of strides differs from the rank, or one is negative
   */
  public static Layout of(Shape shape, long[] strides, long offset) {
    if (strides.length != shape.rank()
        || offset < 0
        || Arrays.stream(strides).anyMatch(s -> s < 0)) {
      throw new ShapeException(
          "layout: expected %s strides and an offset, none negative, got strides %s and offset %s (shape %s)"
              .formatted(shape.rank(), Arrays.toString(strides), offset, shape));
    }
    return new Layout(shape, strides.clone(), offset);
  }

  private static long[] rowMajor(Shape shape) {
    long[] strides = new long[shape.rank()];
    long step = 1;
    for (int d = shape.rank() - 1; d >= 0; d--) {
      strides[d] = step;
      step *= Math.max(1, shape.size(d));
    }
    return strides;
  }

  /** The sizes. */
  public Shape shape() {
    return shape;
  }

  /** The distance between neighbours along {@code dim}, in elements. */
  public long stride(int dim) {
    return strides[dim];
  }

  /** The position of the first element, in elements. */
  public long offset() {
    return offset;
  }

  /** Whether the elements lie in row-major order without gaps, wherever they start. */
  public boolean isContiguous() {
    long step = 1;
    for (int d = shape.rank() - 1; d >= 0; d--) {
      if (shape.size(d) != 1) {
        if (strides[d] != step) {
          return shape.numel() == 0;
        }
        step *= shape.size(d);
      }
    }
    return true;
  }

  /** One past the last element that the view can reach; 0 for an empty view. */
  public long reach() {
    if (shape.numel() == 0) {
      return 0;
    }
    long last = offset;
    for (int d = 0; d < shape.rank(); d++) {
      last += (shape.size(d) - 1) * strides[d];
    }
    return last + 1;
  }

  /**
   * Whether two index tuples may name the same element, so that writing through this view is
   * ambiguous. Exact for layouts made by the methods of this class, conservative for others.
   */
  public boolean overlaps() {
    if (shape.numel() == 0) {
      return false;
    }
    int rank = shape.rank();
    Integer[] order = new Integer[rank];
    Arrays.setAll(order, d -> d);
    Arrays.sort(order, (a, b) -> Long.compare(strides[a], strides[b]));
    long reach = 0;
    for (int d : order) {
      if (shape.size(d) > 1) {
        if (strides[d] <= reach) {
          return true;
        }
        reach += (shape.size(d) - 1) * strides[d];
      }
    }
    return false;
  }

  /** The view whose dimension {@code i} is dimension {@code dims[i]} of this one. */
  public Layout permute(int... dims) {
    long[] sizes = new long[dims.length];
    long[] s = new long[dims.length];
    for (int i = 0; i < dims.length; i++) {
      sizes[i] = shape.size(dims[i]);
      s[i] = strides[dims[i]];
    }
    return new Layout(Shape.of(sizes), s, offset);
  }

  /** The view with two dimensions swapped. */
  public Layout transpose(int a, int b) {
    int[] dims = new int[shape.rank()];
    Arrays.setAll(dims, d -> d == a ? b : d == b ? a : d);
    return permute(dims);
  }

  /**
   * Every {@code step}-th of the elements from {@code start} along {@code dim}, {@code length} of
   * them.
   */
  public Layout slice(int dim, long start, long length, long step) {
    long[] s = strides.clone();
    s[dim] = strides[dim] * step;
    long first = length == 0 ? offset : offset + start * strides[dim];
    return new Layout(shape.with(dim, length), s, first);
  }

  /** The view broadcast to {@code target}, to which {@link #shape} must broadcast. */
  public Layout expand(Shape target) {
    long[] s = new long[target.rank()];
    int lead = target.rank() - shape.rank();
    for (int d = 0; d < shape.rank(); d++) {
      s[lead + d] = shape.size(d) == 1 && target.size(lead + d) != 1 ? 0 : strides[d];
    }
    return new Layout(target, s, offset);
  }

  /** The view with a dimension of size 1 inserted before {@code dim}. */
  public Layout unsqueeze(int dim) {
    long[] s = new long[shape.rank() + 1];
    System.arraycopy(strides, 0, s, 0, dim);
    s[dim] = dim < shape.rank() ? strides[dim] * shape.size(dim) : 1;
    System.arraycopy(strides, dim, s, dim + 1, shape.rank() - dim);
    return new Layout(shape.insert(dim, 1), s, offset);
  }

  /** The view without dimension {@code dim}, keeping its first index: for sizes of 1. */
  public Layout squeeze(int dim) {
    long[] s = new long[shape.rank() - 1];
    System.arraycopy(strides, 0, s, 0, dim);
    System.arraycopy(strides, dim + 1, s, dim, s.length - dim);
    return new Layout(shape.remove(dim), s, offset);
  }

  /**
   * The same elements in the same order under another shape, or null if that needs a copy.
   *
   * @param target a shape with the same number of elements
   */
  public @Nullable Layout reshape(Shape target) {
    if (isContiguous()) {
      return new Layout(target, rowMajor(target), offset);
    }
    long[] s = new long[target.rank()];
    int from = 0;
    int to = 0;
    // Match groups of old and new dimensions with equal products; inside a group of old dimensions
    // the elements must be evenly spaced.
    while (from < shape.rank() || to < target.rank()) {
      int fromStart = from;
      int toStart = to;
      long old = from < shape.rank() ? shape.size(from++) : 1;
      long now = to < target.rank() ? target.size(to++) : 1;
      while (old != now) {
        if (old < now) {
          old *= shape.size(from++);
        } else {
          now *= target.size(to++);
        }
      }
      long step = 0;
      long expected = -1;
      for (int d = from - 1; d >= fromStart; d--) {
        if (shape.size(d) == 1) {
          continue;
        }
        if (expected < 0) {
          step = strides[d];
        } else if (strides[d] != expected) {
          return null;
        }
        expected = strides[d] * shape.size(d);
      }
      for (int d = to - 1; d >= toStart; d--) {
        s[d] = step;
        step *= target.size(d);
      }
    }
    return new Layout(target, s, offset);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Layout l
        && offset == l.offset
        && shape.equals(l.shape)
        && Arrays.equals(strides, l.strides);
  }

  @Override
  public int hashCode() {
    return (shape.hashCode() * 31 + Arrays.hashCode(strides)) * 31 + Long.hashCode(offset);
  }

  /** Shape, strides and offset, {@code (2, 3) strides [3, 1] offset 0}. */
  @Override
  public String toString() {
    return shape + " strides " + Arrays.toString(strides) + " offset " + offset;
  }
}

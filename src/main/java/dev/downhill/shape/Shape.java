package dev.downhill.shape;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * The sizes of a tensor, outermost dimension first. Immutable. A shape of rank 0 has one element; a
 * shape with a size of 0 has none.
 */
public final class Shape {
  /** The most dimensions a tensor can have. */
  public static final int MAX_RANK = 8;

  /** The shape of a single number: rank 0, one element. */
  public static final Shape SCALAR = new Shape(new long[0]);

  private final long[] sizes;
  private final long numel;

  private Shape(long[] sizes) {
    this.sizes = sizes;
    long n = 1;
    boolean empty = false;
    for (long size : sizes) {
      if (size < 0) {
        throw new ShapeException("shape: sizes must not be negative, got " + text(sizes));
      }
      empty |= size == 0;
    }
    if (!empty) {
      try {
        for (long size : sizes) {
          n = Math.multiplyExact(n, size);
        }
      } catch (ArithmeticException e) {
        throw new ShapeException("shape: more than 2^63 - 1 elements in " + text(sizes));
      }
    }
    this.numel = empty ? 0 : n;
    if (sizes.length > MAX_RANK) {
      throw new ShapeException(
          "shape: expected at most %s dimensions, got %s %s"
              .formatted(MAX_RANK, sizes.length, text(sizes)));
    }
  }

  /**
   * A shape with these sizes.
   *
   * @param sizes one size per dimension, none negative
   * @throws ShapeException for a negative size, more than {@link #MAX_RANK} dimensions, or more
   *     than 2^63 - 1 elements
   */
  public static Shape of(long... sizes) {
    return sizes.length == 0 ? SCALAR : new Shape(sizes.clone());
  }

  /** The number of dimensions. */
  public int rank() {
    return sizes.length;
  }

  /** The size of dimension {@code dim}, counted from 0. */
  public long size(int dim) {
    return sizes[dim];
  }

  /** The number of elements. */
  public long numel() {
    return numel;
  }

  /** The sizes as a new array. */
  public long[] toArray() {
    return sizes.clone();
  }

  /**
   * Resolves a dimension that may count from the end ({@code -1} is the last). A shape of rank 0
   * accepts 0 and -1, as PyTorch does.
   *
   * @throws ShapeException if {@code dim} is out of range; the message starts with {@code op}
   */
  public int dim(String op, int dim) {
    int rank = Math.max(1, sizes.length);
    if (dim < -rank || dim >= rank) {
      throw new ShapeException(
          "%s: dimension out of range, expected %s to %s, got %s (shape %s)"
              .formatted(op, -rank, rank - 1, dim, this));
    }
    return dim < 0 ? dim + rank : dim;
  }

  /** This shape with the size of dimension {@code dim} replaced. */
  public Shape with(int dim, long size) {
    long[] s = sizes.clone();
    s[dim] = size;
    return new Shape(s);
  }

  /** This shape with a new dimension of the given size before dimension {@code dim}. */
  public Shape insert(int dim, long size) {
    long[] s = new long[sizes.length + 1];
    System.arraycopy(sizes, 0, s, 0, dim);
    s[dim] = size;
    System.arraycopy(sizes, dim, s, dim + 1, sizes.length - dim);
    return new Shape(s);
  }

  /** This shape without dimension {@code dim}. */
  public Shape remove(int dim) {
    long[] s = new long[sizes.length - 1];
    System.arraycopy(sizes, 0, s, 0, dim);
    System.arraycopy(sizes, dim + 1, s, dim, sizes.length - dim - 1);
    return of(s);
  }

  /** The dimensions {@code from} (inclusive) to {@code to} (exclusive) as a shape. */
  public Shape slice(int from, int to) {
    return of(Arrays.copyOfRange(sizes, from, to));
  }

  /** This shape followed by {@code other}. */
  public Shape append(Shape other) {
    long[] s = Arrays.copyOf(sizes, sizes.length + other.sizes.length);
    System.arraycopy(other.sizes, 0, s, sizes.length, other.sizes.length);
    return of(s);
  }

  /**
   * The common shape of two operands: aligned at the right, sizes must be equal or one of them 1 or
   * missing. A size of 1 may broadcast to 0.
   *
   * @throws ShapeException naming {@code op}, both shapes and the dimension that does not fit
   */
  public static Shape broadcast(String op, Shape a, Shape b) {
    if (a.equals(b)) {
      return a;
    }
    int rank = Math.max(a.rank(), b.rank());
    long[] out = new long[rank];
    for (int i = 1; i <= rank; i++) {
      long x = i > a.rank() ? 1 : a.sizes[a.rank() - i];
      long y = i > b.rank() ? 1 : b.sizes[b.rank() - i];
      if (x != y && x != 1 && y != 1) {
        throw new ShapeException(
            "%s: shapes do not broadcast, expected equal sizes or 1 in dimension %s, got %s and %s (shapes %s and %s)"
                .formatted(op, -i, x, y, a, b));
      }
      out[rank - i] = x == 1 ? y : x;
    }
    return of(out);
  }

  /** Whether two shapes have a common one; see {@link #broadcast}. */
  public static boolean broadcasts(Shape a, Shape b) {
    for (int i = 1; i <= Math.min(a.rank(), b.rank()); i++) {
      long x = a.sizes[a.rank() - i];
      long y = b.sizes[b.rank() - i];
      if (x != y && x != 1 && y != 1) {
        return false;
      }
    }
    return true;
  }

  /** Whether a tensor of this shape can be expanded to {@code target} by broadcasting. */
  public boolean broadcastsTo(Shape target) {
    if (rank() > target.rank()) {
      return false;
    }
    for (int i = 1; i <= rank(); i++) {
      long size = sizes[rank() - i];
      if (size != 1 && size != target.sizes[target.rank() - i]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape s && Arrays.equals(sizes, s.sizes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sizes);
  }

  /** The sizes in parentheses, {@code (2, 3)}; rank 0 is {@code ()}. */
  @Override
  public String toString() {
    return text(sizes);
  }

  private static String text(long[] sizes) {
    return Arrays.stream(sizes)
        .mapToObj(Long::toString)
        .collect(Collectors.joining(", ", "(", ")"));
  }
}

package dev.downhill.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The starts of lines in several views: {@code Lines<K>} of kernels/lines.cuh. Made of dimensions,
 * of which those of size 1 are dropped and neighbours merged. Reused from call to call.
 */
final class Lines {
  private static final int MAX_RANK = 8;

  private final int views;
  private final boolean sorted;
  private final long[] sizes = new long[MAX_RANK];
  private final long[][] strides;
  private int rank;

  /**
   * No dimensions.
   *
   * @param views K, how many views have these lines
   * @param sorted whether dimensions may change places: then those with the nearest neighbours in
   *     the first view come last, and those that repeat an element come first
   */
  Lines(int views, boolean sorted) {
    this.views = views;
    this.sorted = sorted;
    this.strides = new long[views][MAX_RANK];
  }

  /** Starts anew, with a single line. */
  Lines clear() {
    rank = 0;
    return this;
  }

  // One method per number of views, so that no array is allocated.

  /** Adds a dimension behind the others. */
  void add(long size, long stride) {
    int d = open(size, stride);
    if (d >= 0) {
      strides[0][d] = stride;
    }
  }

  /** Adds a dimension behind the others. */
  void add(long size, long stride0, long stride1) {
    int d = open(size, stride0);
    if (d >= 0) {
      strides[0][d] = stride0;
      strides[1][d] = stride1;
    }
  }

  /** Adds a dimension behind the others; strides beyond the number of views do not matter. */
  void add(long size, long stride0, long stride1, long stride2, long stride3, long stride4) {
    int d = open(size, stride0);
    for (int v = 0; d >= 0 && v < views; v++) {
      strides[v][d] =
          switch (v) {
            case 0 -> stride0;
            case 1 -> stride1;
            case 2 -> stride2;
            case 3 -> stride3;
            default -> stride4;
          };
    }
  }

  /** Makes room for a dimension and returns its place, negative for none. */
  private int open(long size, long stride) {
    if (size == 1) {
      return -1;
    }
    int d = rank++;
    while (sorted && d > 0 && before(stride, strides[0][d - 1])) {
      sizes[d] = sizes[d - 1];
      move(d - 1, d);
      d--;
    }
    sizes[d] = size;
    return d;
  }

  private static boolean before(long stride, long other) {
    return other != 0 && (stride == 0 || stride > other);
  }

  private void move(int from, int to) {
    for (long[] s : strides) {
      s[to] = s[from];
    }
  }

  /** Merges neighbours that all views step through evenly. */
  Lines merge() {
    int to = 0;
    for (int d = 0; d < rank; d++) {
      boolean even = to > 0 && isEven(to - 1, d);
      sizes[even ? to - 1 : to] = even ? sizes[to - 1] * sizes[d] : sizes[d];
      to = even ? to : to + 1;
      move(d, to - 1);
    }
    rank = to;
    return this;
  }

  private boolean isEven(int outer, int inner) {
    for (long[] s : strides) {
      if (s[outer] != s[inner] * sizes[inner]) {
        return false;
      }
    }
    return true;
  }

  /** How many lines there are. */
  long count() {
    long count = 1;
    for (int d = 0; d < rank; d++) {
      count *= sizes[d];
    }
    return count;
  }

  /** How many dimensions there are. */
  int rank() {
    return rank;
  }

  /** The size of a dimension. */
  long size(int d) {
    return sizes[d];
  }

  /** The stride of a dimension in a view. */
  long stride(int view, int d) {
    return strides[view][d];
  }

  /** Whether the first view's neighbours along the last dimension are neighbours in memory. */
  boolean isDense() {
    return rank > 0 && strides[0][rank - 1] == 1;
  }

  /** Takes the last dimension away. */
  void dropLast() {
    rank--;
  }

  /** Whether all lines of a view start at a multiple of {@code n} elements, if the first does. */
  boolean isAligned(int view, long n) {
    for (int d = 0; d < rank; d++) {
      if (strides[view][d] % n != 0) {
        return false;
      }
    }
    return true;
  }

  /** Writes the struct. */
  void write(MemorySegment to) {
    to.set(ValueLayout.JAVA_LONG, 0, count());
    // A single line is a dimension of size 1.
    to.set(ValueLayout.JAVA_INT, 8, Math.max(1, rank));
    for (int d = 0; d < Math.max(1, rank); d++) {
      to.set(ValueLayout.JAVA_LONG, 16 + 8L * d, rank == 0 ? 1 : sizes[d]);
      for (int v = 0; v < views; v++) {
        long at = 16 + 8L * (MAX_RANK * (1 + v) + d);
        to.set(ValueLayout.JAVA_LONG, at, rank == 0 ? 0 : strides[v][d]);
      }
    }
  }
}

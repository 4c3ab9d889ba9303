package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;

/**
 * Which elements of x make which element of y. Dimensions are those kept and those reduced; the
 * kept ones may be gone through in any order, so the one with the nearest neighbours in x comes
 * last; the reduced ones keep theirs. Neighbours are merged where the strides allow it.
 */
final class Reduction {
  private final MemorySegment x;
  private final int bytes;
  private final long start;
  private final long yStart;
  private final int yBytes;
  private final long[] keptSizes = new long[Shape.MAX_RANK + 1];
  private final long[] keptStrides = new long[Shape.MAX_RANK + 1];
  private final long[] yStrides = new long[Shape.MAX_RANK + 1];
  private final long[] sizes = new long[Shape.MAX_RANK + 1];
  private final long[] strides = new long[Shape.MAX_RANK + 1];

  /** The number of the last dimension; 0 is one of size 1 in front of all. */
  private int lastKept;

  private int last;

  Reduction(View x, View y) {
    this.x = CpuBuffer.segment(x);
    bytes = x.dtype().bytes();
    yBytes = y.dtype().bytes();
    start = x.layout().offset() * bytes;
    yStart = y.layout().offset() * yBytes;
    keptSizes[0] = 1;
    sizes[0] = 1;
    for (int d = 0; d < x.shape().rank(); d++) {
      long size = x.shape().size(d);
      long stride = x.layout().stride(d) * bytes;
      if (size == 1) {
        continue;
      }
      if (y.shape().size(d) == 1) {
        addReduced(size, stride);
      } else {
        addKept(size, stride, y.layout().stride(d) * yBytes);
      }
    }
    mergeKept();
  }

  private void addReduced(long size, long stride) {
    if (last > 0 && strides[last] == stride * size) {
      sizes[last] *= size;
      strides[last] = stride;
    } else {
      last++;
      sizes[last] = size;
      strides[last] = stride;
    }
  }

  /** Inserts a dimension so that strides fall; equal ones stay in order. */
  private void addKept(long size, long stride, long yStride) {
    int at = ++lastKept;
    for (; at > 1 && keptStrides[at - 1] < stride; at--) {
      keptSizes[at] = keptSizes[at - 1];
      keptStrides[at] = keptStrides[at - 1];
      yStrides[at] = yStrides[at - 1];
    }
    keptSizes[at] = size;
    keptStrides[at] = stride;
    yStrides[at] = yStride;
  }

  private void mergeKept() {
    int to = 0;
    for (int d = 1; d <= lastKept; d++) {
      boolean merge =
          to > 0
              && keptStrides[to] == keptStrides[d] * keptSizes[d]
              && yStrides[to] == yStrides[d] * keptSizes[d];
      long size = merge ? keptSizes[to] * keptSizes[d] : keptSizes[d];
      to = merge ? to : to + 1;
      keptSizes[to] = size;
      keptStrides[to] = keptStrides[d];
      yStrides[to] = yStrides[d];
    }
    lastKept = to;
  }

  MemorySegment x() {
    return x;
  }

  /** The size of an element of x. */
  int bytes() {
    return bytes;
  }

  /** How many elements make one of y. */
  long length() {
    return product(sizes, last);
  }

  /** How many elements y has. */
  long kept() {
    return product(keptSizes, lastKept);
  }

  /** How many neighbours in x belong to neighbouring results; 1 if elements of one result do so. */
  long columns() {
    boolean rows = strides[last] == bytes;
    return !rows && keptStrides[lastKept] == bytes ? keptSizes[lastKept] : 1;
  }

  private static long product(long[] sizes, int last) {
    long product = 1;
    for (int d = 1; d <= last; d++) {
      product *= sizes[d];
    }
    return product;
  }

  /** Where in x the first element of result {@code index} is, in bytes. */
  long from(long index) {
    return start + position(keptSizes, keptStrides, lastKept, index);
  }

  /** Where in x the first elements of {@code n} results are, from result {@code first} on. */
  void from(long first, int n, long[] positions) {
    positions(start, keptSizes, keptStrides, lastKept, first, n, positions);
  }

  /** Where in y {@code n} results are, from result {@code first} on, in bytes. */
  void to(long first, int n, long[] positions) {
    positions(yStart, keptSizes, yStrides, lastKept, first, n, positions);
  }

  private static long position(long[] sizes, long[] strides, int last, long index) {
    long position = 0;
    for (int d = last; d > 0 && index > 0; d--) {
      position += index % sizes[d] * strides[d];
      index /= sizes[d];
    }
    return position;
  }

  /** Whether the elements of a result are neighbours. */
  boolean isDense() {
    return last == 0 || (last == 1 && strides[1] == bytes);
  }

  /** The positions of {@code n} elements of a result, from element {@code first} on. */
  void positions(long from, long first, int n, long[] positions) {
    positions(from, sizes, strides, last, first, n, positions);
  }

  private static void positions(
      long start, long[] sizes, long[] strides, int last, long first, int n, long[] positions) {
    for (int i = 0; i < n; ) {
      long at = start + position(sizes, strides, last, first + i);
      int end = i + (int) Math.min(n - i, sizes[last] - (first + i) % sizes[last]);
      for (; i < end; i++) {
        positions[i] = at;
        at += strides[last];
      }
    }
  }

  /** Copies {@code n} elements of a result side by side. */
  void gather(long from, long first, int n, MemorySegment target, long targetAt) {
    for (int i = 0; i < n; ) {
      long at = from + position(sizes, strides, last, first + i);
      int run = (int) Math.min(n - i, sizes[last] - (first + i) % sizes[last]);
      AnyType.copy(x, at, strides[last], target, targetAt + (long) i * bytes, bytes, run, bytes);
      i += run;
    }
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;

/**
 * The index tuples p of a gather or scatter in row-major order, each with two places: that of p in
 * one view, and that of p with p[dim] replaced by index[p] in another. Trailing dimensions over
 * which the index repeats itself become one run, visited at once. Places are counted in elements.
 */
final class IndexWalk {
  /** What is done at neighbouring p. */
  interface Visitor {
    /**
     * Is told of some runs.
     *
     * @param direct where the first of {@code n} runs starts, the others {@code step} apart
     * @param indexed where each of them starts in the other view
     */
    void at(long direct, long step, long[] indexed, int n);
  }

  private final MemorySegment index;
  private final long indexStart;
  private final long directStart;
  private final long indexedStart;
  private final long[] sizes = new long[Shape.MAX_RANK + 1];
  private final long[] indexStrides = new long[Shape.MAX_RANK + 1];
  private final long[] directStrides = new long[Shape.MAX_RANK + 1];
  private final long[] indexedStrides = new long[Shape.MAX_RANK + 1];
  private final long dimStride;

  /** The number of the last dimension; 0 is one of size 1 in front of all. */
  private int last;

  private long before = 1;
  private long run = 1;
  private long directRunStride;
  private long indexedRunStride;

  /**
   * @param direct the view whose shape p runs through, that of the index
   * @param indexed the view that the index points into
   */
  IndexWalk(View direct, View indexed, int dim, View index) {
    Shape shape = direct.shape();
    this.index = CpuBuffer.segment(index);
    indexStart = index.layout().offset();
    directStart = direct.layout().offset();
    indexedStart = indexed.layout().offset();
    sizes[0] = 1;
    int rank = shape.rank();
    dimStride = rank == 0 ? 1 : indexed.layout().stride(dim);
    while (rank - 1 > dim && joinsRun(direct, indexed, index, rank - 1)) {
      rank--;
    }
    for (int d = 0; d < rank; d++) {
      if (shape.size(d) == 1) {
        continue;
      }
      last++;
      sizes[last] = shape.size(d);
      indexStrides[last] = index.layout().stride(d);
      directStrides[last] = direct.layout().stride(d);
      indexedStrides[last] = d == dim ? 0 : indexed.layout().stride(d);
      before *= d < dim ? shape.size(d) : 1;
    }
  }

  private boolean joinsRun(View direct, View indexed, View index, int d) {
    long size = direct.shape().size(d);
    long directStride = direct.layout().stride(d);
    long indexedStride = indexed.layout().stride(d);
    if (size == 1) {
      return true;
    }
    if (index.layout().stride(d) != 0) {
      return false;
    }
    if (run == 1) {
      directRunStride = directStride;
      indexedRunStride = indexedStride;
    } else if (directStride != directRunStride * run || indexedStride != indexedRunStride * run) {
      return false;
    }
    run *= size;
    return true;
  }

  /** How many runs there are. */
  long count() {
    long count = 1;
    for (int d = 1; d <= last; d++) {
      count *= sizes[d];
    }
    return count;
  }

  /** The number of index tuples over the dimensions before {@code dim}. */
  long before() {
    return before;
  }

  /** The elements of a run. */
  long run() {
    return run;
  }

  long directRunStride() {
    return directRunStride;
  }

  long indexedRunStride() {
    return indexedRunStride;
  }

  /**
   * Visits the runs {@code from} (inclusive) to {@code to} (exclusive).
   *
   * @param places room for the places of the runs of one visit
   */
  void forEach(long from, long to, long[] places, Visitor visitor) {
    MemorySegment indices = Scalars.offHeap(index);
    for (long p = from; p < to; ) {
      int n = (int) Math.min(Math.min(sizes[last] - p % sizes[last], to - p), places.length);
      long i = indexStart + position(indexStrides, p);
      long direct = directStart + position(directStrides, p);
      long indexed = indexedStart + position(indexedStrides, p);
      for (int k = 0; k < n; k++) {
        long at = Scalars.loadI64(indices, (i + k * indexStrides[last]) * Long.BYTES);
        places[k] = indexed + k * indexedStrides[last] + at * dimStride;
      }
      visitor.at(direct, directStrides[last], places, n);
      p += n;
    }
  }

  private long position(long[] strides, long p) {
    long position = 0;
    for (int d = last; d > 0; d--) {
      position += p % sizes[d] * strides[d];
      p /= sizes[d];
    }
    return position;
  }
}

package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The index tuples of a gather or scatter: {@code IndexWalk} of kernels/index.cuh. Trailing
 * dimensions over which the index repeats itself become one run; the others are merged where all
 * views step through them evenly. Reused from call to call.
 */
final class IndexWalk {
  private static final int PACK_BYTES = 16;
  private static final long LARGE_AT = 1L << 31;

  // Where the arrays of the struct start, and what one takes
  private static final long ARRAYS = 64;
  private static final long ARRAY = (long) Long.BYTES * Shape.MAX_RANK;

  // What there is of each dimension
  private static final int SIZE = 0;
  private static final int INDEX = 1;
  private static final int DIRECT = 2;
  private static final int INDEXED = 3;
  private static final int POSITION = 4;
  private static final int COLUMNS = 5;

  // Of the dimensions before the run, `filled` have been looked at and merged so far
  private final long[][] dims = new long[COLUMNS][Shape.MAX_RANK];
  private int rank;
  private int filled;
  private long count;
  private long run;
  private long bound;
  private long step;
  private long directRun;
  private long indexedRun;
  private boolean large;
  private boolean packs;

  /** Tuples in row-major order, and runs in packs of 16 bytes where both views allow it. */
  IndexWalk ordered(View direct, View indexed, int dim, View index) {
    start(direct, indexed, dim, index);
    for (int d = 0; d < rank; d++) {
      add(direct, indexed, dim, index, d);
    }
    finish(direct, indexed, index);
    pack(direct, indexed);
    return this;
  }

  /** Tuples in lists, one for each place before and behind {@code dim}, which comes last. */
  IndexWalk inLists(View direct, View indexed, int dim, View index) {
    start(direct, indexed, dim, index);
    int all = rank;
    for (int d = 0; d < all; d++) {
      if (d != dim) {
        add(direct, indexed, dim, index, d);
      }
    }
    if (all > 0) {
      append(direct, indexed, dim, index, dim);
    }
    finish(direct, indexed, index);
    return this;
  }

  /** Finds the run; {@link #rank} is then the number of dimensions before it. */
  private void start(View direct, View indexed, int dim, View index) {
    rank = direct.shape().rank();
    bound = rank == 0 ? 1 : indexed.shape().size(dim);
    step = rank == 0 ? 1 : indexed.layout().stride(dim);
    run = 1;
    directRun = 1;
    indexedRun = 1;
    packs = false;
    while (rank - 1 > dim && joinsRun(direct.layout(), indexed.layout(), index, rank - 1)) {
      rank--;
    }
    filled = 0;
  }

  private boolean joinsRun(Layout direct, Layout indexed, View index, int d) {
    long size = direct.shape().size(d);
    if (size == 1) {
      return true;
    }
    if (index.layout().stride(d) != 0) {
      return false;
    }
    if (run == 1) {
      directRun = direct.stride(d);
      indexedRun = indexed.stride(d);
    } else if (direct.stride(d) != directRun * run || indexed.stride(d) != indexedRun * run) {
      return false;
    }
    run *= size;
    return true;
  }

  /** Adds a dimension, to the one before where that is possible. */
  private void add(View direct, View indexed, int dim, View index, int d) {
    if (direct.shape().size(d) == 1) {
      return;
    }
    append(direct, indexed, dim, index, d);
    int last = filled - 1;
    if (last == 0) {
      return;
    }
    long size = dims[SIZE][last];
    for (int c = INDEX; c < COLUMNS; c++) {
      if (dims[c][last - 1] != dims[c][last] * size) {
        return;
      }
    }
    dims[SIZE][last - 1] *= size;
    for (int c = INDEX; c < COLUMNS; c++) {
      dims[c][last - 1] = dims[c][last];
    }
    filled--;
  }

  private void append(View direct, View indexed, int dim, View index, int d) {
    Shape shape = index.shape();
    long position = index.layout().stride(d) == 0 ? 0 : 1;
    for (int later = d + 1; later < shape.rank(); later++) {
      position *= shape.size(later);
    }
    dims[SIZE][filled] = shape.size(d);
    dims[INDEX][filled] = index.layout().stride(d);
    dims[DIRECT][filled] = direct.layout().stride(d);
    dims[INDEXED][filled] = d == dim ? 0 : indexed.layout().stride(d);
    dims[POSITION][filled] = shape.size(d) == 1 ? 0 : position;
    filled++;
  }

  private void finish(View direct, View indexed, View index) {
    if (filled == 0) {
      for (long[] column : dims) {
        column[0] = 0;
      }
      dims[SIZE][0] = 1;
      filled = 1;
    }
    rank = filled;
    count = 1;
    for (int d = 0; d < rank; d++) {
      count *= dims[SIZE][d];
    }
    large =
        Walk.FORCE_LARGE
            || count * run >= LARGE_AT
            || direct.layout().reach() >= LARGE_AT
            || indexed.layout().reach() >= LARGE_AT
            || index.layout().reach() >= LARGE_AT;
  }

  private void pack(View direct, View indexed) {
    long pack = PACK_BYTES / direct.dtype().bytes();
    if (run % pack != 0
        || directRun != 1
        || indexedRun != 1
        || step % pack != 0
        || CudaBuffer.address(direct) % PACK_BYTES != 0
        || CudaBuffer.address(indexed) % PACK_BYTES != 0) {
      return;
    }
    for (int d = 0; d < rank; d++) {
      if (dims[DIRECT][d] % pack != 0 || dims[INDEXED][d] % pack != 0) {
        return;
      }
    }
    packs = true;
    run /= pack;
    step /= pack;
    for (int d = 0; d < rank; d++) {
      dims[DIRECT][d] /= pack;
      dims[INDEXED][d] /= pack;
    }
  }

  /** How many tuples there are; each stands for a run. */
  long count() {
    return count;
  }

  /** The elements, or packs, of a run. */
  long run() {
    return run;
  }

  /** How many values an index may have. */
  long bound() {
    return bound;
  }

  /** The size of the last dimension. */
  long length() {
    return dims[SIZE][rank - 1];
  }

  /** Writes the struct. */
  void write(MemorySegment to) {
    to.set(ValueLayout.JAVA_LONG, 0, count);
    to.set(ValueLayout.JAVA_LONG, 8, run);
    to.set(ValueLayout.JAVA_LONG, 16, bound);
    to.set(ValueLayout.JAVA_LONG, 24, step);
    to.set(ValueLayout.JAVA_LONG, 32, directRun);
    to.set(ValueLayout.JAVA_LONG, 40, indexedRun);
    to.set(ValueLayout.JAVA_INT, 48, rank);
    to.set(ValueLayout.JAVA_INT, 52, large ? 1 : 0);
    to.set(ValueLayout.JAVA_INT, 56, packs ? 1 : 0);
    for (int c = 0; c < COLUMNS; c++) {
      for (int d = 0; d < rank; d++) {
        to.set(ValueLayout.JAVA_LONG, ARRAYS + ARRAY * c + (long) Long.BYTES * d, dims[c][d]);
      }
    }
  }
}

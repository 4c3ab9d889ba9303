package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;

/**
 * Runs a kernel over four views of one shape. Dimensions of size 1 are dropped, the others ordered
 * as they lie in the result, and neighbours merged where all strides allow it; the two innermost
 * are the kernel's. One object serves many calls, so that a call allocates nothing.
 */
final class StridedLoop implements IntConsumer {
  /** The fewest elements of a task: less is not worth another thread. */
  private static final long LEAST = 1 << 13;

  /** The most, so that it does not matter which thread has one more. */
  private static final long MOST = 1 << 15;

  /** Rows and columns at a time where the neighbours of an operand lie along the rows. */
  private static final long BAND = 16;

  private static final long BAND_COLS = 128;

  /** A view: its memory, and its start and strides in bytes. */
  static final class Operand {
    MemorySegment segment = MemorySegment.NULL;
    long rowStride;
    long colStride;
    private long start;
    private final long[] strides = new long[Shape.MAX_RANK + 2];

    private void set(View view) {
      segment = CpuBuffer.segment(view);
      start = view.layout().offset() * view.dtype().bytes();
    }
  }

  final Operand x = new Operand();
  final Operand y = new Operand();
  final Operand c = new Operand();
  final Operand z = new Operand();
  double a;
  double b;

  private final Operand[] operands = {x, y, c, z};
  private final long[] sizes = new long[Shape.MAX_RANK + 2];
  private int rank;
  private Kernel kernel = (_, _, _, _, _, _, _) -> {};
  private boolean banded;
  private long rowPiece;
  private long colPiece;
  private long colTasks;

  /** Runs {@code kernel} with z as the result. Operands that a kernel does not use may be any. */
  void run(Workers workers, Kernel kernel, View x, View y, View c, View z, double a, double b) {
    if (z.shape().numel() == 0) {
      return;
    }
    this.kernel = kernel;
    this.a = a;
    this.b = b;
    this.x.set(x);
    this.y.set(y);
    this.c.set(c);
    this.z.set(z);
    collect(x, y, c, z);
    merge();
    banded = turnRows();
    for (Operand o : operands) {
      o.rowStride = o.strides[rank - 2];
      o.colStride = o.strides[rank - 1];
    }
    workers.run(cut(workers.threads()), this);
  }

  /** Gathers the dimensions of size above 1, those with the largest strides in z first. */
  private void collect(View x, View y, View c, View z) {
    // A dimension of size 1 to begin with, for views of rank 0.
    rank = 1;
    sizes[0] = 1;
    for (Operand o : operands) {
      o.strides[0] = 0;
    }
    Layout layout = z.layout();
    for (int d = 0; d < layout.shape().rank(); d++) {
      if (layout.shape().size(d) == 1) {
        continue;
      }
      long stride = layout.stride(d) * z.dtype().bytes();
      int at = rank++;
      for (; at > 1 && this.z.strides[at - 1] < stride; at--) {
        move(at - 1, at);
      }
      sizes[at] = layout.shape().size(d);
      this.x.strides[at] = x.layout().stride(d) * x.dtype().bytes();
      this.y.strides[at] = y.layout().stride(d) * y.dtype().bytes();
      this.c.strides[at] = c.layout().stride(d) * c.dtype().bytes();
      this.z.strides[at] = stride;
    }
  }

  private void merge() {
    int last = 0;
    for (int d = 1; d < rank; d++) {
      if (sizes[last] == 1 || mergeable(last, d)) {
        long size = sizes[last] * sizes[d];
        move(d, last);
        sizes[last] = size;
      } else {
        move(d, ++last);
      }
    }
    rank = last + 1;
    if (rank == 1) {
      move(0, 1);
      sizes[0] = 1;
      rank = 2;
    }
  }

  private boolean mergeable(int outer, int inner) {
    for (Operand o : operands) {
      if (o.strides[outer] != o.strides[inner] * sizes[inner]) {
        return false;
      }
    }
    return true;
  }

  private void move(int from, int to) {
    sizes[to] = sizes[from];
    for (Operand o : operands) {
      o.strides[to] = o.strides[from];
    }
  }

  /**
   * Makes rows of the dimension along which an operand has its neighbours, if it is not the last.
   */
  private boolean turnRows() {
    for (Operand o : operands) {
      int nearest = rank - 1;
      for (int d = rank - 2; d >= 0; d--) {
        if (o.strides[d] != 0 && o.strides[d] < o.strides[nearest]) {
          nearest = d;
        }
      }
      if (nearest != rank - 1) {
        int spare = rank;
        move(rank - 2, spare);
        move(nearest, rank - 2);
        move(spare, nearest);
        return true;
      }
    }
    return false;
  }

  /** Decides on the rows and columns of a task; returns the number of tasks. */
  private int cut(int threads) {
    long cols = sizes[rank - 1];
    long piece = Math.clamp(Math.ceilDiv(rows() * cols, threads), LEAST, MOST);
    colPiece = Math.min(cols, banded ? BAND_COLS : piece);
    rowPiece = Math.max(1, piece / colPiece);
    colTasks = Math.ceilDiv(cols, colPiece);
    return Math.toIntExact(Math.multiplyExact(colTasks, Math.ceilDiv(rows(), rowPiece)));
  }

  private long rows() {
    long rows = 1;
    for (int d = 0; d < rank - 1; d++) {
      rows *= sizes[d];
    }
    return rows;
  }

  /** Runs one task. */
  @Override
  public void accept(int task) {
    long col = task % colTasks * colPiece;
    long cols = Math.min(colPiece, sizes[rank - 1] - col);
    long row = task / colTasks * rowPiece;
    long end = Math.min(row + rowPiece, rows());
    while (row < end) {
      long rows = Math.min(sizes[rank - 2] - row % sizes[rank - 2], end - row);
      long xi = at(x, row, col);
      long yi = at(y, row, col);
      long ci = at(c, row, col);
      long zi = at(z, row, col);
      // A band of few rows reads each cache line while it is near.
      long band = banded ? BAND : rows;
      for (long r = 0; r < rows; r += band) {
        kernel.run(
            this,
            xi + r * x.rowStride,
            yi + r * y.rowStride,
            ci + r * c.rowStride,
            zi + r * z.rowStride,
            Math.min(band, rows - r),
            cols);
      }
      row += rows;
    }
  }

  /** Where in an operand the element is; rows are counted through all dimensions but the last. */
  private long at(Operand o, long row, long col) {
    long at = o.start + col * o.colStride;
    for (int d = rank - 2; d >= 0; d--) {
      at += row % sizes[d] * o.strides[d];
      row /= sizes[d];
    }
    return at;
  }
}

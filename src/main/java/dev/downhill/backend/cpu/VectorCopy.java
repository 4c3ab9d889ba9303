package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Copies of rectangles by vectors; positions, strides and lengths of rows are counted in bytes.
 * Vectors of {@code f32} copy {@code f64} as well: bits are kept.
 */
final class VectorCopy {
  private static final int BYTES = Lanes.SPECIES.vectorByteSize();

  private VectorCopy() {}

  /** Makes the last vector of each row 0 where {@code used} bytes leave a part of it over. */
  static void clear(MemorySegment to, long at, long used, long row, int rows) {
    if (used == row) {
      return;
    }
    MemorySegment y = Scalars.offHeap(to);
    FloatVector zero = FloatVector.zero(Lanes.SPECIES);
    for (int r = 0; r < rows; r++) {
      Lanes.store(zero, y, at + (r + 1) * row - BYTES);
    }
  }

  /** Copies rows; going down one vector of columns costs less than a bulk copy of each row. */
  static void rows(
      MemorySegment from,
      long at,
      long stride,
      MemorySegment to,
      long toAt,
      long toStride,
      int rows,
      long length) {
    MemorySegment x = Scalars.offHeap(from);
    MemorySegment y = Scalars.offHeap(to);
    long c = 0;
    for (; c + BYTES <= length; c += BYTES) {
      for (int r = 0; r < rows; r++) {
        Lanes.store(Lanes.load(x, at + c + r * stride), y, toAt + c + r * toStride);
      }
    }
    if (c < length) {
      VectorMask<Float> mask = Lanes.SPECIES.indexInRange(c / Float.BYTES, length / Float.BYTES);
      ByteOrder order = ByteOrder.nativeOrder();
      for (int r = 0; r < rows; r++) {
        FloatVector.fromMemorySegment(Lanes.SPECIES, x, at + c + r * stride, order, mask)
            .intoMemorySegment(y, toAt + c + r * toStride, order, mask);
      }
    }
  }

  /**
   * Copies lines of floats to columns, as far as tiles of 16 by 16 go across the lines.
   *
   * @param stride from line to line
   * @return how many lines were copied
   */
  static int transposed(
      MemorySegment from,
      long at,
      long stride,
      int lines,
      int depth,
      MemorySegment to,
      long toAt,
      long row) {
    if (Lanes.SPECIES.length() != CpuTranspose.SIZE) {
      return 0;
    }
    MemorySegment x = Scalars.offHeap(from);
    MemorySegment y = Scalars.offHeap(to);
    int whole = lines & -CpuTranspose.SIZE;
    int steps = depth & -CpuTranspose.SIZE;
    for (int l = 0; l < whole; l += CpuTranspose.SIZE) {
      for (int p = 0; p < steps; p += CpuTranspose.SIZE) {
        CpuTranspose.tile(x, at + l * stride + 4L * p, stride, y, toAt + p * row + 4L * l, row);
      }
    }
    if (steps < depth) {
      ElementCopy.copy(
          false,
          x,
          at + 4L * steps,
          stride,
          4,
          y,
          toAt + steps * row,
          4,
          row,
          whole,
          depth - steps);
    }
    return whole;
  }
}

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
   * Copies rows from wherever they are to evenly spaced places, if a row fills a vector.
   *
   * @param places where rows start, in units of {@code bytes} bytes
   * @return whether it was done
   */
  static boolean gather(
      MemorySegment from,
      long[] places,
      int bytes,
      MemorySegment to,
      long toAt,
      long toStride,
      int rows,
      long length) {
    if (length < BYTES) {
      return false;
    }
    MemorySegment x = Scalars.offHeap(from);
    MemorySegment y = Scalars.offHeap(to);
    for (long c = 0; c < length; c += BYTES) {
      long column = Math.min(c, length - BYTES); // the last vector may overlap the one before
      for (int r = 0; r < rows; r++) {
        Lanes.store(Lanes.load(x, places[r] * bytes + column), y, toAt + column + r * toStride);
      }
    }
    return true;
  }

  /**
   * Copies lines of floats to columns, if there are enough for tiles of 16 by 16. At the ends tiles
   * overlap.
   *
   * @param stride from line to line
   * @return whether it was done
   */
  static boolean transposed(
      MemorySegment from,
      long at,
      long stride,
      int lines,
      int depth,
      MemorySegment to,
      long toAt,
      long row) {
    int size = CpuTranspose.SIZE;
    if (Lanes.SPECIES.length() != size || lines < size || depth < size) {
      return false;
    }
    MemorySegment x = Scalars.offHeap(from);
    MemorySegment y = Scalars.offHeap(to);
    for (int i = 0; i < lines; i += size) {
      int l = Math.min(i, lines - size);
      for (int j = 0; j < depth; j += size) {
        int p = Math.min(j, depth - size);
        CpuTranspose.tile(x, at + l * stride + 4L * p, stride, y, toAt + p * row + 4L * l, row);
      }
    }
    return true;
  }
}

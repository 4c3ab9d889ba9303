package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The sums of a tile, between memory and registers: an array, row after row. Whatever y has no room
 * for at its edge stays here. Positions and strides are counted in bytes.
 */
abstract class Sums {
  /** The array, of the element type. */
  abstract Object array();

  abstract void clear(int count);

  /**
   * Reads rows of elements.
   *
   * @param line from row to row
   * @param step from element to element
   * @param width from row to row of the sums
   */
  abstract void load(MemorySegment y, long at, long line, long step, int rows, int cols, int width);

  /** Adds elements as {@link #load} reads them; with a line of 0, one row to all. */
  abstract void add(MemorySegment y, long at, long line, long step, int rows, int cols, int width);

  /** Writes elements where {@link #load} would read them. */
  abstract void store(
      MemorySegment y, long at, long line, long step, int rows, int cols, int width);

  /** Of {@code f32}. */
  static class F32 extends Sums {
    final float[] sums;

    F32(int count) {
      sums = new float[count];
    }

    @Override
    final Object array() {
      return sums;
    }

    @Override
    void clear(int count) {
      Arrays.fill(sums, 0, count, 0);
    }

    @Override
    void load(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
      MemorySegment s = Scalars.offHeap(y);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          sums[r * width + c] = Scalars.loadF32(s, at + r * line + c * step);
        }
      }
    }

    @Override
    void add(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
      MemorySegment s = Scalars.offHeap(y);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          sums[r * width + c] += Scalars.loadF32(s, at + r * line + c * step);
        }
      }
    }

    @Override
    void store(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
      MemorySegment s = Scalars.offHeap(y);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          Scalars.storeF32(sums[r * width + c], s, at + r * line + c * step);
        }
      }
    }
  }

  /** Of {@code f64}. */
  static class F64 extends Sums {
    final double[] sums;

    F64(int count) {
      sums = new double[count];
    }

    @Override
    final Object array() {
      return sums;
    }

    @Override
    final void clear(int count) {
      Arrays.fill(sums, 0, count, 0);
    }

    @Override
    void load(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
      MemorySegment s = Scalars.offHeap(y);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          sums[r * width + c] = Scalars.loadF64(s, at + r * line + c * step);
        }
      }
    }

    @Override
    void add(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
      MemorySegment s = Scalars.offHeap(y);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          sums[r * width + c] += Scalars.loadF64(s, at + r * line + c * step);
        }
      }
    }

    @Override
    void store(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
      MemorySegment s = Scalars.offHeap(y);
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          Scalars.storeF64(sums[r * width + c], s, at + r * line + c * step);
        }
      }
    }
  }
}

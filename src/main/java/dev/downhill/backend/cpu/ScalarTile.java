package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * A {@link Tile} in plain loops, for want of the Vector API. The sums of a row and a row of b are
 * arrays that share one index: only in that form does the compiler turn the inner loop into vector
 * instructions. For the use of one thread.
 */
abstract class ScalarTile implements Tile {
  final int rows;
  final int cols;

  ScalarTile(int rows, int cols) {
    this.rows = rows;
    this.cols = cols;
  }

  static Tile of(boolean wide, int rows, int cols) {
    return wide ? new F64(rows, cols) : new F32(rows, cols);
  }

  private static final class F32 extends ScalarTile {
    private final float[] line;
    private final float[][] sums;

    F32(int rows, int cols) {
      super(rows, cols);
      line = new float[cols];
      sums = new float[rows][cols];
    }

    @Override
    public void multiply(
        MemorySegment a,
        long ia,
        long aLine,
        long aStep,
        MemorySegment b,
        long ib,
        long bStep,
        int depth,
        MemorySegment start,
        long iStart,
        long startLine,
        MemorySegment y,
        long iy,
        long yLine) {
      for (int r = 0; r < rows; r++) {
        load(start, iStart + r * startLine, sums[r]);
      }
      for (int p = 0; p < depth; p++) {
        load(b, ib + p * bStep, line);
        for (int r = 0; r < rows; r++) {
          add(Scalars.loadF32(a, ia + r * aLine + p * aStep), line, sums[r]);
        }
      }
      for (int r = 0; r < rows; r++) {
        store(sums[r], y, iy + r * yLine);
      }
    }

    private static void load(MemorySegment from, long at, float[] line) {
      MemorySegment s = Scalars.offHeap(from);
      for (int c = 0; c < line.length; c++) {
        line[c] = Scalars.loadF32(s, at + c * 4L);
      }
    }

    private static void store(float[] line, MemorySegment to, long at) {
      MemorySegment s = Scalars.offHeap(to);
      for (int c = 0; c < line.length; c++) {
        Scalars.storeF32(line[c], s, at + c * 4L);
      }
    }

    private static void add(float x, float[] line, float[] sums) {
      for (int c = 0; c < sums.length; c++) {
        sums[c] = Math.fma(x, line[c], sums[c]);
      }
    }
  }

  private static final class F64 extends ScalarTile {
    private final double[] line;
    private final double[][] sums;

    F64(int rows, int cols) {
      super(rows, cols);
      line = new double[cols];
      sums = new double[rows][cols];
    }

    @Override
    public void multiply(
        MemorySegment a,
        long ia,
        long aLine,
        long aStep,
        MemorySegment b,
        long ib,
        long bStep,
        int depth,
        MemorySegment start,
        long iStart,
        long startLine,
        MemorySegment y,
        long iy,
        long yLine) {
      for (int r = 0; r < rows; r++) {
        load(start, iStart + r * startLine, sums[r]);
      }
      for (int p = 0; p < depth; p++) {
        load(b, ib + p * bStep, line);
        for (int r = 0; r < rows; r++) {
          add(Scalars.loadF64(a, ia + r * aLine + p * aStep), line, sums[r]);
        }
      }
      for (int r = 0; r < rows; r++) {
        store(sums[r], y, iy + r * yLine);
      }
    }

    private static void load(MemorySegment from, long at, double[] line) {
      MemorySegment s = Scalars.offHeap(from);
      for (int c = 0; c < line.length; c++) {
        line[c] = Scalars.loadF64(s, at + c * 8L);
      }
    }

    private static void store(double[] line, MemorySegment to, long at) {
      MemorySegment s = Scalars.offHeap(to);
      for (int c = 0; c < line.length; c++) {
        Scalars.storeF64(line[c], s, at + c * 8L);
      }
    }

    private static void add(double x, double[] line, double[] sums) {
      for (int c = 0; c < sums.length; c++) {
        sums[c] = Math.fma(x, line[c], sums[c]);
      }
    }
  }
}

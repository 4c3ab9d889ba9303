package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A {@link Tile} in plain loops, for want of the Vector API. The sums of a row and a row of b are
 * arrays that share one index: only in that form does the compiler turn the inner loop into vector
 * instructions.
 */
final class ScalarTile implements Tile {
  private final boolean wide;
  private final int rows;
  private final int cols;

  /**
   * The tile of a size.
   *
   * @param wide {@code f64}, else {@code f32}
   */
  ScalarTile(boolean wide, int rows, int cols) {
    this.wide = wide;
    this.rows = rows;
    this.cols = cols;
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
      long is,
      long startLine,
      MemorySegment end,
      MemorySegment y,
      long iy,
      long yLine) {
    if (wide) {
      f64(a, ia, aLine, aStep, b, ib, bStep, depth, start, is, startLine, end, y, iy, yLine);
    } else {
      f32(a, ia, aLine, aStep, b, ib, bStep, depth, start, is, startLine, end, y, iy, yLine);
    }
  }

  private void f32(
      MemorySegment a,
      long ia,
      long aLine,
      long aStep,
      MemorySegment b,
      long ib,
      long bStep,
      int depth,
      MemorySegment start,
      long is,
      long startLine,
      MemorySegment end,
      MemorySegment y,
      long iy,
      long yLine) {
    float[] line = new float[cols];
    float[][] sums = new float[rows][cols];
    for (int r = 0; r < rows; r++) {
      read32(start, is + r * startLine, sums[r]);
    }
    for (int p = 0; p < depth; p++) {
      read32(b, ib + p * bStep, line);
      for (int r = 0; r < rows; r++) {
        add(a.get(ValueLayout.JAVA_FLOAT_UNALIGNED, ia + r * aLine + p * aStep), line, sums[r]);
      }
    }
    read32(end, 0, line);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        y.set(ValueLayout.JAVA_FLOAT_UNALIGNED, iy + r * yLine + 4L * c, sums[r][c] + line[c]);
      }
    }
  }

  private static void read32(MemorySegment s, long at, float[] to) {
    for (int c = 0; c < to.length; c++) {
      to[c] = s.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at + 4L * c);
    }
  }

  private static void add(float x, float[] line, float[] sums) {
    for (int c = 0; c < sums.length; c++) {
      sums[c] = Math.fma(x, line[c], sums[c]);
    }
  }

  private void f64(
      MemorySegment a,
      long ia,
      long aLine,
      long aStep,
      MemorySegment b,
      long ib,
      long bStep,
      int depth,
      MemorySegment start,
      long is,
      long startLine,
      MemorySegment end,
      MemorySegment y,
      long iy,
      long yLine) {
    double[] line = new double[cols];
    double[][] sums = new double[rows][cols];
    for (int r = 0; r < rows; r++) {
      read64(start, is + r * startLine, sums[r]);
    }
    for (int p = 0; p < depth; p++) {
      read64(b, ib + p * bStep, line);
      for (int r = 0; r < rows; r++) {
        add(a.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, ia + r * aLine + p * aStep), line, sums[r]);
      }
    }
    read64(end, 0, line);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        y.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, iy + r * yLine + 8L * c, sums[r][c] + line[c]);
      }
    }
  }

  private static void read64(MemorySegment s, long at, double[] to) {
    for (int c = 0; c < to.length; c++) {
      to[c] = s.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, at + 8L * c);
    }
  }

  private static void add(double x, double[] line, double[] sums) {
    for (int c = 0; c < sums.length; c++) {
      sums[c] = Math.fma(x, line[c], sums[c]);
    }
  }
}

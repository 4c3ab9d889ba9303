package dev.downhill.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@code f64} products in plain loops. The rows of b and of y are arrays of their own that share
 * one index: only in that form does the compiler turn the inner loop into vector instructions.
 */
final class CpuGemmF64 implements CpuGemm {
  private final double[] a = new double[DEPTH];
  private final double[][] b = new double[DEPTH][COLS];
  private final double[][] y = new double[ROWS][COLS];

  @Override
  public void block(Product p, long ia, long ib, long iy, int rows, int cols) {
    for (int i = 0; i < rows; i++) {
      Arrays.fill(y[i], 0, cols, 0);
    }
    for (long k0 = 0; k0 < p.k(); k0 += DEPTH) {
      int depth = (int) Math.min(DEPTH, p.k() - k0);
      for (int k = 0; k < depth; k++) {
        load(p.b().segment(), ib + (k0 + k) * p.b().rowStride(), p.b().colStride(), cols, b[k]);
      }
      for (int i = 0; i < rows; i++) {
        long row = ia + i * p.a().rowStride() + k0 * p.a().colStride();
        load(p.a().segment(), row, p.a().colStride(), depth, a);
        addRow(depth, cols, y[i]);
      }
    }
    for (int i = 0; i < rows; i++) {
      store(p.alpha(), p.beta(), y[i], cols, p.y().segment(), iy + i * p.y().rowStride());
    }
  }

  private void addRow(int depth, int cols, double[] y) {
    int k = 0;
    for (; k + 4 <= depth; k += 4) {
      addFour(a[k], b[k], a[k + 1], b[k + 1], a[k + 2], b[k + 2], a[k + 3], b[k + 3], cols, y);
    }
    for (; k < depth; k++) {
      addOne(a[k], b[k], cols, y);
    }
  }

  private static void addFour(
      double a0,
      double[] b0,
      double a1,
      double[] b1,
      double a2,
      double[] b2,
      double a3,
      double[] b3,
      int cols,
      double[] y) {
    for (int j = 0; j < cols; j++) {
      double sum = Math.fma(a1, b1[j], Math.fma(a0, b0[j], y[j]));
      y[j] = Math.fma(a3, b3[j], Math.fma(a2, b2[j], sum));
    }
  }

  private static void addOne(double a0, double[] b0, int cols, double[] y) {
    for (int j = 0; j < cols; j++) {
      y[j] = Math.fma(a0, b0[j], y[j]);
    }
  }

  private static void load(MemorySegment s, long at, long stride, int count, double[] to) {
    for (int i = 0; i < count; i++) {
      to[i] = s.getAtIndex(JAVA_DOUBLE, at + i * stride);
    }
  }

  private static void store(
      double alpha, double beta, double[] sums, int cols, MemorySegment y, long iy) {
    for (int j = 0; j < cols; j++) {
      double z = alpha * sums[j];
      if (beta != 0) {
        z = Math.fma(alpha, sums[j], beta * y.getAtIndex(JAVA_DOUBLE, iy + j));
      }
      y.setAtIndex(JAVA_DOUBLE, iy + j, z);
    }
  }
}

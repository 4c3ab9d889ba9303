package dev.downhill.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** {@code f32} products for want of the Vector API: {@link CpuGemmF64} in the other type. */
final class CpuGemmF32 implements CpuGemm {
  private final float[] a = new float[DEPTH];
  private final float[][] b = new float[DEPTH][COLS];
  private final float[][] y = new float[ROWS][COLS];

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
      store(
          (float) p.alpha(),
          (float) p.beta(),
          y[i],
          cols,
          p.y().segment(),
          iy + i * p.y().rowStride());
    }
  }

  private void addRow(int depth, int cols, float[] y) {
    int k = 0;
    for (; k + 4 <= depth; k += 4) {
      addFour(a[k], b[k], a[k + 1], b[k + 1], a[k + 2], b[k + 2], a[k + 3], b[k + 3], cols, y);
    }
    for (; k < depth; k++) {
      addOne(a[k], b[k], cols, y);
    }
  }

  private static void addFour(
      float a0,
      float[] b0,
      float a1,
      float[] b1,
      float a2,
      float[] b2,
      float a3,
      float[] b3,
      int cols,
      float[] y) {
    for (int j = 0; j < cols; j++) {
      float sum = Math.fma(a1, b1[j], Math.fma(a0, b0[j], y[j]));
      y[j] = Math.fma(a3, b3[j], Math.fma(a2, b2[j], sum));
    }
  }

  private static void addOne(float a0, float[] b0, int cols, float[] y) {
    for (int j = 0; j < cols; j++) {
      y[j] = Math.fma(a0, b0[j], y[j]);
    }
  }

  private static void load(MemorySegment s, long at, long stride, int count, float[] to) {
    for (int i = 0; i < count; i++) {
      to[i] = s.getAtIndex(JAVA_FLOAT, at + i * stride);
    }
  }

  private static void store(
      float alpha, float beta, float[] sums, int cols, MemorySegment y, long iy) {
    for (int j = 0; j < cols; j++) {
      float z = alpha * sums[j];
      if (beta != 0) {
        z = Math.fma(alpha, sums[j], beta * y.getAtIndex(JAVA_FLOAT, iy + j));
      }
      y.setAtIndex(JAVA_FLOAT, iy + j, z);
    }
  }
}

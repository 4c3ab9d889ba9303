package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Rows of {@code f32}, one element after the other: the definition of {@link VectorAttention}. */
final class AttentionF32 implements AttentionRow {
  private final float[] lanes = new float[CpuSoftmax.LANES];

  @Override
  public double max(MemorySegment s, long at, int n, double scale, double least) {
    float max = (float) least;
    for (int i = 0; i < n; i++) {
      float z = Scalars.loadF32(s, at + 4L * i) * (float) scale;
      max = z > max ? z : max;
    }
    return max;
  }

  @Override
  public double exp(MemorySegment s, long at, int n, int end, double scale, double max) {
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      float z = Scalars.loadF32(s, at + 4L * i) * (float) scale - (float) max;
      float e = CpuMath.exp(z);
      Scalars.storeF32(e, s, at + 4L * i);
      lanes[i % CpuSoftmax.LANES] += e;
    }
    for (int i = n; i < end; i++) {
      Scalars.storeF32(0, s, at + 4L * i);
    }
    return ScalarSoftmax.fold(lanes);
  }

  @Override
  public double exp(double x) {
    return CpuMath.exp((float) x);
  }

  @Override
  public void scale(MemorySegment x, long at, int n, double factor) {
    for (int i = 0; i < n; i++) {
      Scalars.storeF32(Scalars.loadF32(x, at + 4L * i) * (float) factor, x, at + 4L * i);
    }
  }

  @Override
  public double log(double x) {
    return CpuMath.log((float) x);
  }

  @Override
  public void divide(
      MemorySegment x,
      long at,
      long line,
      double[] divisors,
      int rows,
      int n,
      MemorySegment y,
      long to,
      long toLine) {
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < n; i++) {
        float quotient = Scalars.loadF32(x, at + r * line + 4L * i) / (float) divisors[r];
        Scalars.storeF32(quotient, y, to + r * toLine + 4L * i);
      }
    }
  }

  @Override
  public void dot(
      MemorySegment a,
      long ia,
      long aLine,
      MemorySegment b,
      long ib,
      long bLine,
      int rows,
      int n,
      double[] sums,
      int to) {
    for (int r = 0; r < rows; r++) {
      Arrays.fill(lanes, 0);
      for (int i = 0; i < n; i++) {
        float x = Scalars.loadF32(a, ia + r * aLine + 4L * i);
        float y = Scalars.loadF32(b, ib + r * bLine + 4L * i);
        lanes[i % CpuSoftmax.LANES] = Math.fma(x, y, lanes[i % CpuSoftmax.LANES]);
      }
      sums[to + r] = ScalarSoftmax.fold(lanes);
    }
  }

  @Override
  public void slopes(
      MemorySegment s, long at, long dpAt, int n, int end, double scale, double z, double d) {
    for (int i = 0; i < n; i++) {
      float x = Scalars.loadF32(s, at + 4L * i) * (float) scale - (float) z;
      float p = CpuMath.exp(x);
      float slope = Scalars.loadF32(s, dpAt + 4L * i) - (float) d;
      Scalars.storeF32(p, s, at + 4L * i);
      Scalars.storeF32(p * slope * (float) scale, s, dpAt + 4L * i);
    }
    for (int i = n; i < end; i++) {
      Scalars.storeF32(0, s, at + 4L * i);
      Scalars.storeF32(0, s, dpAt + 4L * i);
    }
  }
}

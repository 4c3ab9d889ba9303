package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Rows of {@code f64}; the sums have the order of {@link AttentionF32}. */
final class AttentionF64 implements AttentionRow {
  private final double[] lanes = new double[CpuSoftmax.LANES];

  @Override
  public double max(MemorySegment s, long at, int n, double scale, double least) {
    double max = least;
    for (int i = 0; i < n; i++) {
      double z = Scalars.loadF64(s, at + 8L * i) * scale;
      max = z > max ? z : max;
    }
    return max;
  }

  @Override
  public double exp(MemorySegment s, long at, int n, int end, double scale, double max) {
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      double e = CpuMath.exp(Scalars.loadF64(s, at + 8L * i) * scale - max);
      Scalars.storeF64(e, s, at + 8L * i);
      lanes[i % CpuSoftmax.LANES] += e;
    }
    for (int i = n; i < end; i++) {
      Scalars.storeF64(0, s, at + 8L * i);
    }
    return ScalarSoftmax.fold(lanes);
  }

  @Override
  public double exp(double x) {
    return CpuMath.exp(x);
  }

  @Override
  public void scale(MemorySegment x, long at, int n, double factor) {
    for (int i = 0; i < n; i++) {
      Scalars.storeF64(Scalars.loadF64(x, at + 8L * i) * factor, x, at + 8L * i);
    }
  }

  @Override
  public double log(double x) {
    return CpuMath.log(x);
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
        double quotient = Scalars.loadF64(x, at + r * line + 8L * i) / divisors[r];
        Scalars.storeF64(quotient, y, to + r * toLine + 8L * i);
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
        double x = Scalars.loadF64(a, ia + r * aLine + 8L * i);
        double y = Scalars.loadF64(b, ib + r * bLine + 8L * i);
        lanes[i % CpuSoftmax.LANES] = Math.fma(x, y, lanes[i % CpuSoftmax.LANES]);
      }
      sums[to + r] = ScalarSoftmax.fold(lanes);
    }
  }

  @Override
  public void slopes(
      MemorySegment s, long at, long dpAt, int n, int end, double scale, double z, double d) {
    for (int i = 0; i < n; i++) {
      double x = Scalars.loadF64(s, at + 8L * i) * scale - z;
      double p = CpuMath.exp(x);
      double slope = Scalars.loadF64(s, dpAt + 8L * i) - d;
      Scalars.storeF64(p, s, at + 8L * i);
      Scalars.storeF64(p * slope * scale, s, dpAt + 8L * i);
    }
    for (int i = n; i < end; i++) {
      Scalars.storeF64(0, s, at + 8L * i);
      Scalars.storeF64(0, s, dpAt + 8L * i);
    }
  }
}

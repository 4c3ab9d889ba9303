package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The rows of {@link AttentionF32} on vectors, with the same bits. A template for {@link
 * HiddenClass#inlined}.
 */
final class VectorAttention implements AttentionRow {
  private static final VectorSpecies<Float> SPECIES =
      Lanes.SPECIES.length() <= CpuSoftmax.LANES ? Lanes.SPECIES : FloatVector.SPECIES_512;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
  private static final int STEP = SPECIES.length();
  private static final int LANES = CpuSoftmax.LANES;

  private final float[] lanes = new float[LANES];

  @Override
  public double max(MemorySegment s, long at, int n, double scale, double least) {
    MemorySegment x = Scalars.offHeap(s);
    float factor = (float) scale;
    FloatVector max = FloatVector.broadcast(SPECIES, (float) least);
    int i = 0;
    for (; i + STEP <= n; i += STEP) {
      FloatVector z = load(x, at + 4L * i).mul(factor);
      max = max.blend(z, z.compare(VectorOperators.GT, max));
    }
    if (i < n) {
      FloatVector z = load(x, at + 4L * i).mul(factor);
      VectorMask<Float> greater = z.compare(VectorOperators.GT, max);
      max = max.blend(z, greater.and(SPECIES.indexInRange(i, n)));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  @Override
  public double exp(MemorySegment s, long at, int n, int end, double scale, double max) {
    MemorySegment x = Scalars.offHeap(s);
    float factor = (float) scale;
    float shift = (float) max;
    FloatVector zero = FloatVector.zero(SPECIES);
    for (int lane = 0; lane < LANES; lane += STEP) {
      FloatVector sum = FloatVector.zero(SPECIES);
      for (int i = lane; i < end; i += LANES) {
        FloatVector score = load(x, at + 4L * i).mul(factor).sub(shift);
        FloatVector e = zero.blend(CpuVectorMath.exp(score), SPECIES.indexInRange(i, n));
        e.intoMemorySegment(x, at + 4L * i, NATIVE);
        sum = sum.add(e);
      }
      sum.intoArray(lanes, lane);
    }
    return VectorFold.sum(lanes, 0);
  }

  @Override
  public double exp(double x) {
    return CpuMath.exp((float) x);
  }

  @Override
  public void scale(MemorySegment x, long at, int n, double factor) {
    MemorySegment y = Scalars.offHeap(x);
    for (int i = 0; i < n; i += STEP) {
      load(y, at + 4L * i).mul((float) factor).intoMemorySegment(y, at + 4L * i, NATIVE);
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
    MemorySegment in = Scalars.offHeap(x);
    MemorySegment out = Scalars.offHeap(y);
    for (int r = 0; r < rows; r++) {
      FloatVector by = FloatVector.broadcast(SPECIES, (float) divisors[r]);
      int i = 0;
      for (; i + STEP <= n; i += STEP) {
        load(in, at + 4L * i).div(by).intoMemorySegment(out, to + 4L * i, NATIVE);
      }
      if (i < n) {
        VectorMask<Float> rest = SPECIES.indexInRange(i, n);
        load(in, at + 4L * i).div(by).intoMemorySegment(out, to + 4L * i, NATIVE, rest);
      }
      at += line;
      to += toLine;
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
    MemorySegment x = Scalars.offHeap(a);
    MemorySegment y = Scalars.offHeap(b);
    for (int r = 0; r < rows; r++) {
      for (int lane = 0; lane < LANES; lane += STEP) {
        FloatVector sum = FloatVector.zero(SPECIES);
        int i = lane;
        for (; i + STEP <= n; i += LANES) {
          sum = load(x, ia + 4L * i).fma(load(y, ib + 4L * i), sum);
        }
        if (i < n) {
          VectorMask<Float> rest = SPECIES.indexInRange(i, n);
          FloatVector v = FloatVector.fromMemorySegment(SPECIES, x, ia + 4L * i, NATIVE, rest);
          FloatVector w = FloatVector.fromMemorySegment(SPECIES, y, ib + 4L * i, NATIVE, rest);
          sum = v.fma(w, sum);
        }
        sum.intoArray(lanes, lane);
      }
      sums[to + r] = VectorFold.sum(lanes, 0);
      ia += aLine;
      ib += bLine;
    }
  }

  @Override
  public void slopes(
      MemorySegment s, long at, long dpAt, int n, int end, double scale, double z, double d) {
    MemorySegment x = Scalars.offHeap(s);
    float factor = (float) scale;
    float shift = (float) z;
    float minus = (float) d;
    FloatVector zero = FloatVector.zero(SPECIES);
    for (int i = 0; i < end; i += STEP) {
      VectorMask<Float> seen = SPECIES.indexInRange(i, n);
      FloatVector p = CpuVectorMath.exp(load(x, at + 4L * i).mul(factor).sub(shift));
      FloatVector ds = p.mul(load(x, dpAt + 4L * i).sub(minus)).mul(factor);
      zero.blend(p, seen).intoMemorySegment(x, at + 4L * i, NATIVE);
      zero.blend(ds, seen).intoMemorySegment(x, dpAt + 4L * i, NATIVE);
    }
  }

  private static FloatVector load(MemorySegment s, long at) {
    return FloatVector.fromMemorySegment(SPECIES, s, at, NATIVE);
  }
}

package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * The rows of {@link LayerNormF32} on vectors, with the same bits. Elements behind the last whole
 * {@link CpuLayerNorm#LANES} are read under a mask, and add 0 to their lanes. No vector is passed
 * to or returned from a method with a loop: where that is not inlined, it would become an object.
 */
final class VectorLayerNorm {
  private static final VectorSpecies<Float> SPECIES =
      Lanes.SPECIES.length() <= 16 ? Lanes.SPECIES : FloatVector.SPECIES_512;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
  private static final int STEP = SPECIES.length();
  private static final int LANES = CpuLayerNorm.LANES;
  private static final int HALF = LANES / 2;

  private VectorLayerNorm() {}

  static void forward(LayerNormCall c, LayerNormBunch b) {
    int n = c.n;
    int rows = b.rows;
    Arrays.fill(b.mean, 0);
    for (int from = 0; c.centred && from < n; from += CpuLayerNorm.PART) {
      sum(b, from, Math.min(n, from + CpuLayerNorm.PART));
      for (int r = 0; r < rows; r++) {
        b.mean[r] += VectorFold.sum(b.lanes, r * LANES);
      }
    }
    for (int r = 0; c.centred && r < rows; r++) {
      b.mean[r] /= n;
    }
    Arrays.fill(b.sum, 0);
    for (int from = 0; from < n; from += CpuLayerNorm.PART) {
      squares(b, from, Math.min(n, from + CpuLayerNorm.PART));
      for (int r = 0; r < rows; r++) {
        b.sum[r] += VectorFold.sum(b.lanes, r * LANES);
      }
    }
    for (int r = 0; r < rows; r++) {
      b.rstd[r] = LayerNormF32.rstd(b.sum[r], c);
    }
    values(c, b);
  }

  /** The lanes of Σ x over a part of each row. */
  private static void sum(LayerNormBunch bunch, int from, int to) {
    MemorySegment in = Scalars.offHeap(bunch.x);
    float[] lanes = bunch.lanes;
    for (int r = 0; r < bunch.rows; r++) {
      long at = bunch.xAt[r];
      for (int lane = 0; lane < HALF; lane += STEP) {
        FloatVector a = FloatVector.zero(SPECIES);
        FloatVector b = a;
        int i = from + lane;
        for (; i + HALF + STEP <= to; i += LANES) {
          a = a.add(load(in, at + 4L * i));
          b = b.add(load(in, at + 4L * (i + HALF)));
        }
        if (i < to) {
          a = a.add(rest(in, at, i, to));
          b = b.add(rest(in, at, i + HALF, to));
        }
        a.add(b).intoArray(lanes, r * LANES + lane);
      }
    }
  }

  /** The lanes of Σ (x - mean)² over a part of each row. */
  private static void squares(LayerNormBunch bunch, int from, int to) {
    MemorySegment in = Scalars.offHeap(bunch.x);
    float[] lanes = bunch.lanes;
    for (int r = 0; r < bunch.rows; r++) {
      long at = bunch.xAt[r];
      float mean = bunch.mean[r];
      for (int lane = 0; lane < HALF; lane += STEP) {
        FloatVector a = FloatVector.zero(SPECIES);
        FloatVector b = a;
        int i = from + lane;
        for (; i + HALF + STEP <= to; i += LANES) {
          FloatVector d = load(in, at + 4L * i).sub(mean);
          FloatVector e = load(in, at + 4L * (i + HALF)).sub(mean);
          a = d.fma(d, a);
          b = e.fma(e, b);
        }
        if (i < to) {
          FloatVector d = rest(in, at, i, to).sub(mean, SPECIES.indexInRange(i, to));
          FloatVector e = rest(in, at, i + HALF, to).sub(mean, SPECIES.indexInRange(i + HALF, to));
          a = d.fma(d, a);
          b = e.fma(e, b);
        }
        a.add(b).intoArray(lanes, r * LANES + lane);
      }
    }
  }

  private static void values(LayerNormCall c, LayerNormBunch bunch) {
    MemorySegment in = Scalars.offHeap(bunch.x);
    MemorySegment out = Scalars.offHeap(bunch.out);
    float[] w = c.weight;
    float[] b = c.bias;
    int n = c.n;
    for (int r = 0; r < bunch.rows; r++) {
      long x = bunch.xAt[r];
      long y = bunch.outAt[r];
      float mean = bunch.mean[r];
      float rstd = bunch.rstd[r];
      int i = 0;
      for (; i + STEP <= n; i += STEP) {
        FloatVector z = load(in, x + 4L * i).sub(mean).mul(rstd);
        z.fma(FloatVector.fromArray(SPECIES, w, i), FloatVector.fromArray(SPECIES, b, i))
            .intoMemorySegment(out, y + 4L * i, NATIVE);
      }
      if (i < n) {
        FloatVector z = rest(in, x, i, n).sub(mean).mul(rstd);
        z.fma(FloatVector.fromArray(SPECIES, w, i), FloatVector.fromArray(SPECIES, b, i))
            .intoMemorySegment(out, y + 4L * i, NATIVE, SPECIES.indexInRange(i, n));
      }
    }
  }

  static void backward(LayerNormCall c, LayerNormBunch b, int share) {
    int n = c.n;
    Arrays.fill(b.sum, 0);
    Arrays.fill(b.product, 0);
    for (int from = 0; from < n; from += CpuLayerNorm.PART) {
      sums(c, b, share, from, Math.min(n, from + CpuLayerNorm.PART));
      for (int r = 0; r < b.rows; r++) {
        b.sum[r] += VectorFold.sum(b.lanes, r * LANES);
        b.product[r] += VectorFold.sum(b.lanes, r * LANES + HALF);
      }
    }
    if (c.hasOut) {
      for (int r = 0; r < b.rows; r++) {
        b.sum[r] = c.centred ? b.sum[r] / n : 0;
        b.product[r] /= n;
      }
      slopes(c, b);
    }
  }

  /** The lanes of Σ g and, from HALF on, of Σ g z over a part of each row; adds to the shares. */
  private static void sums(LayerNormCall c, LayerNormBunch b, int share, int from, int to) {
    MemorySegment in = Scalars.offHeap(b.x);
    MemorySegment slopes = Scalars.offHeap(b.dy);
    float[] w = c.weight;
    float[] shares = c.shares();
    float[] lanes = b.lanes;
    int bias = share + c.padded;
    for (int r = 0; r < b.rows; r++) {
      long x = b.xAt[r];
      long dy = b.dyAt[r];
      float mean = b.mean[r];
      float rstd = b.rstd[r];
      for (int lane = 0; lane < HALF; lane += STEP) {
        FloatVector sumA = FloatVector.zero(SPECIES);
        FloatVector sumB = sumA;
        FloatVector productA = sumA;
        FloatVector productB = sumA;
        for (int i = from + lane; i < to; i += LANES) {
          int k = i + HALF;
          boolean whole = k + STEP <= to;
          FloatVector d = whole ? load(slopes, dy + 4L * i) : rest(slopes, dy, i, to);
          FloatVector e = whole ? load(slopes, dy + 4L * k) : rest(slopes, dy, k, to);
          FloatVector z = (whole ? load(in, x + 4L * i) : rest(in, x, i, to)).sub(mean).mul(rstd);
          FloatVector v = (whole ? load(in, x + 4L * k) : rest(in, x, k, to)).sub(mean).mul(rstd);
          FloatVector g = d.mul(FloatVector.fromArray(SPECIES, w, i));
          FloatVector h = e.mul(FloatVector.fromArray(SPECIES, w, k));
          sumA = sumA.add(g);
          sumB = sumB.add(h);
          productA = g.fma(z, productA);
          productB = h.fma(v, productB);
          d.fma(z, FloatVector.fromArray(SPECIES, shares, share + i)).intoArray(shares, share + i);
          e.fma(v, FloatVector.fromArray(SPECIES, shares, share + k)).intoArray(shares, share + k);
          FloatVector.fromArray(SPECIES, shares, bias + i).add(d).intoArray(shares, bias + i);
          FloatVector.fromArray(SPECIES, shares, bias + k).add(e).intoArray(shares, bias + k);
        }
        sumA.add(sumB).intoArray(lanes, r * LANES + lane);
        productA.add(productB).intoArray(lanes, r * LANES + HALF + lane);
      }
    }
  }

  private static void slopes(LayerNormCall c, LayerNormBunch b) {
    MemorySegment in = Scalars.offHeap(b.x);
    MemorySegment slopes = Scalars.offHeap(b.dy);
    MemorySegment out = Scalars.offHeap(b.out);
    float[] w = c.weight;
    int n = c.n;
    for (int r = 0; r < b.rows; r++) {
      long x = b.xAt[r];
      long dy = b.dyAt[r];
      long dx = b.outAt[r];
      float mean = b.mean[r];
      float rstd = b.rstd[r];
      float sum = b.sum[r];
      FloatVector product = FloatVector.broadcast(SPECIES, b.product[r]);
      int i = 0;
      for (; i + STEP <= n; i += STEP) {
        FloatVector z = load(in, x + 4L * i).sub(mean).mul(rstd);
        FloatVector g = load(slopes, dy + 4L * i).mul(FloatVector.fromArray(SPECIES, w, i));
        z.neg().fma(product, g.sub(sum)).mul(rstd).intoMemorySegment(out, dx + 4L * i, NATIVE);
      }
      if (i < n) {
        FloatVector z = rest(in, x, i, n).sub(mean).mul(rstd);
        FloatVector g = rest(slopes, dy, i, n).mul(FloatVector.fromArray(SPECIES, w, i));
        z.neg()
            .fma(product, g.sub(sum))
            .mul(rstd)
            .intoMemorySegment(out, dx + 4L * i, NATIVE, SPECIES.indexInRange(i, n));
      }
    }
  }

  private static FloatVector load(MemorySegment s, long at) {
    return FloatVector.fromMemorySegment(SPECIES, s, at, NATIVE);
  }

  /** What is left of a row from element {@code i} on, then zeros. */
  private static FloatVector rest(MemorySegment s, long at, int i, int n) {
    VectorMask<Float> mask = SPECIES.indexInRange(i, n);
    return FloatVector.fromMemorySegment(SPECIES, s, at + 4L * i, NATIVE, mask);
  }
}

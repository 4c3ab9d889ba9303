package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Rows of {@code f32}, or of {@code bf16} computed in it. The loops here are the definition of
 * {@link VectorLayerNorm}.
 */
final class LayerNormF32 implements LayerNormRows {
  private final LayerNormBunch bunch = new LayerNormBunch();
  private final double[] sums = new double[2 * CpuLayerNorm.COLUMNS];

  @Override
  public void forward(LayerNormCall c, long from, long to) {
    for (long row = from; row < to; ) {
      row = bunch.read(c, row, to, false);
      if (Simd.AVAILABLE) {
        VectorLayerNorm.forward(c, bunch);
      } else {
        forward(c, bunch);
      }
      for (int r = 0; r < bunch.rows; r++) {
        c.keep(bunch.first + r, bunch.mean[r], bunch.rstd[r]);
      }
      bunch.write(c);
    }
  }

  @Override
  public void backward(LayerNormCall c, int block) {
    int share = 2 * c.padded * block;
    Arrays.fill(c.shares(), share, share + 2 * c.padded, 0);
    long from = (long) block * CpuLayerNorm.BLOCK;
    long to = Math.min(c.rows, from + CpuLayerNorm.BLOCK);
    for (long row = from; row < to; ) {
      row = bunch.read(c, row, to, true);
      for (int r = 0; r < bunch.rows; r++) {
        bunch.mean[r] = c.meanF32(bunch.first + r);
        bunch.rstd[r] = c.rstdF32(bunch.first + r);
      }
      if (Simd.AVAILABLE) {
        VectorLayerNorm.backward(c, bunch, share);
      } else {
        backward(c, bunch, share);
      }
      bunch.write(c);
    }
  }

  @Override
  public void finish(LayerNormCall c, int from, int to) {
    int n = to - from;
    Arrays.fill(sums, 0);
    for (int block = 0; block < c.blocks; block++) {
      int weights = 2 * c.padded * block + from;
      int biases = weights + c.padded;
      for (int i = 0; i < n; i++) {
        sums[i] += c.shares()[weights + i];
      }
      for (int i = 0; i < n; i++) {
        sums[CpuLayerNorm.COLUMNS + i] += c.shares()[biases + i];
      }
    }
    for (int i = 0; i < n; i++) {
      LayerNormCall.set(c.dweight, from + i, sums[i]);
      LayerNormCall.set(c.dbias, from + i, sums[CpuLayerNorm.COLUMNS + i]);
    }
  }

  static void forward(LayerNormCall c, LayerNormBunch b) {
    for (int r = 0; r < b.rows; r++) {
      forward(c, b, r);
    }
  }

  private static void forward(LayerNormCall c, LayerNormBunch b, int r) {
    int n = c.n;
    float[] lanes = b.lanes;
    MemorySegment x = b.x;
    float mean = 0;
    if (c.centred) {
      for (int from = 0; from < n; from += CpuLayerNorm.PART) {
        Arrays.fill(lanes, 0);
        for (int i = from; i < Math.min(n, from + CpuLayerNorm.PART); i++) {
          lanes[i % CpuLayerNorm.LANES] += Scalars.loadF32(x, b.xAt[r] + 4L * i);
        }
        mean += fold(lanes, 0);
      }
      mean /= n;
    }
    float squares = 0;
    for (int from = 0; from < n; from += CpuLayerNorm.PART) {
      Arrays.fill(lanes, 0);
      for (int i = from; i < Math.min(n, from + CpuLayerNorm.PART); i++) {
        float d = Scalars.loadF32(x, b.xAt[r] + 4L * i) - mean;
        lanes[i % CpuLayerNorm.LANES] = Math.fma(d, d, lanes[i % CpuLayerNorm.LANES]);
      }
      squares += fold(lanes, 0);
    }
    float rstd = rstd(squares, c);
    for (int i = 0; i < n; i++) {
      float z = (Scalars.loadF32(x, b.xAt[r] + 4L * i) - mean) * rstd;
      Scalars.storeF32(Math.fma(z, c.weight[i], c.bias[i]), b.out, b.outAt[r] + 4L * i);
    }
    b.mean[r] = mean;
    b.rstd[r] = rstd;
  }

  static float rstd(float squares, LayerNormCall c) {
    return 1 / Scalars.sqrt(squares / c.n + (float) c.eps);
  }

  static void backward(LayerNormCall c, LayerNormBunch b, int share) {
    for (int r = 0; r < b.rows; r++) {
      backward(c, b, share, r);
    }
  }

  private static void backward(LayerNormCall c, LayerNormBunch b, int share, int r) {
    int n = c.n;
    float[] lanes = b.lanes;
    float[] shares = c.shares();
    float sum = 0;
    float product = 0;
    for (int from = 0; from < n; from += CpuLayerNorm.PART) {
      Arrays.fill(lanes, 0);
      for (int i = from; i < Math.min(n, from + CpuLayerNorm.PART); i++) {
        int lane = i % CpuLayerNorm.LANES;
        float z = (Scalars.loadF32(b.x, b.xAt[r] + 4L * i) - b.mean[r]) * b.rstd[r];
        float d = Scalars.loadF32(b.dy, b.dyAt[r] + 4L * i);
        float g = d * c.weight[i];
        lanes[lane] += g;
        lanes[CpuLayerNorm.LANES + lane] = Math.fma(g, z, lanes[CpuLayerNorm.LANES + lane]);
        shares[share + i] = Math.fma(d, z, shares[share + i]);
        shares[share + c.padded + i] += d;
      }
      sum += fold(lanes, 0);
      product += fold(lanes, CpuLayerNorm.LANES);
    }
    if (!c.hasOut) {
      return;
    }
    sum = c.centred ? sum / n : 0;
    product /= n;
    for (int i = 0; i < n; i++) {
      float z = (Scalars.loadF32(b.x, b.xAt[r] + 4L * i) - b.mean[r]) * b.rstd[r];
      float g = Scalars.loadF32(b.dy, b.dyAt[r] + 4L * i) * c.weight[i];
      float dx = Math.fma(-z, product, g - sum) * b.rstd[r];
      Scalars.storeF32(dx, b.out, b.outAt[r] + 4L * i);
    }
  }

  /** The sum of the lanes: 16 and 16, 8 and 8, 4 and 4, 2 and 2, 1 and 1. */
  private static float fold(float[] lanes, int at) {
    for (int half = CpuLayerNorm.LANES / 2; half > 0; half /= 2) {
      for (int l = at; l < at + half; l++) {
        lanes[l] += lanes[l + half];
      }
    }
    return lanes[at];
  }
}

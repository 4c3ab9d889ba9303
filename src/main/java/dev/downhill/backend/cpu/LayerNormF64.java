package dev.downhill.backend.cpu;

import java.util.Arrays;

/** Rows of {@code f64} of any layout; the sums have the order of {@link LayerNormF32}. */
final class LayerNormF64 implements LayerNormRows {
  private final double[] lanes = new double[2 * CpuLayerNorm.LANES];
  private double[] x = {};
  private double[] dy = {};

  @Override
  public void forward(LayerNormCall c, long from, long to) {
    reserve(c.n);
    for (long row = from; row < to; row++) {
      read(c.x, row, c.n, x);
      forward(c, row);
    }
  }

  private void forward(LayerNormCall c, long row) {
    int n = c.n;
    double mean = 0;
    if (c.centred) {
      for (int from = 0; from < n; from += CpuLayerNorm.PART) {
        Arrays.fill(lanes, 0);
        for (int i = from; i < Math.min(n, from + CpuLayerNorm.PART); i++) {
          lanes[i % CpuLayerNorm.LANES] += x[i];
        }
        mean += fold(0);
      }
      mean /= n;
    }
    double squares = 0;
    for (int from = 0; from < n; from += CpuLayerNorm.PART) {
      Arrays.fill(lanes, 0);
      for (int i = from; i < Math.min(n, from + CpuLayerNorm.PART); i++) {
        double d = x[i] - mean;
        lanes[i % CpuLayerNorm.LANES] = Math.fma(d, d, lanes[i % CpuLayerNorm.LANES]);
      }
      squares += fold(0);
    }
    double rstd = 1 / Math.sqrt(squares / n + c.eps);
    long at = c.out.at(row);
    for (int i = 0; i < n; i++) {
      double z = (x[i] - mean) * rstd;
      c.out.setF64(Math.fma(z, c.wideWeight[i], c.wideBias[i]), at, i);
    }
    c.keep(row, mean, rstd);
  }

  @Override
  public void backward(LayerNormCall c, int block) {
    reserve(c.n);
    int share = 2 * c.padded * block;
    Arrays.fill(c.wideShares(), share, share + 2 * c.padded, 0);
    long from = (long) block * CpuLayerNorm.BLOCK;
    long to = Math.min(c.rows, from + CpuLayerNorm.BLOCK);
    for (long row = from; row < to; row++) {
      read(c.x, row, c.n, x);
      read(c.dy, row, c.n, dy);
      backward(c, row, share);
    }
  }

  private void backward(LayerNormCall c, long row, int share) {
    int n = c.n;
    double mean = c.meanF64(row);
    double rstd = c.rstdF64(row);
    double[] shares = c.wideShares();
    double sum = 0;
    double product = 0;
    for (int from = 0; from < n; from += CpuLayerNorm.PART) {
      Arrays.fill(lanes, 0);
      for (int i = from; i < Math.min(n, from + CpuLayerNorm.PART); i++) {
        int lane = i % CpuLayerNorm.LANES;
        double z = (x[i] - mean) * rstd;
        double g = dy[i] * c.wideWeight[i];
        lanes[lane] += g;
        lanes[CpuLayerNorm.LANES + lane] = Math.fma(g, z, lanes[CpuLayerNorm.LANES + lane]);
        shares[share + i] = Math.fma(dy[i], z, shares[share + i]);
        shares[share + c.padded + i] += dy[i];
      }
      sum += fold(0);
      product += fold(CpuLayerNorm.LANES);
    }
    if (!c.hasOut) {
      return;
    }
    sum = c.centred ? sum / n : 0;
    product /= n;
    long at = c.out.at(row);
    for (int i = 0; i < n; i++) {
      double z = (x[i] - mean) * rstd;
      c.out.setF64(Math.fma(-z, product, dy[i] * c.wideWeight[i] - sum) * rstd, at, i);
    }
  }

  @Override
  public void finish(LayerNormCall c, int from, int to) {
    for (int i = from; i < to; i++) {
      double weight = 0;
      double bias = 0;
      for (int block = 0; block < c.blocks; block++) {
        weight += c.wideShares()[2 * c.padded * block + i];
        bias += c.wideShares()[2 * c.padded * block + c.padded + i];
      }
      LayerNormCall.set(c.dweight, i, weight);
      LayerNormCall.set(c.dbias, i, bias);
    }
  }

  private void reserve(int n) {
    if (x.length < n) {
      x = new double[n];
      dy = new double[n];
    }
  }

  private static void read(RowStarts rows, long row, int n, double[] to) {
    long at = rows.at(row);
    for (int i = 0; i < n; i++) {
      to[i] = rows.getF64(at, i);
    }
  }

  private double fold(int at) {
    for (int half = CpuLayerNorm.LANES / 2; half > 0; half /= 2) {
      for (int l = at; l < at + half; l++) {
        lanes[l] += lanes[l + half];
      }
    }
    return lanes[at];
  }
}

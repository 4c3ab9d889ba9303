package dev.downhill.backend.cpu;

import java.util.Arrays;

/** Rows of {@code f64}; the sums have the order of {@link SoftmaxRowF32}. */
final class SoftmaxRowF64 implements SoftmaxRow {
  private final double[] lanes = new double[CpuSoftmax.LANES];
  private double[] a = {};
  private double[] b = {};

  @Override
  public void forward(Rows x, boolean log, Rows y, long row) {
    int n = room(Math.toIntExact(x.length()));
    x.load(row, a);
    double max = max(n);
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      double z = a[i] - max;
      double e = CpuMath.exp(z);
      lanes[i % CpuSoftmax.LANES] += e;
      a[i] = log ? z : e;
    }
    double sum = ScalarSoftmax.fold(lanes);
    double logSum = CpuMath.log(sum);
    for (int i = 0; i < n; i++) {
      a[i] = log ? a[i] - logSum : a[i] / sum;
    }
    y.store(a, row);
  }

  @Override
  public void backward(Rows y, Rows dy, boolean log, Rows dx, long row) {
    int n = room(Math.toIntExact(y.length()));
    y.load(row, a);
    dy.load(row, b);
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      int lane = i % CpuSoftmax.LANES;
      lanes[lane] = log ? lanes[lane] + b[i] : Math.fma(a[i], b[i], lanes[lane]);
    }
    double sum = ScalarSoftmax.fold(lanes);
    for (int i = 0; i < n; i++) {
      b[i] = log ? Math.fma(CpuMath.exp(a[i]), -sum, b[i]) : a[i] * (b[i] - sum);
    }
    dx.store(b, row);
  }

  @Override
  public void crossEntropy(Rows x, int target, Rows y, Rows z, long row) {
    int n = room(Math.toIntExact(x.length()));
    x.load(row, a);
    double max = max(n);
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      lanes[i % CpuSoftmax.LANES] += CpuMath.exp(a[i] - max);
    }
    double sum = ScalarSoftmax.fold(lanes);
    double logSum = CpuMath.log(sum);
    z.setFirst(row, sum > 0 ? max + logSum : Double.NaN);
    y.setFirst(row, target < 0 ? 0 : logSum - (a[target] - max));
  }

  @Override
  public void crossEntropyBackward(Rows x, int target, Rows z, Rows dy, Rows dx, long row) {
    int n = room(Math.toIntExact(x.length()));
    if (target < 0) {
      Arrays.fill(a, 0, n, 0);
    } else {
      x.load(row, a);
      double logSum = z.first(row);
      double scale = dy.first(row);
      double hit = CpuMath.exp(a[target] - logSum) - 1;
      for (int i = 0; i < n; i++) {
        a[i] = scale * CpuMath.exp(a[i] - logSum);
      }
      a[target] = scale * hit;
    }
    dx.store(a, row);
  }

  private double max(int n) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = a[i] > max ? a[i] : max;
    }
    return max;
  }

  private int room(int length) {
    if (a.length < length) {
      a = new double[length];
      b = new double[length];
    }
    return length;
  }
}

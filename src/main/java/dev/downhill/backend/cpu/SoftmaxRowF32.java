package dev.downhill.backend.cpu;

import java.util.Arrays;

/**
 * Rows of {@code f32}, or of {@code bf16} computed in it. A row is copied and filled up to a
 * multiple of {@link CpuSoftmax#LANES} with elements that leave the sums as they are, so loops have
 * no rest.
 */
final class SoftmaxRowF32 implements SoftmaxRow {
  private final float[] lanes = new float[CpuSoftmax.LANES];
  private float[] a = {};
  private float[] b = {};

  @Override
  public void forward(Rows x, boolean log, Rows y, long row) {
    int length = Math.toIntExact(x.length());
    int n = room(length);
    x.load(row, a);
    Arrays.fill(a, length, n, Float.NEGATIVE_INFINITY);
    if (Simd.AVAILABLE) {
      VectorSoftmax.forward(a, n, log, lanes);
    } else {
      forward(a, n, log, lanes);
    }
    y.store(a, row);
  }

  @Override
  public void backward(Rows y, Rows dy, boolean log, Rows dx, long row) {
    int length = Math.toIntExact(y.length());
    int n = room(length);
    y.load(row, a);
    dy.load(row, b);
    Arrays.fill(a, length, n, 0);
    Arrays.fill(b, length, n, 0);
    if (Simd.AVAILABLE) {
      VectorSoftmax.backward(a, b, n, log, lanes);
    } else {
      backward(a, b, n, log, lanes);
    }
    dx.store(b, row);
  }

  @Override
  public void crossEntropy(Rows x, int target, Rows y, Rows z, long row) {
    int length = Math.toIntExact(x.length());
    int n = room(length);
    x.load(row, a);
    Arrays.fill(a, length, n, Float.NEGATIVE_INFINITY);
    float max;
    if (Simd.AVAILABLE) {
      max = VectorSoftmax.max(a, n);
      VectorSoftmax.sumExp(a, n, max, lanes);
    } else {
      max = max(a, n);
      sumExp(a, n, max, lanes);
    }
    float sum = fold(lanes);
    float logSum = CpuMath.log(sum);
    // Without a class there is a sum, 0, but no greatest element.
    lanes[0] = sum > 0 ? max + logSum : Float.NaN;
    z.store(lanes, row);
    // Not z - x: of great logits that would leave few digits.
    lanes[0] = target < 0 ? 0 : logSum - (a[target] - max);
    y.store(lanes, row);
  }

  @Override
  public void crossEntropyBackward(Rows x, int target, Rows z, Rows dy, Rows dx, long row) {
    int length = Math.toIntExact(x.length());
    int n = room(length);
    if (target < 0) {
      Arrays.fill(a, 0, n, 0);
    } else {
      x.load(row, a);
      Arrays.fill(a, length, n, 0);
      z.load(row, lanes);
      float logSum = lanes[0];
      dy.load(row, lanes);
      float scale = lanes[0];
      float hit = CpuMath.exp(a[target] - logSum) - 1;
      if (Simd.AVAILABLE) {
        VectorSoftmax.scaledExp(a, n, logSum, scale);
      } else {
        scaledExp(a, n, logSum, scale);
      }
      a[target] = scale * hit;
    }
    dx.store(a, row);
  }

  private int room(int length) {
    int n = (length + CpuSoftmax.LANES - 1) / CpuSoftmax.LANES * CpuSoftmax.LANES;
    if (a.length < n) {
      a = new float[n];
      b = new float[n];
    }
    return n;
  }

  /** x = softmax(x), one element after the other. */
  static void forward(float[] x, int n, boolean log, float[] lanes) {
    float max = max(x, n);
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      float z = x[i] - max;
      float e = CpuMath.exp(z);
      lanes[i % CpuSoftmax.LANES] += e;
      x[i] = log ? z : e;
    }
    float sum = fold(lanes);
    float logSum = CpuMath.log(sum);
    for (int i = 0; i < n; i++) {
      x[i] = log ? x[i] - logSum : x[i] / sum;
    }
  }

  /** The greatest element; NaN is passed over. */
  static float max(float[] x, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = x[i] > max ? x[i] : max;
    }
    return max;
  }

  /** The lanes of sum(e^(x - max)). */
  static void sumExp(float[] x, int n, float max, float[] lanes) {
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      lanes[i % CpuSoftmax.LANES] += CpuMath.exp(x[i] - max);
    }
  }

  /** x = scale e^(x - z). */
  static void scaledExp(float[] x, int n, float z, float scale) {
    for (int i = 0; i < n; i++) {
      x[i] = scale * CpuMath.exp(x[i] - z);
    }
  }

  /** dy = dx, one element after the other. */
  static void backward(float[] y, float[] dy, int n, boolean log, float[] lanes) {
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      int lane = i % CpuSoftmax.LANES;
      lanes[lane] = log ? lanes[lane] + dy[i] : Math.fma(y[i], dy[i], lanes[lane]);
    }
    float sum = fold(lanes);
    for (int i = 0; i < n; i++) {
      dy[i] = log ? Math.fma(CpuMath.exp(y[i]), -sum, dy[i]) : y[i] * (dy[i] - sum);
    }
  }

  /** The sum of the lanes: 8 and 8, 4 and 4, 2 and 2, 1 and 1. */
  static float fold(float[] lanes) {
    for (int half = CpuSoftmax.LANES / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[0];
  }
}

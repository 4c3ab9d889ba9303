package dev.downhill.backend.cpu;

import java.util.Arrays;

/** The loops of softmax, one element after the other: the definition of {@link VectorSoftmax}. */
final class ScalarSoftmax implements SoftmaxLoops {
  @Override
  public void forward(float[] x, int n, boolean log, float[] lanes) {
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

  @Override
  public float max(float[] x, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = x[i] > max ? x[i] : max;
    }
    return max;
  }

  @Override
  public float sumExp(float[] x, int n, float max, float[] lanes) {
    Arrays.fill(lanes, 0);
    for (int i = 0; i < n; i++) {
      lanes[i % CpuSoftmax.LANES] += CpuMath.exp(x[i] - max);
    }
    return fold(lanes);
  }

  @Override
  public void scaledExp(float[] x, int n, float z, float scale) {
    for (int i = 0; i < n; i++) {
      x[i] = scale * CpuMath.exp(x[i] - z);
    }
  }

  @Override
  public void backward(float[] y, float[] dy, int n, boolean log, float[] lanes) {
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

  /** The same in {@code f64}. */
  static double fold(double[] lanes) {
    for (int half = CpuSoftmax.LANES / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[0];
  }
}

package dev.downhill.backend.cpu;

/**
 * The loops of {@link SoftmaxRowF32} over a row in an array, whose length {@code n} is a multiple
 * of {@link CpuSoftmax#LANES}; {@code lanes} is room for so many sums.
 */
interface SoftmaxLoops {
  /** x = softmax(x), or its logarithm. */
  void forward(float[] x, int n, boolean log, float[] lanes);

  /** The greatest element; NaN is passed over. */
  float max(float[] x, int n);

  /** Σ e^(x - max). */
  float sumExp(float[] x, int n, float max, float[] lanes);

  /** x = scale e^(x - z). */
  void scaledExp(float[] x, int n, float z, float scale);

  /** dy becomes dx, where y = softmax(x) or its logarithm. */
  void backward(float[] y, float[] dy, int n, boolean log, float[] lanes);
}

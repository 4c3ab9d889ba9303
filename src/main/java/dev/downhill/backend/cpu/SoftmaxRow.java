package dev.downhill.backend.cpu;

/**
 * What one thread needs for softmax and cross-entropy of rows of one element type: room for rows
 * and the loops.
 */
interface SoftmaxRow {
  /** One row of y = softmax(x), or its logarithm. */
  void forward(Rows x, boolean log, Rows y, long row);

  /** One row of dx = y (dy - sum(dy y)), or for the logarithm dy - e^y sum(dy). */
  void backward(Rows y, Rows dy, boolean log, Rows dx, long row);

  /**
   * z = log(sum(e^x)) and y = z - x[target] of one row.
   *
   * @param target the class, or negative for y = 0
   */
  void crossEntropy(Rows x, int target, Rows y, Rows z, long row);

  /** One row of dx = dy (e^(x - z) - 1 at the target), or of 0 if the target is negative. */
  void crossEntropyBackward(Rows x, int target, Rows z, Rows dy, Rows dx, long row);
}

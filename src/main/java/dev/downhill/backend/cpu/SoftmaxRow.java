package dev.downhill.backend.cpu;

/** What one thread needs for softmax of rows of one element type: room for rows and the loops. */
interface SoftmaxRow {
  /** One row of y = softmax(x), or its logarithm. */
  void forward(Rows x, boolean log, Rows y, long row);

  /** One row of dx = y (dy - sum(dy y)), or for the logarithm dy - e^y sum(dy). */
  void backward(Rows y, Rows dy, boolean log, Rows dx, long row);
}

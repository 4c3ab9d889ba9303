package dev.downhill.backend.cpu;

/** The loops of {@link CpuLayerNorm} for one element type; each thread has its own. */
interface LayerNormRows {
  /** Rows {@code from} to {@code to - 1} of y, mean and rstd. */
  void forward(LayerNormCall c, long from, long to);

  /** The rows of a block of dx, and their share of dweight and dbias. */
  void backward(LayerNormCall c, int block);

  /** Columns {@code from} to {@code to - 1} of dweight and dbias, from the shares of all blocks. */
  void finish(LayerNormCall c, int from, int to);
}

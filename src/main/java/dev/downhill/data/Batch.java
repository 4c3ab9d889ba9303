package dev.downhill.data;

import dev.downhill.tensor.Tensor;

/**
 * Some examples of a {@link Dataset}.
 *
 * @param x the features, examples along the first dimension
 * @param y the targets, in the same order
 */
public record Batch(Tensor x, Tensor y) {
  /** The number of examples. */
  public long size() {
    return x.size(0);
  }
}

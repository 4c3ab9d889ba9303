package dev.downhill.nn;

import dev.downhill.tensor.Tensor;

/**
 * In training mode, omits each element with probability p and multiplies the others by 1/(1 - p);
 * in evaluation mode, the identity. See {@link dev.downhill.tensor.Dropout#dropout}.
 */
public final class Dropout extends Layer {
  private final double p;
  private final Noise noise = noise("mask");

  /**
   * A layer that omits.
   *
   * @param p the probability, 0 to 1
   */
  public Dropout(double p) {
    if (!(p >= 0 && p <= 1)) {
      throw new IllegalArgumentException("Dropout: expected a probability of 0 to 1, got p " + p);
    }
    this.p = p;
  }

  @Override
  public Tensor forward(Tensor x) {
    return isTraining() ? dev.downhill.tensor.Dropout.dropout(x, p, noise.generator()) : x;
  }

  @Override
  public String toString() {
    return "Dropout(%s)".formatted(p);
  }
}

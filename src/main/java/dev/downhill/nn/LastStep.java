package dev.downhill.nn;

import dev.downhill.tensor.Tensor;

/** The last step of sequences whose batch comes first: (N, T, H) becomes (N, H). */
public final class LastStep extends Layer {
  /** The layer has no parameters. */
  public LastStep() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.select(1, -1);
  }

  @Override
  public String toString() {
    return "LastStep()";
  }
}

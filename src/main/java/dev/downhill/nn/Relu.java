package dev.downhill.nn;

import dev.downhill.tensor.Tensor;

/** y = max(x, 0). Other activations are in {@link Activations}. */
public final class Relu extends Layer {
  /** Creates the layer. */
  public Relu() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.relu();
  }
}

package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Recurrent;
import dev.downhill.tensor.Tensor;

/**
 * A gated recurrent unit, one layer in one direction, with gates r, z, n; see {@link
 * Recurrent#gru}.
 */
public final class Gru extends RecurrentLayer {
  /** Of {@code in} features and {@code hidden} states, as in PyTorch. */
  public Gru(long in, long hidden) {
    this(in, hidden, Options.DEFAULT);
  }

  /** Of {@code in} features and {@code hidden} states. */
  public Gru(long in, long hidden, Options options) {
    super(3, in, hidden, options);
  }

  /** The states after all steps, from zeros. */
  @Override
  public Tensor forward(Tensor x) {
    return Recurrent.gru(x, weights(), fromZeros()).output();
  }

  /** The states after all steps and the last state, from a state. */
  public Recurrent.GruResult forward(Tensor x, Tensor h) {
    return Recurrent.gru(x, weights(), fromZeros().withState(h));
  }

  @Override
  public Gru on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Gru on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

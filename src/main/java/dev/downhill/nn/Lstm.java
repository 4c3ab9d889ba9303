package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Recurrent;
import dev.downhill.tensor.Tensor;

/**
 * A long short-term memory, one layer in one direction, with gates i, f, g, o; see {@link
 * Recurrent#lstm}.
 */
public final class Lstm extends RecurrentLayer {
  /** Of {@code in} features and {@code hidden} states, as in PyTorch. */
  public Lstm(long in, long hidden) {
    this(in, hidden, Options.DEFAULT);
  }

  /** Of {@code in} features and {@code hidden} states. */
  public Lstm(long in, long hidden, Options options) {
    super(4, in, hidden, options);
  }

  /** The states after all steps, from zeros. */
  @Override
  public Tensor forward(Tensor x) {
    return Recurrent.lstm(x, weights(), fromZeros()).output();
  }

  /** The states after all steps, the last state and the last cell, from a state and a cell. */
  public Recurrent.LstmResult forward(Tensor x, Tensor h, Tensor c) {
    return Recurrent.lstm(x, weights(), fromZeros().withState(h).withCell(c));
  }

  @Override
  public Lstm on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Lstm on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

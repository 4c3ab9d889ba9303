package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;

/** {@link BatchNorm} of x (N, C) or (N, C, L). */
public final class BatchNorm1d extends BatchNorm {
  /** Of {@code channels} channels, as in PyTorch. */
  public BatchNorm1d(long channels) {
    this(channels, Options.DEFAULT);
  }

  /** Of {@code channels} channels. */
  public BatchNorm1d(long channels, Options options) {
    super(channels, options);
  }

  @Override
  boolean takes(int rank) {
    return rank == 2 || rank == 3;
  }

  @Override
  public BatchNorm1d on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public BatchNorm1d on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

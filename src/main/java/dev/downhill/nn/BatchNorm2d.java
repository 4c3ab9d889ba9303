package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;

/** {@link BatchNorm} of images: x (N, C, H, W). */
public final class BatchNorm2d extends BatchNorm {
  /** Of {@code channels} channels, as in PyTorch. */
  public BatchNorm2d(long channels) {
    this(channels, Options.DEFAULT);
  }

  /** Of {@code channels} channels. */
  public BatchNorm2d(long channels, Options options) {
    super(channels, options);
  }

  @Override
  boolean takes(int rank) {
    return rank == 4;
  }

  @Override
  public BatchNorm2d on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public BatchNorm2d on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

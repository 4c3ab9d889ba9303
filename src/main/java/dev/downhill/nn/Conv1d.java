package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Convolution;
import dev.downhill.tensor.Tensor;

/**
 * A convolution over (N, C, L) or (C, L), with a weight (O, C/G, K) and a bias (O). See {@link
 * Convolution#conv1d}.
 */
public final class Conv1d extends Conv {
  /** A convolution with windows of this size, one number, stride 1, with a bias. */
  public Conv1d(long in, long out, long... kernel) {
    this(in, out, kernel, Options.DEFAULT);
  }

  /** A convolution with windows of this size, one number. */
  public Conv1d(long in, long out, long kernel, Options options) {
    this(in, out, new long[] {kernel}, options);
  }

  /** A convolution with windows of this size, one number. */
  public Conv1d(long in, long out, long[] kernel, Options options) {
    super("Conv1d", in, out, kernel("Conv1d", 1, kernel), false, options);
  }

  @Override
  public Tensor forward(Tensor x) {
    return Convolution.conv1d(x, weight().tensor(), biasTensor(), windows());
  }

  @Override
  public Conv1d on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Conv1d on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

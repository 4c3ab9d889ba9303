package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Convolution;
import dev.downhill.tensor.Tensor;

/**
 * A convolution over (N, C, H, W) or (C, H, W), with a weight (O, C/G, kH, kW) and a bias (O). See
 * {@link Convolution#conv2d}.
 */
public final class Conv2d extends Conv {
  /**
   * A convolution with windows of this size, one number for both directions or one for each, stride
   * 1, with a bias.
   */
  public Conv2d(long in, long out, long... kernel) {
    this(in, out, kernel, Options.DEFAULT);
  }

  /** A convolution with windows of this size, one number for both directions or one for each. */
  public Conv2d(long in, long out, long kernel, Options options) {
    this(in, out, new long[] {kernel}, options);
  }

  /** A convolution with windows of this size, one number for both directions or one for each. */
  public Conv2d(long in, long out, long[] kernel, Options options) {
    super("Conv2d", in, out, kernel("Conv2d", 2, kernel), false, options);
  }

  @Override
  public Tensor forward(Tensor x) {
    return Convolution.conv2d(x, weight().tensor(), biasTensor(), windows());
  }

  @Override
  public Conv2d on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Conv2d on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

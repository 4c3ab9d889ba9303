package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Convolution;
import dev.downhill.tensor.Tensor;

/**
 * The transposed convolution over (N, C, H, W) or (C, H, W), with a weight (C, O/G, kH, kW) and a
 * bias (O). See {@link Convolution#convTranspose2d}.
 */
public final class ConvTranspose2d extends Conv {
  /**
   * A convolution with windows of this size, one number for both directions or one for each, stride
   * 1, with a bias.
   */
  public ConvTranspose2d(long in, long out, long... kernel) {
    this(in, out, kernel, Options.DEFAULT);
  }

  /** A convolution with windows of this size, one number for both directions or one for each. */
  public ConvTranspose2d(long in, long out, long kernel, Options options) {
    this(in, out, new long[] {kernel}, options);
  }

  /** A convolution with windows of this size, one number for both directions or one for each. */
  public ConvTranspose2d(long in, long out, long[] kernel, Options options) {
    super("ConvTranspose2d", in, out, kernel("ConvTranspose2d", 2, kernel), true, options);
  }

  @Override
  public Tensor forward(Tensor x) {
    return Convolution.convTranspose2d(x, weight().tensor(), biasTensor(), windows());
  }

  @Override
  public ConvTranspose2d on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public ConvTranspose2d on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

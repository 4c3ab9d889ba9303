package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;

/** The same values in another dtype, memory order or place. */
final class Conversion {
  private Conversion() {}

  /**
   * y = x in another dtype: floats become integers by cutting off, anything but 0 becomes true. The
   * same tensor if there is nothing to do.
   *
   * <p>Gradient: dx = dy in x's dtype, between floating types.
   */
  static Tensor to(Tensor x, DType dtype) {
    if (x.dtype() == dtype) {
      x.check("to");
      return x;
    }
    Op op = Op.of("to", x);
    Tensor y = op.output(dtype, x.shape());
    op.device().run(b -> b.copy(x.view(), y.view()));
    DType from = x.dtype();
    return op.record(y, p -> p.dy().to(from));
  }

  /**
   * y = x on another device, copied through host memory; the same tensor if it is there.
   *
   * <p>Gradient: dx = dy on x's device.
   */
  static Tensor to(Tensor x, Device device) {
    if (x.device() == device) {
      x.check("to");
      return x;
    }
    Op op = Op.of("to", x);
    Tensor y = Creation.ofBytes(device, x.dtype(), x.shape(), Reading.bytes(x));
    Device from = x.device();
    return op.record(y, p -> p.dy().to(from));
  }

  /** x itself if it is contiguous, else {@link #copy}. */
  static Tensor contiguous(Tensor x) {
    if (x.isContiguous()) {
      x.check("contiguous");
      return x;
    }
    return copy(x);
  }

  /**
   * y = x in fresh row-major memory.
   *
   * <p>Gradient: dx = dy.
   */
  static Tensor copy(Tensor x) {
    Op op = Op.of("contiguous", x);
    Tensor y = op.output(x.shape());
    op.device().run(b -> b.copy(x.view(), y.view()));
    return op.record(y, p -> p.dy());
  }
}

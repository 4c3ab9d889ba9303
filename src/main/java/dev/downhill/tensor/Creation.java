package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.lang.foreign.MemorySegment;

/** New tensors from values of the host. */
final class Creation {
  private Creation() {}

  /**
   * A tensor with a copy of these values.
   *
   * @param values row-major
   * @param sizes the shape; none gives a 0-d tensor of one value
   * @throws ShapeException if the number of values is not the product of the sizes
   */
  static Tensor of(Device device, float[] values, long... sizes) {
    return upload(device, DType.F32, values.length, MemorySegment.ofArray(values), sizes);
  }

  static Tensor of(Device device, double[] values, long... sizes) {
    return upload(device, DType.F64, values.length, MemorySegment.ofArray(values), sizes);
  }

  static Tensor of(Device device, long[] values, long... sizes) {
    return upload(device, DType.I64, values.length, MemorySegment.ofArray(values), sizes);
  }

  static Tensor of(Device device, boolean[] values, long... sizes) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) (values[i] ? 1 : 0);
    }
    return upload(device, DType.BOOL, values.length, MemorySegment.ofArray(bytes), sizes);
  }

  private static Tensor upload(
      Device device, DType dtype, long count, MemorySegment values, long[] sizes) {
    Shape shape = Shape.of(sizes);
    if (shape.numel() != count) {
      throw new ShapeException(
          "tensor: expected %s values for shape %s, got %s".formatted(shape.numel(), shape, count));
    }
    return ofBytes(device, dtype, shape, values);
  }

  /** A tensor with a copy of row-major host memory of this dtype. */
  static Tensor ofBytes(Device device, DType dtype, Shape shape, MemorySegment values) {
    long given = values.byteSize();
    if (given % dtype.bytes() != 0 || given / dtype.bytes() != shape.numel()) {
      throw new ShapeException(
          "tensor: expected the bytes of %s elements for %s %s, got %s"
              .formatted(shape.numel(), dtype, shape, given));
    }
    Step.refuseInside("upload");
    Tensor y = Tensor.empty(device, dtype, shape);
    device.run(b -> b.upload(values, y.view()));
    return y;
  }

  /** A tensor with one value everywhere; the value is converted to the dtype. */
  static Tensor full(Device device, DType dtype, double value, long... sizes) {
    return Tensor.empty(device, dtype, Shape.of(sizes)).fill(value);
  }

  /** 0, 1, ..., n - 1. */
  static Tensor arange(Device device, DType dtype, long n) {
    if (n < 0) {
      throw new IllegalArgumentException("arange: expected a length of 0 or more, got " + n);
    }
    Tensor y = Tensor.empty(device, dtype, Shape.of(n));
    device.run(b -> b.arange(y.view(), 0, 1));
    return y;
  }
}

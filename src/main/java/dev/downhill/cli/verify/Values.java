package dev.downhill.cli.verify;

import dev.downhill.backend.Device;
import dev.downhill.checkpoint.Safetensors;
import dev.downhill.checkpoint.TensorInfo;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A tensor on the host.
 *
 * @param bytes the elements, little-endian and row-major
 */
record Values(DType dtype, Shape shape, MemorySegment bytes) {
  /** A copy of a tensor of a device. */
  static Values of(Tensor t) {
    return new Values(t.dtype(), t.shape(), t.toBytes());
  }

  /** A tensor of a file. */
  static Values read(Safetensors file, String name) {
    TensorInfo info = file.tensor(name);
    // A long[] is aligned for every dtype.
    MemorySegment bytes =
        MemorySegment.ofArray(new long[Math.toIntExact(Math.ceilDiv(info.bytes(), 8))])
            .asSlice(0, info.bytes());
    file.read(name, bytes);
    return new Values(info.dtype(), info.shape(), bytes);
  }

  /** A copy on a device. */
  Tensor on(Device device) {
    return Tensor.ofBytes(device, dtype, shape, bytes);
  }

  /** An element of a tensor of integers or truth values. */
  long integer(long i) {
    return switch (dtype) {
      case I64 -> bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, i * 8);
      case I32 -> bytes.get(ValueLayout.JAVA_INT_UNALIGNED, i * 4);
      case U8 -> bytes.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
      case BOOL -> bytes.get(ValueLayout.JAVA_BYTE, i);
      case F64, F32, BF16 -> throw new AssertionError(dtype);
    };
  }

  /** An element of a floating-point tensor. */
  double number(long i) {
    return switch (dtype) {
      case F64 -> bytes.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, i * 8);
      case F32 -> bytes.get(ValueLayout.JAVA_FLOAT_UNALIGNED, i * 4);
      case BF16 -> Float.intBitsToFloat(bytes.get(ValueLayout.JAVA_SHORT_UNALIGNED, i * 2) << 16);
      case I64, I32, U8, BOOL -> throw new AssertionError(dtype);
    };
  }

  /** An element in the shortest digits that name it. */
  String text(long i) {
    return switch (dtype) {
      case F64 -> Double.toString(number(i));
      case F32, BF16 -> Float.toString((float) number(i));
      case BOOL -> Boolean.toString(integer(i) != 0);
      case I64, I32, U8 -> Long.toString(integer(i));
    };
  }
}

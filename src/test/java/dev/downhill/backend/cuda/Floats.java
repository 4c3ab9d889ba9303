package dev.downhill.backend.cuda;

import dev.downhill.shape.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Bytes of device memory as numbers. */
final class Floats {
  private Floats() {}

  /** The elements of a floating type. */
  static double[] of(byte[] bytes, DType dtype) {
    ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    double[] values = new double[bytes.length / dtype.bytes()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (dtype) {
            case F64 -> from.getDouble();
            case F32 -> from.getFloat();
            case BF16 -> Float.intBitsToFloat(from.getShort() << Short.SIZE);
            default -> throw new IllegalArgumentException(dtype.toString());
          };
    }
    return values;
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Elements of any type, moved or read one by one where speed is not all. */
final class AnyType {
  private AnyType() {}

  /** Element {@code index} of {@code f64} or {@code f32}. */
  static double floating(DType dtype, MemorySegment s, long index) {
    return dtype == DType.F64
        ? Scalars.loadF64(s, index * Double.BYTES)
        : Scalars.loadF32(s, index * Float.BYTES);
  }

  /** Element {@code index} of an integer type, or 0 or 1 of bool. */
  static long integer(DType dtype, MemorySegment s, long index) {
    return switch (dtype) {
      case I64 -> Scalars.loadI64(s, index * Long.BYTES);
      case I32 -> Scalars.loadI32(s, index * Integer.BYTES);
      case U8, BOOL -> Scalars.loadU8(s, index);
      case F64, F32, BF16 -> throw new AssertionError(dtype);
    };
  }

  /**
   * Copies {@code n} elements of {@code bytes} bytes from one row of places to another; positions
   * and strides in bytes.
   */
  static void copy(
      MemorySegment x, long xi, long xs, MemorySegment y, long yi, long ys, long n, int bytes) {
    if (xs == bytes && ys == bytes) {
      MemorySegment.copy(x, xi, y, yi, n * bytes);
      return;
    }
    switch (bytes) {
      case 1 -> {
        for (long i = 0; i < n; i++) {
          y.set(ValueLayout.JAVA_BYTE, yi + i * ys, x.get(ValueLayout.JAVA_BYTE, xi + i * xs));
        }
      }
      case 2 -> {
        for (long i = 0; i < n; i++) {
          short z = x.get(ValueLayout.JAVA_SHORT_UNALIGNED, xi + i * xs);
          y.set(ValueLayout.JAVA_SHORT_UNALIGNED, yi + i * ys, z);
        }
      }
      case 4 -> {
        for (long i = 0; i < n; i++) {
          int z = x.get(ValueLayout.JAVA_INT_UNALIGNED, xi + i * xs);
          y.set(ValueLayout.JAVA_INT_UNALIGNED, yi + i * ys, z);
        }
      }
      case 8 -> {
        for (long i = 0; i < n; i++) {
          long z = x.get(ValueLayout.JAVA_LONG_UNALIGNED, xi + i * xs);
          y.set(ValueLayout.JAVA_LONG_UNALIGNED, yi + i * ys, z);
        }
      }
      default -> throw new AssertionError(bytes);
    }
  }
}

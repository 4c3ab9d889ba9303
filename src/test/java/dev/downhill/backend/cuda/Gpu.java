package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The device for tests of this package, and whole buffers on it as doubles. */
final class Gpu {
  private static final CudaDevice DEVICE = open();

  private Gpu() {}

  private static CudaDevice open() {
    CudaLibraries.load();
    return new CudaDevice(0);
  }

  /** One device for all tests, so that they need no more memory than one. */
  static CudaDevice device() {
    return DEVICE;
  }

  /** Values in memory of their own, which lives to the end of the tests. */
  static View of(DType dtype, double... values) {
    CudaBuffer buffer = DEVICE.pool().allocate(dtype, values.length);
    MemorySegment host = MemorySegment.ofArray(new long[values.length]);
    for (int i = 0; i < values.length; i++) {
      switch (dtype) {
        case F64 -> host.setAtIndex(ValueLayout.JAVA_DOUBLE, i, values[i]);
        case F32 -> host.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) values[i]);
        case BF16 -> host.setAtIndex(ValueLayout.JAVA_SHORT, i, bf16((float) values[i]));
        default -> throw new IllegalArgumentException(dtype.toString());
      }
    }
    long bytes = (long) values.length * dtype.bytes();
    DEVICE.upload(host.asSlice(0, bytes), buffer.address());
    return new View(buffer, Layout.contiguous(Shape.of(values.length)));
  }

  /** All elements of the buffer below a view. */
  static double[] buffer(View view) {
    CudaBuffer buffer = (CudaBuffer) view.buffer();
    int count = Math.toIntExact(buffer.numel());
    MemorySegment host = MemorySegment.ofArray(new long[count]);
    DEVICE
        .download(buffer.address(), host.asSlice(0, (long) count * buffer.dtype().bytes()))
        .await();
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (buffer.dtype()) {
            case F64 -> host.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
            case F32 -> host.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            case BF16 ->
                Float.intBitsToFloat(host.getAtIndex(ValueLayout.JAVA_SHORT, i) << Short.SIZE);
            default -> throw new IllegalArgumentException(buffer.dtype().toString());
          };
    }
    return values;
  }

  /** Rounded to nearest, ties to even; for finite values. */
  private static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + (bits >>> Short.SIZE & 1)) >>> Short.SIZE);
  }

  /** A value as a dtype holds it. */
  static double round(DType dtype, double value) {
    return switch (dtype) {
      case F64 -> value;
      case F32 -> (float) value;
      case BF16 -> Float.intBitsToFloat(bf16((float) value) << Short.SIZE);
      default -> throw new IllegalArgumentException(dtype.toString());
    };
  }
}

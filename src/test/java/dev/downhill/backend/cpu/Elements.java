package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Views for tests, and their elements as doubles in row-major order. */
final class Elements {
  private Elements() {}

  /** Contiguous, all 0, in memory of its own. */
  static View zeros(DType dtype, long... sizes) {
    Shape shape = Shape.of(sizes);
    long bytes = Math.max(1, shape.numel() * dtype.bytes());
    MemorySegment segment = Arena.ofAuto().allocate(bytes, 64);
    return new View(new CpuBuffer(dtype, shape.numel(), segment), Layout.contiguous(shape));
  }

  static double[] get(View view) {
    MemorySegment s = CpuBuffer.segment(view);
    double[] values = new double[(int) view.shape().numel()];
    for (int i = 0; i < values.length; i++) {
      long at = position(view.layout(), i) * view.dtype().bytes();
      values[i] =
          switch (view.dtype()) {
            case F64 -> Scalars.loadF64(s, at);
            case F32 -> Scalars.loadF32(s, at);
            case BF16 -> Scalars.loadBf16(s, at);
            case I64 -> Scalars.loadI64(s, at);
            case I32 -> Scalars.loadI32(s, at);
            case U8 -> Scalars.loadU8(s, at);
            case BOOL -> Scalars.loadBool(s, at) ? 1 : 0;
          };
    }
    return values;
  }

  static View set(View view, double... values) {
    MemorySegment s = CpuBuffer.segment(view);
    for (int i = 0; i < values.length; i++) {
      long at = position(view.layout(), i) * view.dtype().bytes();
      switch (view.dtype()) {
        case F64 -> Scalars.storeF64(values[i], s, at);
        case F32 -> Scalars.storeF32((float) values[i], s, at);
        case BF16 -> Scalars.storeBf16((float) values[i], s, at);
        case I64 -> Scalars.storeI64((long) values[i], s, at);
        case I32 -> Scalars.storeI32((int) values[i], s, at);
        case U8 -> Scalars.storeU8((int) values[i], s, at);
        case BOOL -> Scalars.storeBool(values[i] != 0, s, at);
      }
    }
    return view;
  }

  private static long position(Layout layout, long index) {
    long position = layout.offset();
    for (int d = layout.shape().rank() - 1; d >= 0; d--) {
      position += index % layout.shape().size(d) * layout.stride(d);
      index /= layout.shape().size(d);
    }
    return position;
  }
}

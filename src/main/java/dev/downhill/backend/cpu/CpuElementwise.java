package dev.downhill.backend.cpu;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;

/**
 * Operators that work element by element, with the methods of {@link dev.downhill.backend.Backend}.
 * Each is a {@link Formula}; a {@link StridedLoop} brings the elements to it.
 */
final class CpuElementwise {
  /** What is moved, not computed. */
  private enum Move {
    COPY,
    FILL,
    WHERE;

    Formula formula() {
      return switch (this) {
        case COPY -> Formula.X;
        case FILL -> Formula.A;
        case WHERE -> Formula.select(Formula.Input.CONDITION, Formula.X, Formula.Y);
      };
    }
  }

  // Code, the same for all devices.
  private static final Kernels<Move> MOVE = new Kernels<>(Move.class, Move::formula);
  private static final Kernels<Unary> UNARY = new Kernels<>(Unary.class, CpuUnary::forward);
  private static final Kernels<Unary> BACKWARD = new Kernels<>(Unary.class, CpuUnary::backward);
  private static final Kernels<Binary> BINARY =
      new Kernels<>(Binary.class, op -> CpuBinary.of(op, Formula.X, Formula.Y));
  private static final Kernels<Binary> SCALAR_RIGHT =
      new Kernels<>(Binary.class, op -> CpuBinary.of(op, Formula.X, Formula.A));
  private static final Kernels<Binary> SCALAR_LEFT =
      new Kernels<>(Binary.class, op -> CpuBinary.of(op, Formula.A, Formula.X));

  /** Bytes that a task clears. */
  private static final long CLEARED = 1 << 18;

  private final Workers workers;
  private final StridedLoop loop = new StridedLoop();

  CpuElementwise(Workers workers) {
    this.workers = workers;
  }

  void copy(View x, View y) {
    run(MOVE.get(Move.COPY, x.dtype(), y.dtype()), x, x, x, y, 0, 0);
  }

  void fill(View y, double value) {
    if (Double.doubleToRawLongBits(value) == 0 && y.layout().isContiguous()) {
      clear(y);
      return;
    }
    DType dtype = y.dtype();
    run(MOVE.get(Move.FILL, dtype, dtype), y, y, y, y, round(value, dtype), 0);
  }

  /** Zeros of all types are zero bytes, which the system writes at full speed from the start. */
  private void clear(View y) {
    MemorySegment[] parts = CpuBuffer.parts(y, CLEARED);
    workers.run(parts.length, i -> parts[i].fill((byte) 0));
  }

  void arange(View y, double start, double step) {
    workers.run(1, _ -> write(y, start, step));
  }

  private static void write(View y, double start, double step) {
    DType dtype = y.dtype();
    MemorySegment s = CpuBuffer.segment(y);
    long first = y.layout().offset();
    for (long i = 0; i < y.shape().numel(); i++) {
      double value = start + i * step;
      long exact = (long) start + i * (long) step;
      long at = (first + i) * dtype.bytes();
      switch (dtype) {
        case F64 -> Scalars.storeF64(value, s, at);
        case F32 -> Scalars.storeF32((float) value, s, at);
        case BF16 -> Scalars.storeBf16((float) value, s, at);
        case I64 -> Scalars.storeI64(exact, s, at);
        case I32 -> Scalars.storeI32((int) exact, s, at);
        case U8 -> Scalars.storeU8((int) exact, s, at);
        case BOOL -> Scalars.storeBool(exact != 0, s, at);
      }
    }
  }

  void unary(Unary op, View x, double a, double b, View y) {
    run(UNARY.get(op, x.dtype(), y.dtype()), x, x, x, y, a, b);
  }

  void unaryBackward(Unary op, View saved, View dy, double a, double b, View dx) {
    View x = op.reads() == Unary.Reads.NOTHING ? dy : saved;
    run(BACKWARD.get(op, dy.dtype(), dx.dtype()), x, dy, dy, dx, a, b);
  }

  void binary(Binary op, View x, View y, View z) {
    run(BINARY.get(op, x.dtype(), z.dtype()), x, y, y, z, 0, 0);
  }

  void binary(Binary op, View x, double y, View z) {
    run(SCALAR_RIGHT.get(op, x.dtype(), z.dtype()), x, x, x, z, round(y, x.dtype()), 0);
  }

  void binary(Binary op, double x, View y, View z) {
    run(SCALAR_LEFT.get(op, y.dtype(), z.dtype()), y, y, y, z, round(x, y.dtype()), 0);
  }

  void where(View condition, View x, View y, View z) {
    DType bits =
        switch (z.dtype()) {
          case F64, I64 -> DType.I64;
          case F32, I32 -> DType.I32;
          case BF16 -> DType.BF16;
          case U8, BOOL -> DType.U8;
        };
    run(MOVE.get(Move.WHERE, bits, bits), x, y, condition, z, 0, 0);
  }

  private void run(Kernel kernel, View x, View y, View c, View z, double a, double b) {
    StridedLoop mine = workers.isCapturing() ? new StridedLoop() : loop;
    mine.run(workers, kernel, x, y, c, z, a, b);
  }

  /** A number as an element of the type would hold it. */
  static double round(double value, DType dtype) {
    return switch (dtype) {
      case F64 -> value;
      case F32 -> (float) value;
      case BF16 -> Float.intBitsToFloat(Scalars.bf16((float) value) << 16);
      case I64 -> (long) value;
      case I32 -> (int) value;
      case U8 -> (int) value & 0xff;
      case BOOL -> value != 0 ? 1 : 0;
    };
  }
}

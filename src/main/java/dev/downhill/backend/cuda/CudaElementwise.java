package dev.downhill.backend.cuda;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * Operators that work element by element, with the methods of {@link dev.downhill.backend.Backend}:
 * the families {@code unary}, {@code unary_backward}, {@code binary} and {@code copy} of kernels/.
 * Their formulas are there.
 */
final class CudaElementwise {
  /** What is moved, not computed. */
  private enum Move {
    COPY,
    FILL,
    ARANGE,
    WHERE
  }

  // Which operand of a binary kernel is a number
  private static final int NEITHER = 0;
  private static final int LEFT = 1;
  private static final int RIGHT = 2;

  private final CudaDevice device;
  private final KernelTable<Unary> unary;
  private final KernelTable<Unary> backward;
  private final KernelTable<Binary> binary;
  private final KernelTable<Move> move;
  private final Map<DType, KernelTable<Move>> copyFrom = new EnumMap<>(DType.class);
  private final Walk one = Walk.inPacks(1);
  private final Walk two = Walk.inPacks(2);
  private final Walk three = Walk.inPacks(3);
  private final Walk four = Walk.inPacks(4);

  CudaElementwise(CudaDevice device) {
    this.device = device;
    this.unary = new KernelTable<>(device, "unary", "", Unary.class);
    this.backward = new KernelTable<>(device, "unary_backward", "backward", Unary.class);
    this.binary = new KernelTable<>(device, "binary", "binary", Binary.class);
    this.move = new KernelTable<>(device, "copy", "", Move.class);
    for (DType from : DType.values()) {
      copyFrom.put(from, new KernelTable<>(device, "copy", from.suffix(), Move.class));
    }
  }

  void copy(View x, View y) {
    if (isEmpty(y)) {
      return;
    }
    KernelTable<Move> table = Objects.requireNonNull(copyFrom.get(x.dtype()));
    CudaKernel kernel = table.get(Move.COPY, y.dtype());
    launch(kernel.view(0, x).view(1, y), 2, two.of(x, y));
  }

  void fill(View y, double value) {
    if (isEmpty(y)) {
      return;
    }
    CudaKernel kernel = move.get(Move.FILL, y.dtype());
    launch(kernel.view(0, y).f64(1, value), 2, one.of(y));
  }

  void arange(View y, double start, double step) {
    if (isEmpty(y)) {
      return;
    }
    long n = y.shape().numel();
    move.get(Move.ARANGE, y.dtype())
        .view(0, y)
        .f64(1, start)
        .f64(2, step)
        .i64(3, n)
        .launch(device.blocks(n), CudaDevice.THREADS);
  }

  void unary(Unary op, View x, double a, double b, View y) {
    if (isEmpty(y)) {
      return;
    }
    CudaKernel kernel = unary.get(op, x.dtype());
    launch(kernel.view(0, x).view(1, y).f64(2, a).f64(3, b), 4, two.of(x, y));
  }

  void unaryBackward(Unary op, View saved, View dy, double a, double b, View dx) {
    if (isEmpty(dx)) {
      return;
    }
    View x = op.reads() == Unary.Reads.NOTHING ? dy : saved;
    CudaKernel kernel = backward.get(op, dy.dtype());
    launch(kernel.view(0, x).view(1, dy).view(2, dx).f64(3, a).f64(4, b), 5, three.of(x, dy, dx));
  }

  void binary(Binary op, View x, View y, View z) {
    binary(op, x, y, z, 0, NEITHER);
  }

  void binary(Binary op, View x, double y, View z) {
    binary(op, x, x, z, y, RIGHT);
  }

  void binary(Binary op, double x, View y, View z) {
    binary(op, y, y, z, x, LEFT);
  }

  private void binary(Binary op, View x, View y, View z, double scalar, int number) {
    if (isEmpty(z)) {
      return;
    }
    CudaKernel kernel = binary.get(op, x.dtype());
    launch(
        kernel.view(0, x).view(1, y).view(2, z).f64(3, scalar).i32(4, number),
        5,
        three.of(x, y, z));
  }

  void where(View condition, View x, View y, View z) {
    if (isEmpty(z)) {
      return;
    }
    CudaKernel kernel = move.get(Move.WHERE, z.dtype());
    launch(
        kernel.view(0, condition).view(1, x).view(2, y).view(3, z), 4, four.of(condition, x, y, z));
  }

  private static boolean isEmpty(View result) {
    return result.shape().numel() == 0;
  }

  private void launch(CudaKernel kernel, int parameter, Walk walk) {
    walk.write(kernel.struct(parameter));
    kernel.launch(device.blocks(walk.threads()), CudaDevice.THREADS);
  }
}

package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** {@link CpuTranspose} off the heap to an array. */
final class ArrayTranspose {
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();

  private ArrayTranspose() {}

  /** Copies 16 rows of 16 floats, {@code row} bytes apart, to 16 columns of {@code to}. */
  static void tile(MemorySegment s, long at, long row, float[] to, int it, int stride) {
    threeRounds(s, at, 2 * row, to, it, 2 * stride);
    threeRounds(s, at + row, 2 * row, to, it + stride, 2 * stride);
    for (int r = 0; r < CpuTranspose.SIZE; r += 2) {
      int pair = it + r * stride;
      IntVector x0 = FloatVector.fromArray(FloatVector.SPECIES_512, to, pair).reinterpretAsInts();
      IntVector x1 =
          FloatVector.fromArray(FloatVector.SPECIES_512, to, pair + stride).reinterpretAsInts();
      store(x0, x1, CpuTranspose.LOW1, CpuTranspose.HIGH1, to, pair, stride);
    }
  }

  private static void threeRounds(
      MemorySegment s, long at, long row, float[] to, int it, int stride) {
    IntVector x0 = load(s, at);
    IntVector x1 = load(s, at + row);
    IntVector x2 = load(s, at + 2 * row);
    IntVector x3 = load(s, at + 3 * row);
    IntVector x4 = load(s, at + 4 * row);
    IntVector x5 = load(s, at + 5 * row);
    IntVector x6 = load(s, at + 6 * row);
    IntVector x7 = load(s, at + 7 * row);
    IntVector y0 = CpuTranspose.LOW8.selectFrom(x0, x4);
    IntVector y1 = CpuTranspose.LOW8.selectFrom(x1, x5);
    IntVector y2 = CpuTranspose.LOW8.selectFrom(x2, x6);
    IntVector y3 = CpuTranspose.LOW8.selectFrom(x3, x7);
    IntVector y4 = CpuTranspose.HIGH8.selectFrom(x0, x4);
    IntVector y5 = CpuTranspose.HIGH8.selectFrom(x1, x5);
    IntVector y6 = CpuTranspose.HIGH8.selectFrom(x2, x6);
    IntVector y7 = CpuTranspose.HIGH8.selectFrom(x3, x7);
    x0 = CpuTranspose.LOW4.selectFrom(y0, y2);
    x1 = CpuTranspose.LOW4.selectFrom(y1, y3);
    x2 = CpuTranspose.HIGH4.selectFrom(y0, y2);
    x3 = CpuTranspose.HIGH4.selectFrom(y1, y3);
    x4 = CpuTranspose.LOW4.selectFrom(y4, y6);
    x5 = CpuTranspose.LOW4.selectFrom(y5, y7);
    x6 = CpuTranspose.HIGH4.selectFrom(y4, y6);
    x7 = CpuTranspose.HIGH4.selectFrom(y5, y7);
    store(x0, x1, CpuTranspose.LOW2, CpuTranspose.HIGH2, to, it, stride);
    store(x2, x3, CpuTranspose.LOW2, CpuTranspose.HIGH2, to, it + 2 * stride, stride);
    store(x4, x5, CpuTranspose.LOW2, CpuTranspose.HIGH2, to, it + 4 * stride, stride);
    store(x6, x7, CpuTranspose.LOW2, CpuTranspose.HIGH2, to, it + 6 * stride, stride);
  }

  private static IntVector load(MemorySegment s, long at) {
    return IntVector.fromMemorySegment(IntVector.SPECIES_512, s, at, NATIVE);
  }

  private static void store(
      IntVector x0, IntVector x1, IntVector low, IntVector high, float[] to, int it, int stride) {
    low.selectFrom(x0, x1).reinterpretAsFloats().intoArray(to, it);
    high.selectFrom(x0, x1).reinterpretAsFloats().intoArray(to, it + stride);
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.Reduce;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;

/**
 * Reductions of integers and truth values, in {@code i64}: exact, so without lanes. A template for
 * {@link HiddenClass#copy}.
 */
final class IntegerReduce implements ReduceKernel {
  private static final Case CASE = HiddenClass.constant(MethodHandles.lookup(), Case.class);
  private static final boolean SUM = CASE.op() == Reduce.SUM;
  private static final boolean PROD = CASE.op() == Reduce.PROD;
  private static final boolean MAX = CASE.op() == Reduce.MAX;
  private static final DType DTYPE = CASE.dtype();
  private static final boolean I64 = DTYPE == DType.I64;
  private static final boolean I32 = DTYPE == DType.I32;
  private static final int BYTES = DTYPE.bytes();
  private static final long IDENTITY = SUM ? 0 : PROD ? 1 : MAX ? Long.MIN_VALUE : Long.MAX_VALUE;

  IntegerReduce() {}

  @Override
  public void rows(
      MemorySegment x, long[] starts, int rows, int n, Scratch scratch, long[] results) {
    MemorySegment in = Scalars.offHeap(x);
    for (int r = 0; r < rows; r++) {
      long result = IDENTITY;
      for (int i = 0; i < n; i++) {
        result = op(result, load(in, starts[r] + (long) i * BYTES));
      }
      results[r] = result;
    }
  }

  @Override
  public void columns(
      MemorySegment x, long[] starts, int n, int cols, Scratch scratch, long[] results) {
    MemorySegment in = Scalars.offHeap(x);
    Arrays.fill(results, 0, cols, IDENTITY);
    for (int i = 0; i < n; i++) {
      for (int c = 0; c < cols; c++) {
        results[c] = op(results[c], load(in, starts[i] + (long) c * BYTES));
      }
    }
  }

  @Override
  public long combine(long first, long second) {
    return op(first, second);
  }

  @Override
  public void store(long[] results, int n, MemorySegment y, long[] places) {
    for (int i = 0; i < n; i++) {
      if (SUM || PROD || I64) {
        Scalars.storeI64(results[i], y, places[i]);
      } else if (I32) {
        Scalars.storeI32((int) results[i], y, places[i]);
      } else {
        Scalars.storeU8((int) results[i], y, places[i]);
      }
    }
  }

  private static long op(long x, long y) {
    return SUM ? x + y : PROD ? x * y : MAX ? Math.max(x, y) : Math.min(x, y);
  }

  /** A truth value is a byte of 0 or 1. */
  private static long load(MemorySegment x, long at) {
    return I64 ? Scalars.loadI64(x, at) : I32 ? Scalars.loadI32(x, at) : Scalars.loadU8(x, at);
  }
}

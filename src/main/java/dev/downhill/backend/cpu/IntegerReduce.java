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
  public long row(MemorySegment x, long at, int n, Scratch scratch) {
    long result = IDENTITY;
    for (int i = 0; i < n; i++) {
      result = op(result, load(x, at + (long) i * BYTES));
    }
    return result;
  }

  @Override
  public void columns(
      MemorySegment x, long[] rows, int n, int cols, Scratch scratch, long[] results) {
    Arrays.fill(results, 0, cols, IDENTITY);
    for (int i = 0; i < n; i++) {
      for (int c = 0; c < cols; c++) {
        results[c] = op(results[c], load(x, rows[i] + (long) c * BYTES));
      }
    }
  }

  @Override
  public long combine(long first, long second) {
    return op(first, second);
  }

  @Override
  public void store(long result, MemorySegment y, long at) {
    if (SUM || PROD || I64) {
      Scalars.storeI64(result, y, at);
    } else if (I32) {
      Scalars.storeI32((int) result, y, at);
    } else {
      Scalars.storeU8((int) result, y, at);
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

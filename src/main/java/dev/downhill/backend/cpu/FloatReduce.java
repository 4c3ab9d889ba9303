package dev.downhill.backend.cpu;

import dev.downhill.backend.Reduce;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;

/**
 * Reductions of {@code f64}, and of {@code f32} where there is no Vector API: a float sum or
 * product is the double one rounded to float. A template for {@link HiddenClass#copy}.
 */
final class FloatReduce implements ReduceKernel {
  private static final Case CASE = HiddenClass.constant(MethodHandles.lookup(), Case.class);
  private static final boolean SUM = CASE.op() == Reduce.SUM;
  private static final boolean PROD = CASE.op() == Reduce.PROD;
  private static final boolean MAX = CASE.op() == Reduce.MAX;
  private static final boolean F32 = CASE.dtype() == DType.F32;
  private static final int BYTES = CASE.dtype().bytes();

  FloatReduce() {}

  @Override
  public void rows(
      MemorySegment x, long[] starts, int rows, int n, Scratch scratch, long[] results) {
    MemorySegment in = Scalars.offHeap(x);
    for (int r = 0; r < rows; r++) {
      results[r] = Double.doubleToRawLongBits(row(in, starts[r], n, scratch.f64[0]));
    }
  }

  private static double row(MemorySegment x, long at, int n, double[] lanes) {
    Arrays.fill(lanes, 0, LANES, identity());
    for (int i = 0; i < n; i++) {
      lanes[i % LANES] = op(lanes[i % LANES], load(x, at + (long) i * BYTES));
    }
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; l++) {
        lanes[l] = op(lanes[l], lanes[l + half]);
      }
    }
    return lanes[0];
  }

  @Override
  public void columns(
      MemorySegment x, long[] starts, int n, int cols, Scratch scratch, long[] results) {
    MemorySegment in = Scalars.offHeap(x);
    double[][] lanes = scratch.f64;
    for (double[] lane : lanes) {
      Arrays.fill(lane, 0, cols, identity());
    }
    for (int i = 0; i < n; i++) {
      double[] lane = lanes[i % LANES];
      for (int c = 0; c < cols; c++) {
        lane[c] = op(lane[c], load(in, starts[i] + (long) c * BYTES));
      }
    }
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; l++) {
        fold(lanes[l], lanes[l + half], cols);
      }
    }
    for (int c = 0; c < cols; c++) {
      results[c] = Double.doubleToRawLongBits(lanes[0][c]);
    }
  }

  private static void fold(double[] lane, double[] other, int cols) {
    for (int c = 0; c < cols; c++) {
      lane[c] = op(lane[c], other[c]);
    }
  }

  @Override
  public long combine(long first, long second) {
    double x = Double.longBitsToDouble(first);
    double y = Double.longBitsToDouble(second);
    return Double.doubleToRawLongBits(exact(x, y));
  }

  @Override
  public void store(long[] results, int n, MemorySegment y, long[] places) {
    for (int i = 0; i < n; i++) {
      double value = Double.longBitsToDouble(results[i]);
      value = Double.isNaN(value) ? Double.NaN : value; // whichever NaN came first
      if (F32) {
        Scalars.storeF32((float) value, y, places[i]);
      } else {
        Scalars.storeF64(value, y, places[i]);
      }
    }
  }

  private static double identity() {
    return SUM ? 0 : PROD ? 1 : MAX ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
  }

  private static double op(double x, double y) {
    return F32 ? (float) exact(x, y) : exact(x, y);
  }

  private static double exact(double x, double y) {
    return SUM ? x + y : PROD ? x * y : MAX ? Math.max(x, y) : Math.min(x, y);
  }

  private static double load(MemorySegment x, long at) {
    return F32 ? Scalars.loadF32(x, at) : Scalars.loadF64(x, at);
  }
}

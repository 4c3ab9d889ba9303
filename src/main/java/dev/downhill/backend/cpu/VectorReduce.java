package dev.downhill.backend.cpu;

import dev.downhill.backend.Reduce;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** Reductions of {@code f32} on the Vector API. A template for {@link HiddenClass#copy}. */
final class VectorReduce implements ReduceKernel {
  private static final Reduce OP = HiddenClass.constant(MethodHandles.lookup(), Case.class).op();
  private static final boolean SUM = OP == Reduce.SUM;
  private static final boolean PROD = OP == Reduce.PROD;
  private static final boolean MAX = OP == Reduce.MAX;
  private static final int STEP = Lanes.SPECIES.length();

  VectorReduce() {}

  @Override
  public long row(MemorySegment x, long at, int n, Scratch scratch) {
    float[] lanes = scratch.f32[0];
    lanes(x, at, n & -LANES, lanes);
    for (int i = n & -LANES; i < n; i++) {
      lanes[i % LANES] = op(lanes[i % LANES], Scalars.loadF32(x, at + 4L * i));
    }
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; l++) {
        lanes[l] = op(lanes[l], lanes[l + half]);
      }
    }
    return Double.doubleToRawLongBits(lanes[0]);
  }

  /** The 16 lanes are one, two or four vectors. */
  private static void lanes(MemorySegment x, long at, int n, float[] lanes) {
    FloatVector a = Lanes.broadcast(identity());
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    for (int i = 0; i < n; i += LANES) {
      long from = at + 4L * i;
      a = op(a, Lanes.load(x, from));
      if (STEP <= 8) {
        b = op(b, Lanes.load(x, from + 4L * STEP));
      }
      if (STEP <= 4) {
        c = op(c, Lanes.load(x, from + 8L * STEP));
        d = op(d, Lanes.load(x, from + 12L * STEP));
      }
    }
    a.intoArray(lanes, 0);
    if (STEP <= 8) {
      b.intoArray(lanes, STEP);
    }
    if (STEP <= 4) {
      c.intoArray(lanes, 2 * STEP);
      d.intoArray(lanes, 3 * STEP);
    }
  }

  @Override
  public void columns(
      MemorySegment x, long[] rows, int n, int cols, Scratch scratch, long[] results) {
    float[][] lanes = scratch.f32;
    for (float[] lane : lanes) {
      Arrays.fill(lane, 0, cols, identity());
    }
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
      for (int l = 0; l < LANES; l++) {
        addFour(lanes[l], x, rows, i + l, cols);
      }
    }
    for (; i < n; i++) {
      addOne(lanes[i % LANES], x, rows[i], cols);
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

  /** The next four rows of a lane: fewer trips to the lane. */
  private static void addFour(float[] lane, MemorySegment x, long[] rows, int i, int cols) {
    long r0 = rows[i];
    long r1 = rows[i + LANES];
    long r2 = rows[i + 2 * LANES];
    long r3 = rows[i + 3 * LANES];
    int c = 0;
    for (; c + STEP <= cols; c += STEP) {
      FloatVector sums = FloatVector.fromArray(Lanes.SPECIES, lane, c);
      sums = op(op(sums, Lanes.load(x, r0 + 4L * c)), Lanes.load(x, r1 + 4L * c));
      sums = op(op(sums, Lanes.load(x, r2 + 4L * c)), Lanes.load(x, r3 + 4L * c));
      sums.intoArray(lane, c);
    }
    for (; c < cols; c++) {
      float sum = op(op(lane[c], Scalars.loadF32(x, r0 + 4L * c)), Scalars.loadF32(x, r1 + 4L * c));
      lane[c] = op(op(sum, Scalars.loadF32(x, r2 + 4L * c)), Scalars.loadF32(x, r3 + 4L * c));
    }
  }

  private static void addOne(float[] lane, MemorySegment x, long at, int cols) {
    int c = 0;
    for (; c + STEP <= cols; c += STEP) {
      FloatVector sums = FloatVector.fromArray(Lanes.SPECIES, lane, c);
      op(sums, Lanes.load(x, at + 4L * c)).intoArray(lane, c);
    }
    for (; c < cols; c++) {
      lane[c] = op(lane[c], Scalars.loadF32(x, at + 4L * c));
    }
  }

  private static void fold(float[] lane, float[] other, int cols) {
    for (int c = 0; c < cols; c++) {
      lane[c] = op(lane[c], other[c]);
    }
  }

  @Override
  public long combine(long first, long second) {
    double x = Double.longBitsToDouble(first);
    double y = Double.longBitsToDouble(second);
    return Double.doubleToRawLongBits(
        SUM ? x + y : PROD ? x * y : MAX ? Math.max(x, y) : Math.min(x, y));
  }

  @Override
  public void store(long result, MemorySegment y, long at) {
    float value = (float) Double.longBitsToDouble(result);
    Scalars.storeF32(Float.isNaN(value) ? Float.NaN : value, y, at); // whichever NaN came first
  }

  private static float identity() {
    return SUM ? 0 : PROD ? 1 : MAX ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
  }

  private static float op(float x, float y) {
    return SUM ? x + y : PROD ? x * y : MAX ? Math.max(x, y) : Math.min(x, y);
  }

  private static FloatVector op(FloatVector x, FloatVector y) {
    return SUM ? x.add(y) : PROD ? x.mul(y) : MAX ? x.max(y) : x.min(y);
  }
}

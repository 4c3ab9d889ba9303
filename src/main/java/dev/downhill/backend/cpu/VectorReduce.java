package dev.downhill.backend.cpu;

import dev.downhill.backend.Reduce;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Reductions of {@code f32} on the Vector API, with the bits of {@link FloatReduce}. A template for
 * {@link HiddenClass#copy}.
 */
final class VectorReduce implements ReduceKernel {
  private static final Reduce OP = HiddenClass.constant(MethodHandles.lookup(), Case.class).op();
  private static final boolean SUM = OP == Reduce.SUM;
  private static final boolean PROD = OP == Reduce.PROD;
  private static final boolean MAX = OP == Reduce.MAX;
  private static final VectorOperators.Associative OPERATOR = operator();
  private static final VectorSpecies<Float> SPECIES = VectorFold.SPECIES;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
  private static final int STEP = SPECIES.length();

  VectorReduce() {}

  @Override
  public void rows(
      MemorySegment x, long[] starts, int rows, int n, Scratch scratch, long[] results) {
    MemorySegment in = Scalars.offHeap(x);
    for (int r = 0; r < rows; r++) {
      results[r] = Double.doubleToRawLongBits(row(in, starts[r], n, scratch.f32[0]));
    }
  }

  /** The 16 lanes are one, two or four vectors. */
  private static float row(MemorySegment x, long at, int n, float[] lanes) {
    FloatVector a = FloatVector.broadcast(SPECIES, identity());
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      long from = at + 4L * i;
      a = op(a, load(x, from));
      if (STEP <= 8) {
        b = op(b, load(x, from + 4L * STEP));
      }
      if (STEP <= 4) {
        c = op(c, load(x, from + 8L * STEP));
        d = op(d, load(x, from + 12L * STEP));
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
    for (; i < n; i++) {
      lanes[i % LANES] = op(lanes[i % LANES], Scalars.loadF32(x, at + 4L * i));
    }
    // As VectorFold.sum, but here: in a method of its own, which the JIT compiler has seen run less
    // often than the loop, it may not know the class of these vectors, and makes objects of them.
    a = FloatVector.fromArray(SPECIES, lanes, 0);
    if (STEP <= 4) {
      b = FloatVector.fromArray(SPECIES, lanes, 4);
      a = op(a, FloatVector.fromArray(SPECIES, lanes, 8));
      a = op(a, op(b, FloatVector.fromArray(SPECIES, lanes, 12)));
    } else if (STEP <= 8) {
      a = op(a, FloatVector.fromArray(SPECIES, lanes, 8));
    } else {
      a = op(a, a.rearrange(VectorFold.BY_8));
    }
    if (STEP > 4) {
      a = op(a, a.rearrange(VectorFold.BY_4));
    }
    a = op(a, a.rearrange(VectorFold.BY_2));
    return op(a, a.rearrange(VectorFold.BY_1)).lane(0);
  }

  @Override
  public void columns(
      MemorySegment x, long[] starts, int n, int cols, Scratch scratch, long[] results) {
    MemorySegment in = Scalars.offHeap(x);
    float[][] lanes = scratch.f32;
    for (float[] lane : lanes) {
      Arrays.fill(lane, 0, cols, identity());
    }
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
      for (int l = 0; l < LANES; l++) {
        addFour(lanes[l], in, starts, i + l, cols);
      }
    }
    for (; i < n; i++) {
      addOne(lanes[i % LANES], in, starts[i], cols);
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
  private static void addFour(float[] lane, MemorySegment x, long[] starts, int i, int cols) {
    long r0 = starts[i];
    long r1 = starts[i + LANES];
    long r2 = starts[i + 2 * LANES];
    long r3 = starts[i + 3 * LANES];
    int c = 0;
    for (; c + STEP <= cols; c += STEP) {
      FloatVector sums = FloatVector.fromArray(SPECIES, lane, c);
      sums = op(op(sums, load(x, r0 + 4L * c)), load(x, r1 + 4L * c));
      sums = op(op(sums, load(x, r2 + 4L * c)), load(x, r3 + 4L * c));
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
      FloatVector sums = FloatVector.fromArray(SPECIES, lane, c);
      op(sums, load(x, at + 4L * c)).intoArray(lane, c);
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

  private static FloatVector load(MemorySegment x, long at) {
    return FloatVector.fromMemorySegment(SPECIES, x, at, NATIVE);
  }

  @Override
  public long combine(long first, long second) {
    double x = Double.longBitsToDouble(first);
    double y = Double.longBitsToDouble(second);
    return Double.doubleToRawLongBits(
        SUM ? x + y : PROD ? x * y : MAX ? Math.max(x, y) : Math.min(x, y));
  }

  @Override
  public void store(long[] results, int n, MemorySegment y, long[] places) {
    for (int i = 0; i < n; i++) {
      float value = (float) Double.longBitsToDouble(results[i]);
      value = Float.isNaN(value) ? Float.NaN : value; // whichever NaN came first
      Scalars.storeF32(value, y, places[i]);
    }
  }

  private static float identity() {
    return SUM ? 0 : PROD ? 1 : MAX ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
  }

  private static float op(float x, float y) {
    return SUM ? x + y : PROD ? x * y : MAX ? Math.max(x, y) : Math.min(x, y);
  }

  private static FloatVector op(FloatVector x, FloatVector y) {
    return x.lanewise(OPERATOR, y);
  }

  /**
   * A constant, so that {@link #op} has less than 35 bytes: the JIT compiler inlines that wherever
   * it is called, and what it does not inline gets and returns objects.
   */
  private static VectorOperators.Associative operator() {
    return switch (OP) {
      case SUM -> VectorOperators.ADD;
      case PROD -> VectorOperators.MUL;
      case MAX -> VectorOperators.MAX;
      case MIN -> VectorOperators.MIN;
    };
  }
}

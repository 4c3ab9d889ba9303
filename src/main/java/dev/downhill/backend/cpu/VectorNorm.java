package dev.downhill.backend.cpu;

import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link NormKernel} on the Vector API: the loops of {@link Case} on several lanes at a time. A
 * template for {@link HiddenClass#copy}.
 */
final class VectorNorm implements NormKernel {
  private static final Case CASE = HiddenClass.constant(MethodHandles.lookup(), Case.class);
  private static final boolean F32 = CASE.dtype() == DType.F32;
  private static final boolean SQUARES = CASE.p() == 2;
  private static final boolean SUM = CASE.p() == 1;
  private static final int BYTES = CASE.dtype().bytes();

  private static final VectorSpecies<Double> WIDE =
      VectorSpecies.of(double.class, Lanes.SPECIES.vectorShape());
  private static final VectorSpecies<Float> NARROW =
      VectorSpecies.of(float.class, VectorShape.forBitSize(Lanes.SPECIES.vectorBitSize() / 2));
  private static final int STEP = WIDE.length();

  /** Elements that stay in the first cache while the pairs of lane vectors go over them in turn. */
  private static final int BLOCK = 2048;

  VectorNorm() {}

  @Override
  public double part(MemorySegment x, long at, int n, double[] lanes) {
    Arrays.fill(lanes, 0);
    int whole = n & -LANES;
    for (int from = 0; from < whole; from += BLOCK) {
      int to = Math.min(whole, from + BLOCK);
      for (int lane = 0; lane < LANES; lane += 2 * STEP) {
        add(x, at + lane, from, to, lanes, lane);
      }
    }
    CASE.add(x, at, whole, n, lanes);
    return CASE.fold(lanes);
  }

  private static void add(MemorySegment x, long at, int from, int to, double[] lanes, int lane) {
    DoubleVector a = DoubleVector.fromArray(WIDE, lanes, lane);
    DoubleVector b = DoubleVector.fromArray(WIDE, lanes, lane + STEP);
    for (int i = from; i < to; i += LANES) {
      a = join(a, load(x, at + i));
      b = join(b, load(x, at + i + STEP));
    }
    a.intoArray(lanes, lane);
    b.intoArray(lanes, lane + STEP);
  }

  private static DoubleVector join(DoubleVector sum, DoubleVector x) {
    return SQUARES ? x.fma(x, sum) : SUM ? sum.add(x.abs()) : sum.max(x.abs());
  }

  @Override
  public void scale(MemorySegment x, long at, int n, double factor) {
    int i = 0;
    for (; i + STEP <= n; i += STEP) {
      store(load(x, at + i).mul(factor), x, at + i);
    }
    CASE.scale(x, at + i, n - i, factor);
  }

  private static DoubleVector load(MemorySegment x, long i) {
    return F32
        ? (DoubleVector)
            FloatVector.fromMemorySegment(NARROW, x, i * BYTES, ByteOrder.nativeOrder())
                .castShape(WIDE, 0)
        : DoubleVector.fromMemorySegment(WIDE, x, i * BYTES, ByteOrder.nativeOrder());
  }

  private static void store(DoubleVector value, MemorySegment x, long i) {
    if (F32) {
      value.castShape(NARROW, 0).intoMemorySegment(x, i * BYTES, ByteOrder.nativeOrder());
    } else {
      value.intoMemorySegment(x, i * BYTES, ByteOrder.nativeOrder());
    }
  }
}

package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** {@link Sums} of {@code f32} by vectors, where elements lie side by side. */
final class VectorSums extends Sums.F32 {
  private static final VectorSpecies<Float> SPECIES = Lanes.SPECIES;
  private static final int LANES = SPECIES.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  VectorSums(int count) {
    super(count);
  }

  @Override
  void clear(int count) {
    FloatVector zero = FloatVector.zero(SPECIES);
    for (int i = 0; i < count; i += LANES) {
      zero.intoArray(sums, i);
    }
  }

  @Override
  void load(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
    if (step != Float.BYTES) {
      super.load(y, at, line, step, rows, cols, width);
      return;
    }
    MemorySegment s = Scalars.offHeap(y);
    int whole = cols & -LANES;
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < whole; c += LANES) {
        Lanes.load(s, at + r * line + 4L * c).intoArray(sums, r * width + c);
      }
    }
    if (whole < cols) {
      VectorMask<Float> mask = SPECIES.indexInRange(whole, cols);
      for (int r = 0; r < rows; r++) {
        FloatVector.fromMemorySegment(SPECIES, s, at + r * line + 4L * whole, ORDER, mask)
            .intoArray(sums, r * width + whole);
      }
    }
  }

  @Override
  void add(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
    if (step != Float.BYTES) {
      super.add(y, at, line, step, rows, cols, width);
      return;
    }
    MemorySegment s = Scalars.offHeap(y);
    for (int c = 0; c < cols; c += LANES) {
      VectorMask<Float> mask = SPECIES.indexInRange(c, cols);
      for (int r = 0; r < rows; r++) {
        FloatVector.fromArray(SPECIES, sums, r * width + c)
            .add(FloatVector.fromMemorySegment(SPECIES, s, at + r * line + 4L * c, ORDER, mask))
            .intoArray(sums, r * width + c);
      }
    }
  }

  @Override
  void store(MemorySegment y, long at, long line, long step, int rows, int cols, int width) {
    if (step != Float.BYTES) {
      super.store(y, at, line, step, rows, cols, width);
      return;
    }
    MemorySegment s = Scalars.offHeap(y);
    int whole = cols & -LANES;
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < whole; c += LANES) {
        Lanes.store(FloatVector.fromArray(SPECIES, sums, r * width + c), s, at + r * line + 4L * c);
      }
    }
    if (whole < cols) {
      VectorMask<Float> mask = SPECIES.indexInRange(whole, cols);
      for (int r = 0; r < rows; r++) {
        FloatVector.fromArray(SPECIES, sums, r * width + whole)
            .intoMemorySegment(s, at + r * line + 4L * whole, ORDER, mask);
      }
    }
  }
}

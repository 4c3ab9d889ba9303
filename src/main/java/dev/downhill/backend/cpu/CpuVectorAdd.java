package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/** Addition of rows of {@code f32} on the Vector API. */
final class CpuVectorAdd {
  private static final int STEP = Lanes.SPECIES.length();

  private CpuVectorAdd() {}

  /**
   * Adds evenly spaced rows of {@code n} elements to rows that start at {@code places}, one after
   * the other, as far as whole vectors go; returns how many elements that were. Positions are
   * counted in elements.
   */
  static long add(
      MemorySegment from,
      long xi,
      long xs,
      MemorySegment to,
      long[] places,
      int rows,
      long column,
      long n) {
    MemorySegment x = Scalars.offHeap(from);
    MemorySegment y = Scalars.offHeap(to);
    long whole = n - n % STEP;
    for (long c = column; c < column + whole; c += STEP) {
      for (int r = 0; r < rows; r++) {
        long at = (places[r] + c) * Float.BYTES;
        Lanes.store(Lanes.load(y, at).add(Lanes.load(x, (xi + r * xs + c) * Float.BYTES)), y, at);
      }
    }
    return whole;
  }
}

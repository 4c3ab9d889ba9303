package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/** Addition of rows of {@code f32} on the Vector API. */
final class CpuVectorAdd {
  private static final int STEP = Lanes.SPECIES.length();

  private CpuVectorAdd() {}

  /** to += from for whole vectors; returns how many elements that were. Positions in elements. */
  static long add(MemorySegment from, long xi, MemorySegment to, long yi, long n) {
    MemorySegment x = Scalars.offHeap(from);
    MemorySegment y = Scalars.offHeap(to);
    long i = 0;
    for (; i + STEP <= n; i += STEP) {
      long at = (yi + i) * Float.BYTES;
      Lanes.store(Lanes.load(y, at).add(Lanes.load(x, (xi + i) * Float.BYTES)), y, at);
    }
    return i;
  }
}

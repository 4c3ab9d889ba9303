package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/** Addition of rows of {@code f32} on the Vector API. */
final class CpuVectorAdd {
  private static final int STEP = Lanes.SPECIES.length();

  private CpuVectorAdd() {}

  /** y += x for whole vectors; returns how many elements that were. Positions in elements. */
  static long add(MemorySegment x, long xi, MemorySegment y, long yi, long n) {
    long i = 0;
    for (; i + STEP <= n; i += STEP) {
      long at = (yi + i) * Float.BYTES;
      Lanes.store(Lanes.load(y, at).add(Lanes.load(x, (xi + i) * Float.BYTES)), y, at);
    }
    return i;
  }
}

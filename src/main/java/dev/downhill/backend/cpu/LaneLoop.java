package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/** A compiled {@link Formula} on a row of {@code f32}, vector by vector. */
interface LaneLoop {
  /**
   * z = formula(x, y, a, b) for as many of n neighbouring elements as fill vectors; returns how many.
   *
   * @param xi where in x the row starts, in bytes; likewise the others
   */
  long run(
      MemorySegment x,
      long xi,
      MemorySegment y,
      long yi,
      MemorySegment z,
      long zi,
      float a,
      float b,
      long n);
}

package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/** A compiled {@link Formula} on single elements. */
interface Element {
  /**
   * z = formula(x, y, c, a, b) for one element.
   *
   * @param xi where in x the element is, in bytes; likewise the others
   * @param c truth values
   */
  void at(
      MemorySegment x,
      long xi,
      MemorySegment y,
      long yi,
      MemorySegment c,
      long ci,
      MemorySegment z,
      long zi,
      double a,
      double b);
}

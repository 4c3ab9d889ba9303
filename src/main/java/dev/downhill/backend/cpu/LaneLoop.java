package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/** A compiled {@link Formula} on rows of {@code f32}, vector by vector. */
interface LaneLoop {
  /**
   * z = formula(x, y, a, b) for {@code rows} rows of {@code cols} neighbouring elements.
   *
   * @param xi where in x the first row starts, in bytes; likewise the others
   * @param xRow the distance of the rows of x, in bytes; likewise the others
   * @param cols a multiple of the vector's length
   */
  void run(
      MemorySegment x,
      long xi,
      long xRow,
      MemorySegment y,
      long yi,
      long yRow,
      MemorySegment z,
      long zi,
      long zRow,
      float a,
      float b,
      long rows,
      long cols);
}

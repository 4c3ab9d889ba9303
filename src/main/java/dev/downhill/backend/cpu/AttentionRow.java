package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * What {@link CpuAttention} does to rows of scores between two products, in one element type:
 * numbers given and returned as double are of that type. Positions in bytes. The memory behind a
 * row of scores reaches to a whole number of vectors.
 */
interface AttentionRow {
  /** The greatest of {@code least} and scale s over n scores; NaN is passed over. */
  double max(MemorySegment s, long at, int n, double scale, double least);

  /**
   * s = e^(scale s - max) for n scores, and 0 from there to {@code end - 1}.
   *
   * @return their sum: element i is added to lane i mod 16, and the lanes by halves
   */
  double exp(MemorySegment s, long at, int n, int end, double scale, double max);

  /** e^x. */
  double exp(double x);

  /** x *= factor. */
  void scale(MemorySegment x, long at, int n, double factor);

  /** log x. */
  double log(double x);

  /** y = x / divisor for rows of n elements with a divisor each; a line is from row to row. */
  void divide(
      MemorySegment x,
      long at,
      long line,
      double[] divisors,
      int rows,
      int n,
      MemorySegment y,
      long to,
      long toLine);

  /** The sums of a b over rows of n elements, in the lanes of {@link #exp}, from sum {@code to}. */
  void dot(
      MemorySegment a,
      long ia,
      long aLine,
      MemorySegment b,
      long ib,
      long bLine,
      int rows,
      int n,
      double[] sums,
      int to);

  /**
   * s becomes p = e^(scale s - z) and dp becomes ds = scale p (dp - d) for n scores, and both are 0
   * from there to {@code end - 1}.
   *
   * @param dpAt where dp lies, in the same memory
   */
  void slopes(
      MemorySegment s, long at, long dpAt, int n, int end, double scale, double z, double d);
}

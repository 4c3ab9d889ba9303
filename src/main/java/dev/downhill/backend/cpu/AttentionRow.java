package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * What {@link CpuAttention} does to one row of scores between two products, in one element type:
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

  /** y = x / divisor. */
  void divide(MemorySegment x, long at, int n, double divisor, MemorySegment y, long to);

  /** The sum of a b, in the lanes of {@link #exp}. */
  double dot(MemorySegment a, long ia, MemorySegment b, long ib, int n);

  /**
   * dp becomes ds = scale p (dp - d) for n shares p, and 0 from there to {@code end - 1}.
   *
   * @param dpAt where dp lies, in the same memory
   */
  void slopes(MemorySegment p, long at, long dpAt, int n, int end, double scale, double d);

  /** The loops for a type, on the Vector API where it is there. */
  static AttentionRow of(boolean wide) {
    return wide ? new AttentionF64() : Simd.AVAILABLE ? new VectorAttention() : new AttentionF32();
  }
}

package dev.downhill.backend.cpu;

/**
 * The sum of 16 lanes: 8 and 8, then 4 and 4, 2 and 2, 1 and 1.
 *
 * <p>Not by vectors: in a chain of operations on one vector the JIT compiler often loses its class,
 * and each of them is then a call that makes an object, for as long as the program runs. As numbers
 * they take no longer than as vectors.
 */
final class LaneSum {
  private LaneSum() {}

  /** The sum of lanes {@code at} to {@code at + 15}. */
  static float of(float[] lanes, int at) {
    float even = quarter(lanes, at) + quarter(lanes, at + 2);
    float odd = quarter(lanes, at + 1) + quarter(lanes, at + 3);
    return even + odd;
  }

  /** What lane {@code at} is when four lanes are left. */
  private static float quarter(float[] lanes, int at) {
    return (lanes[at] + lanes[at + 8]) + (lanes[at + 4] + lanes[at + 12]);
  }

  /** The sum of lanes {@code at} to {@code at + 15}. */
  static double of(double[] lanes, int at) {
    double even = quarter(lanes, at) + quarter(lanes, at + 2);
    double odd = quarter(lanes, at + 1) + quarter(lanes, at + 3);
    return even + odd;
  }

  private static double quarter(double[] lanes, int at) {
    return (lanes[at] + lanes[at + 8]) + (lanes[at + 4] + lanes[at + 12]);
  }
}

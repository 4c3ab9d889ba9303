package dev.downhill.tensor;

import org.jspecify.annotations.Nullable;

/** How much arithmetic there is in matrix products, of which nearly all work of a network is. */
public final class Work {
  private static final ThreadLocal<long @Nullable []> COUNT = new ThreadLocal<>();

  private Work() {}

  /**
   * Runs something and counts the floating-point operations of its matrix products, convolutions
   * and attention included: two for each product of two numbers, which is added to others.
   */
  public static long of(Runnable body) {
    long[] before = COUNT.get();
    long[] count = {0};
    COUNT.set(count);
    try {
      body.run();
    } finally {
      COUNT.set(before);
    }
    if (before != null) {
      before[0] += count[0];
    }
    return count[0];
  }

  /** A product of matrices with {@code results} elements in all, each a sum of {@code terms}. */
  static void product(long results, long terms) {
    long[] count = COUNT.get();
    if (count != null) {
      count[0] += 2 * results * terms;
    }
  }
}

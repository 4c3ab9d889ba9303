package dev.downhill.data;

import dev.downhill.tensor.HostRandom;

/** The order in which an epoch visits the rows. */
public final class Order {
  private Order() {}

  /**
   * The numbers 0 to n - 1 in a random order that depends on n, seed and epoch alone: an epoch that
   * was interrupted is taken up by drawing its order again.
   *
   * @throws IllegalArgumentException if {@code n} is negative
   */
  public static int[] shuffled(int n, long seed, long epoch) {
    return shuffled(n, new HostRandom(seed, "epoch " + epoch));
  }

  /** The numbers 0 to n - 1 in an order drawn from a stream (Fisher and Yates). */
  static int[] shuffled(int n, HostRandom random) {
    if (n < 0) {
      throw new IllegalArgumentException("shuffled: expected a number of rows, got " + n);
    }
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    for (int i = n - 1; i > 0; i--) {
      int j = random.below(i + 1);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }
}

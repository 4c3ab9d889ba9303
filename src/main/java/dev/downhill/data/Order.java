package dev.downhill.data;

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
    if (n < 0) {
      throw new IllegalArgumentException("shuffled: expected a number of rows, got " + n);
    }
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    Draws draws = new Draws(seed, epoch);
    for (int i = n - 1; i > 0; i--) { // Fisher and Yates
      int j = draws.below(i + 1);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }
}

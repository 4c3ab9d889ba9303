package dev.downhill.data;

import dev.downhill.tensor.HostRandom;
import java.util.Arrays;

/** Which rows of a table train a model and which validate it. Immutable. */
public final class Split {
  private final int[] train;
  private final int[] validation;

  private Split(int[] train, int[] validation) {
    this.train = train;
    this.validation = validation;
  }

  /**
   * Draws the validation rows without replacement; the others are for training.
   *
   * @param n the number of rows, at least 1
   * @param validation the share of rows for validation, from 0 to below 1; the number is rounded,
   *     but neither part is empty unless {@code validation} is 0 or {@code n} is 1
   * @param seed the same seed gives the same split
   * @throws IllegalArgumentException if {@code n} or {@code validation} is out of range
   */
  public static Split of(int n, double validation, long seed) {
    if (n < 1 || !(validation >= 0 && validation < 1)) {
      throw new IllegalArgumentException(
          "split: expected at least 1 row and a validation share from 0 to below 1, got "
              + n
              + " rows and "
              + validation);
    }
    int count = (int) (n * validation + 0.5);
    if (validation > 0) {
      count = Math.clamp(count, Math.min(1, n - 1), n - 1);
    }
    int[] order = Order.shuffled(n, new HostRandom(seed, "split"));
    int[] held = Arrays.copyOf(order, count);
    int[] rest = Arrays.copyOfRange(order, count, n);
    Arrays.sort(held);
    Arrays.sort(rest);
    return new Split(rest, held);
  }

  /** The training rows, ascending. */
  public int[] train() {
    return train.clone();
  }

  /** The validation rows, ascending. */
  public int[] validation() {
    return validation.clone();
  }
}

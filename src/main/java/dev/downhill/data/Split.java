package dev.downhill.data;

import dev.downhill.tensor.HostRandom;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

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

  /**
   * Splits for cross-validation: every row validates once and trains otherwise. Each class is dealt
   * out evenly, so that every part has its share of it.
   *
   * @param classes the class of every row
   * @param folds the number of splits, from 2 to the number of rows
   * @param seed the same seed gives the same splits
   * @throws IllegalArgumentException if {@code folds} is out of range
   */
  public static List<Split> folds(int[] classes, int folds, long seed) {
    if (folds < 2 || folds > classes.length) {
      throw new IllegalArgumentException(
          "folds: expected 2 to as many as there are rows, got %s for %s rows"
              .formatted(folds, classes.length));
    }
    int[] foldOf = new int[classes.length];
    int dealt = 0;
    for (int c : Arrays.stream(classes).sorted().distinct().toArray()) {
      int[] rows = IntStream.range(0, classes.length).filter(r -> classes[r] == c).toArray();
      for (int i : Order.shuffled(rows.length, new HostRandom(seed, "folds of class " + c))) {
        foldOf[rows[i]] = dealt % folds;
        dealt++;
      }
    }
    return IntStream.range(0, folds)
        .mapToObj(
            f ->
                new Split(
                    IntStream.range(0, foldOf.length).filter(r -> foldOf[r] != f).toArray(),
                    IntStream.range(0, foldOf.length).filter(r -> foldOf[r] == f).toArray()))
        .toList();
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

package dev.downhill.jobs.recommender;

import dev.downhill.data.Scale;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** What a {@link RatingModel} holds at one moment, copied to the host. */
final class Tastes {
  private final double[][] users;
  private final double[][] items;
  private final double[] userBias;
  private final double[] itemBias;
  private final Scale scale;

  /**
   * The values of a model.
   *
   * @param users a vector for each user
   * @param items a vector for each item
   * @param userBias how generous each user is
   * @param itemBias how good each item is for everybody
   * @param scale from ratings to those that the model predicts
   */
  Tastes(double[][] users, double[][] items, double[] userBias, double[] itemBias, Scale scale) {
    this.users = users;
    this.items = items;
    this.userBias = userBias;
    this.itemBias = itemBias;
    this.scale = scale;
  }

  double[] user(int u) {
    return users[u];
  }

  double[] item(int i) {
    return items[i];
  }

  double userBias(int u) {
    return userBias[u];
  }

  double itemBias(int i) {
    return itemBias[i];
  }

  /** How many vectors are not what they were, bit for bit. */
  long moved(Tastes before) {
    return moved(before.users, users) + moved(before.items, items);
  }

  private static long moved(double[][] from, double[][] to) {
    return IntStream.range(0, from.length).filter(i -> !Arrays.equals(from[i], to[i])).count();
  }

  /** The rows of a matrix. */
  static double[][] rows(Tensor matrix) {
    double[] all = matrix.toDoubles();
    int width = Math.toIntExact(matrix.size(1));
    double[][] rows = new double[all.length / width][width];
    for (int i = 0; i < all.length; i++) {
      rows[i / width][i % width] = all[i];
    }
    return rows;
  }

  /** The rating that the model expects. */
  double predict(int user, int item) {
    return scale.denormalize(userBias[user] + itemBias[item] + dot(users[user], items[item]));
  }

  /** The user with the longest vector. */
  int mostDecidedUser() {
    return highest(users.length, 1, _ -> true, u -> length(users[u]))[0];
  }

  /** The items that a user would rate highest, best first. */
  int[] recommend(int user, int count, IntPredicate allowed) {
    return highest(items.length, count, allowed, i -> predict(user, i));
  }

  /** The items whose vectors point most nearly in the direction of an item's, nearest first. */
  int[] neighbours(int item, int count) {
    return highest(items.length, count, i -> i != item, i -> cosine(items[item], items[i]));
  }

  private static int[] highest(int n, int count, IntPredicate allowed, IntToDoubleFunction score) {
    return IntStream.range(0, n)
        .filter(allowed)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -score.applyAsDouble(i)))
        .limit(count)
        .mapToInt(i -> i)
        .toArray();
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }

  static double length(double[] a) {
    return Math.sqrt(dot(a, a));
  }

  /** 1 for the same direction, 0 for a right angle, -1 for opposite directions. */
  static double cosine(double[] a, double[] b) {
    return dot(a, b) / (length(a) * length(b));
  }

  static double[] minus(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(k -> a[k] - b[k]).toArray();
  }
}

package dev.downhill.jobs.recommender;

import dev.downhill.backend.Device;
import dev.downhill.data.DataException;
import dev.downhill.data.Dataset;
import dev.downhill.data.Films;
import dev.downhill.data.Ratings;
import dev.downhill.data.Scale;
import dev.downhill.data.Split;
import dev.downhill.jobs.JobOptions;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Recommender} learns.
 *
 * @param ratings all of them
 * @param split which are held out
 * @param scale of the ratings to learn from
 * @param films what is known about generated ratings; null for a file of the user's own
 */
record RatingTask(Ratings ratings, Split split, Scale scale, @Nullable Films films) {
  static final double HELD_OUT = 0.1;
  private static final int FEWEST = 10;

  /** The task that the options name. */
  static RatingTask of(JobOptions o) {
    Path data = o.data();
    if (data == null) {
      Films films = Films.generate(o.seed());
      return of(films.ratings(), films, o.seed());
    }
    Ratings ratings = Ratings.read(data);
    requireVariety(ratings, data);
    return of(ratings, null, o.seed());
  }

  private static RatingTask of(Ratings ratings, @Nullable Films films, long seed) {
    Split split = Split.of(ratings.size(), HELD_OUT, seed);
    return new RatingTask(ratings, split, ratings.scale(split.train()), films);
  }

  private static void requireVariety(Ratings ratings, Path file) {
    if (ratings.size() < FEWEST) {
      throw new DataException(
          "%s: expected at least %s ratings, got %s"
              .formatted(file.getFileName(), FEWEST, ratings.size()));
    }
    double first = ratings.rating(0);
    if (IntStream.range(0, ratings.size()).allMatch(row -> ratings.rating(row) == first)) {
      throw new DataException(
          "%s: expected ratings that differ, got %s in every row"
              .formatted(file.getFileName(), first));
    }
  }

  int users() {
    return ratings.users().size();
  }

  int items() {
    return ratings.items().size();
  }

  Dataset train(Device device) {
    return ratings.dataset(device, split.train(), scale);
  }

  Dataset validation(Device device) {
    return ratings.dataset(device, split.validation(), scale);
  }

  /** The rating that says no: 1, or the lowest of a file. */
  double lowest() {
    return films != null
        ? 1
        : IntStream.range(0, ratings.size()).mapToDouble(ratings::rating).min().orElseThrow();
  }

  /** The items that a user has not rated, or all if there are no others. */
  IntPredicate recommendable(int user) {
    BitSet rated = new BitSet(items());
    IntStream.range(0, ratings.size())
        .filter(row -> ratings.user(row) == user)
        .forEach(row -> rated.set(ratings.item(row)));
    return rated.cardinality() == items() ? _ -> true : i -> !rated.get(i);
  }

  /** The error on held-out ratings of one answer for all: the mean. */
  double errorOfTheMean() {
    return error(_ -> scale.mean());
  }

  /** The error on held-out ratings of the mean that an item has among the others. */
  double errorOfItemMeans() {
    double[] sum = new double[items()];
    int[] count = new int[items()];
    for (int row : split.train()) {
      sum[ratings.item(row)] += ratings.rating(row);
      count[ratings.item(row)]++;
    }
    return error(
        row -> {
          int i = ratings.item(row);
          return count[i] == 0 ? scale.mean() : sum[i] / count[i];
        });
  }

  private double error(IntToDoubleFunction guess) {
    return Math.sqrt(
        IntStream.of(split.validation())
            .mapToDouble(row -> ratings.rating(row) - guess.applyAsDouble(row))
            .map(e -> e * e)
            .average()
            .orElseThrow());
  }
}

package dev.downhill.jobs.houses;

import dev.downhill.backend.Device;
import dev.downhill.data.Column;
import dev.downhill.data.DataException;
import dev.downhill.data.Dataset;
import dev.downhill.data.Encoder;
import dev.downhill.data.Houses;
import dev.downhill.data.Split;
import dev.downhill.data.Table;
import dev.downhill.explain.LeastSquares;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * What {@link HousePrices} learns: a table, one column of it to predict, a split, and words for it.
 *
 * @param table all rows
 * @param encoder fitted on the rows to learn from
 * @param split which rows are held out
 * @param generated whether these are generated houses, whose true price is known
 */
record PriceTask(Table table, Encoder encoder, Split split, boolean generated) {
  static final double HELD_OUT = 0.2;
  private static final int FEWEST_ROWS = 10;

  /** The task that the options name. */
  static PriceTask of(JobOptions o) {
    Path data = o.data();
    boolean generated = data == null;
    String target = o.text(JobOption.TARGET);
    if (generated && target != null) {
      throw new IllegalArgumentException(
          "--target: expected it together with --data FILE.csv, got '%s'".formatted(target));
    }
    Table table = data == null ? Houses.table(Houses.SALES, o.seed()) : Table.read(data);
    target = generated ? Houses.TARGET : target;
    if (target == null) {
      throw new IllegalArgumentException(
          "--target: expected the column to predict, one of " + String.join(", ", table.names()));
    }
    requireVariety(table, target);
    Split split = Split.of(table.rows(), HELD_OUT, o.seed());
    return new PriceTask(table, Encoder.fit(table, target, split.train()), split, generated);
  }

  private static void requireVariety(Table table, String target) {
    Column.Numbers y = table.target(target);
    if (table.rows() < FEWEST_ROWS) {
      throw new DataException(
          "%s: expected at least %s rows, got %s"
              .formatted(table.source(), FEWEST_ROWS, table.rows()));
    }
    if (IntStream.range(0, table.rows()).allMatch(r -> y.get(r) == y.get(0))) {
      throw new DataException(
          "%s: column \"%s\": expected values that differ, got %s in every row"
              .formatted(table.source(), target, y.get(0)));
    }
  }

  Dataset train(Device device) {
    return Dataset.of(device, encoder, table, split.train());
  }

  Dataset validation(Device device) {
    return Dataset.of(device, encoder, table, split.validation());
  }

  /** The features of the example whose prediction is shown. */
  float[] example() {
    return generated
        ? encoder.encode(Houses.REFERENCE.table())
        : encoder.encode(table, new int[] {split.validation()[0]});
  }

  double exampleTruth() {
    return generated
        ? Houses.REFERENCE_PRICE
        : table.target(encoder.target()).get(split.validation()[0]);
  }

  String exampleName() {
    return generated
        ? "the house with 120 m2, 3 bedrooms, 2 km from the centre, 15 years old"
        : "the first held-out row";
  }

  /** An amount of the target, for people. */
  String amount(double v) {
    String digits = Math.abs(v) >= 1000 ? "%,.0f" : "%.4g";
    return (generated ? "EUR " : "") + String.format(Locale.ROOT, digits, v);
  }

  /** What a mean of the normalised target's errors is in the target's own unit. */
  double unit() {
    return encoder.targetScale().std();
  }

  /** The mean absolute error on held-out rows of the best straight line through the others. */
  double straightLineError(Dataset train, Dataset validation) {
    LeastSquares line =
        LeastSquares.fit(train.x().toFloats(), train.y().toFloats(), encoder.width());
    float[] x = validation.x().toFloats();
    float[] y = validation.y().toFloats();
    double sum = 0;
    for (int r = 0; r < y.length; r++) {
      sum += Math.abs(line.predict(x, r) - y[r]);
    }
    return sum / y.length * unit();
  }

  /** The mean absolute error of a perfect prediction: the noise in generated prices. */
  double noiseFloor() {
    return Houses.noiseFloor(table, split.validation());
  }
}

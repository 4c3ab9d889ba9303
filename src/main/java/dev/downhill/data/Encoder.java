package dev.downhill.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Turns the rows of a table into the numbers that a model works on, in a way learned from the
 * training rows alone. Immutable.
 *
 * <p>Every column but the target gives features, in the order of the table. Numbers become {@code
 * (x - mean) / std}, with the mean and the (population) standard deviation of the training rows,
 * empty cells filled in; a std of 0 counts as 1. Categories become one feature each, named {@code
 * column=category}, in ascending order of the text: 1 for the category of the row, 0 for the
 * others. The target is normalised like a number. Empty cells are treated as the {@link
 * MissingPolicy} says.
 */
public final class Encoder {
  private final String target;
  private final Scale targetScale;
  private final MissingPolicy missing;
  private final List<Feature> features;
  private final int width;

  Encoder(String target, Scale targetScale, MissingPolicy missing, List<Feature> features) {
    this.target = target;
    this.targetScale = targetScale;
    this.missing = missing;
    this.features = List.copyOf(features);
    this.width = features.stream().mapToInt(Feature::width).sum();
    Set<String> names = new HashSet<>(Set.of(target));
    for (Feature feature : features) {
      if (!names.add(feature.name())) {
        throw new DataException(
            "encoder: expected different columns, got "
                + DataException.quote(feature.name())
                + " twice");
      }
    }
    if (width == 0) {
      throw new DataException(
          "encoder: expected a column beside the target "
              + DataException.quote(target)
              + ", got none");
    }
  }

  /** Learns from the training rows, filling in missing values ({@link MissingPolicy#MEDIAN}). */
  public static Encoder fit(Table table, String target, int[] trainingRows) {
    return fit(table, target, trainingRows, MissingPolicy.MEDIAN);
  }

  /**
   * Learns means, deviations and medians from the training rows. The values of a category are those
   * of all rows, since a rare one may occur in others alone.
   *
   * @param target the column to be predicted
   * @param trainingRows rows of the table, at least one
   * @throws DataException if the target is not there, not a column of numbers, or missing in any
   *     row of the table; if a feature is missing in every training row or, with {@link
   *     MissingPolicy#ERROR}, in one; if a number is beyond the range of a float
   */
  public static Encoder fit(Table table, String target, int[] trainingRows, MissingPolicy missing) {
    if (trainingRows.length == 0) {
      throw new IllegalArgumentException("fit: expected at least one training row, got none");
    }
    Column.Numbers prices = table.target(target);
    double[] targets = Arrays.stream(trainingRows).mapToDouble(prices::get).toArray();
    List<Feature> features = new ArrayList<>();
    for (Column column : table.columns()) {
      if (!column.name().equals(target)) {
        if (missing == MissingPolicy.ERROR) {
          refuseMissing(table, column, trainingRows);
        }
        features.add(
            switch (column) {
              case Column.Numbers numbers -> fit(table, numbers, trainingRows);
              case Column.Categories categories -> fit(categories);
            });
      }
    }
    return new Encoder(target, Scale.of(targets), missing, features);
  }

  private static void refuseMissing(Table table, Column column, int[] rows) {
    for (int row : rows) {
      if (column.isMissing(row)) {
        throw new DataException(
            table.at(row, column.name()) + ": missing value, expected none, got an empty cell");
      }
    }
  }

  private static Feature fit(Table table, Column.Numbers column, int[] rows) {
    for (int row : rows) {
      table.checkFloat(column, row);
    }
    double[] present =
        Arrays.stream(rows)
            .mapToDouble(column::get)
            .filter(x -> !Double.isNaN(x))
            .sorted()
            .toArray();
    if (present.length == 0) {
      throw new DataException(
          table.source()
              + ": column "
              + DataException.quote(column.name())
              + ": expected a value in the training rows, got only empty cells; ignore the column");
    }
    int half = present.length / 2;
    double median =
        present.length % 2 == 1 ? present[half] : (present[half - 1] + present[half]) / 2;
    double[] filled =
        Arrays.stream(rows)
            .mapToDouble(r -> column.isMissing(r) ? median : column.get(r))
            .toArray();
    return new Feature.Numeric(column.name(), Scale.of(filled), median);
  }

  // All rows name the values: a rare one may be among the rows that are held out.
  private static Feature fit(Column.Categories column) {
    Set<String> values = new TreeSet<>();
    for (int row = 0; row < column.size(); row++) {
      values.add(textOf(column, row));
    }
    return new Feature.Categorical(column.name(), List.copyOf(values));
  }

  private static String textOf(Column.Categories column, int row) {
    String text = column.get(row);
    return text == null ? Feature.MISSING : text;
  }

  /** The column to be predicted. */
  public String target() {
    return target;
  }

  /** The normalisation of the target, whose inverse turns predictions into the target's unit. */
  public Scale targetScale() {
    return targetScale;
  }

  /** What happens to empty cells. */
  public MissingPolicy missing() {
    return missing;
  }

  /** The number of features. */
  public int width() {
    return width;
  }

  /** The names of the features: {@code size_m2}, {@code ocean_proximity=INLAND}. */
  public List<String> featureNames() {
    return features.stream().flatMap(feature -> feature.names().stream()).toList();
  }

  /**
   * The types of the columns that this encoder needs, for reading a file to predict from: a few
   * rows alone may not show whether a column holds numbers or categories.
   */
  public Map<String, Column.Type> types() {
    Map<String, Column.Type> types = new HashMap<>();
    types.put(target, Column.Type.NUMBER);
    features.forEach(feature -> types.put(feature.name(), feature.type()));
    return Map.copyOf(types);
  }

  /** The features of every row, as {@link #encode(Table, int[])}. */
  public float[] encode(Table table) {
    return encode(table, allRows(table));
  }

  /**
   * The features of some rows. The target need not be in the table.
   *
   * @return row-major, {@code (rows.length, width())}
   * @throws DataException if a column is not there or of another type, a category is unknown, a
   *     value is missing that may not be, or a number does not fit a float
   */
  public float[] encode(Table table, int[] rows) {
    float[] out = new float[Math.multiplyExact(rows.length, width)];
    int at = 0;
    for (Feature feature : features) {
      switch (feature) {
        case Feature.Numeric number -> encode(table, number, rows, out, at);
        case Feature.Categorical category -> encode(table, category, rows, out, at);
      }
      at += feature.width();
    }
    return out;
  }

  private void encode(Table table, Feature.Numeric feature, int[] rows, float[] out, int at) {
    Column.Numbers column = table.numbers(feature.name());
    if (missing == MissingPolicy.ERROR) {
      refuseMissing(table, column, rows);
    }
    for (int i = 0; i < rows.length; i++) {
      int row = rows[i];
      out[i * width + at] =
          column.isMissing(row)
              ? (float) feature.scale().normalize(feature.median())
              : normalize(table, column, row, feature.scale());
    }
  }

  private void encode(Table table, Feature.Categorical feature, int[] rows, float[] out, int at) {
    Column.Categories column = categories(table, feature.name());
    if (missing == MissingPolicy.ERROR) {
      refuseMissing(table, column, rows);
    }
    Map<String, Integer> places = new HashMap<>();
    feature.values().forEach(value -> places.put(value, places.size()));
    for (int i = 0; i < rows.length; i++) {
      Integer place = places.get(textOf(column, rows[i]));
      if (place == null) {
        throw unknown(table, feature, rows[i], column.get(rows[i]));
      }
      out[i * width + at + place] = 1;
    }
  }

  private static Column.Categories categories(Table table, String name) {
    if (table.column(name) instanceof Column.Categories categories) {
      return categories;
    }
    throw new DataException(
        table.source()
            + ": column "
            + DataException.quote(name)
            + ": expected categories as in training, got numbers");
  }

  private static DataException unknown(
      Table table, Feature.Categorical feature, int row, @Nullable String found) {
    String known =
        feature.values().stream().map(DataException::quote).collect(Collectors.joining(", "));
    return new DataException(
        table.at(row, feature.name())
            + (found == null
                ? ": missing value, which no row had, expected one of "
                    + known
                    + ", got an empty cell"
                : ": unknown category, expected one of "
                    + known
                    + ", got "
                    + DataException.quote(found)));
  }

  /** The normalised target of every row, as {@link #encodeTarget(Table, int[])}. */
  public float[] encodeTarget(Table table) {
    return encodeTarget(table, allRows(table));
  }

  /**
   * The normalised target of some rows.
   *
   * @throws DataException if the target is not there, not a column of numbers, or missing in any
   *     row
   */
  public float[] encodeTarget(Table table, int[] rows) {
    Column.Numbers column = table.target(target);
    float[] out = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      out[i] = normalize(table, column, rows[i], targetScale);
    }
    return out;
  }

  private static float normalize(Table table, Column.Numbers column, int row, Scale scale) {
    table.checkFloat(column, row);
    float normalized = (float) scale.normalize(column.get(row));
    if (!Float.isFinite(normalized)) {
      throw new DataException(
          table.at(row, column.name())
              + ": number out of range once normalised, expected one near the mean "
              + scale.mean()
              + " (std "
              + scale.std()
              + "), got "
              + column.get(row));
    }
    return normalized;
  }

  private static int[] allRows(Table table) {
    int[] rows = new int[table.rows()];
    Arrays.setAll(rows, i -> i);
    return rows;
  }

  /** The learned encoding as JSON, to be kept beside the weights of the model. */
  public String toJson() {
    return EncoderJson.write(target, targetScale, missing, features);
  }

  /**
   * The encoder that {@link #toJson} wrote; its encodings are equal bit for bit.
   *
   * @throws DataException if the text is not such JSON; the message names the key
   */
  public static Encoder fromJson(String json) {
    return EncoderJson.read(json);
  }
}

package dev.downhill.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A named column of a {@link Table}: {@link Numbers} or {@link Categories}. Immutable. */
public sealed interface Column {
  /** What the cells of a column are. */
  enum Type {
    /** Finite numbers. */
    NUMBER,
    /** One of a few texts. */
    CATEGORY
  }

  /** The name in the header. */
  String name();

  /** What the cells are. */
  Type type();

  /** The number of rows. */
  int size();

  /** Whether the cell of this row, counted from 0, is empty. */
  boolean isMissing(int row);

  /**
   * A column of numbers.
   *
   * @param values one per row, NaN where the value is missing
   * @throws DataException if a value is infinite
   */
  static Numbers numbers(String name, double... values) {
    for (int row = 0; row < values.length; row++) {
      if (Double.isInfinite(values[row])) {
        throw new DataException(
            "column "
                + DataException.quote(name)
                + ": expected finite numbers, got "
                + values[row]
                + " in row "
                + row);
      }
    }
    return new Numbers(name, values.clone());
  }

  /**
   * A column of categories.
   *
   * @param values one per row, null or empty where the value is missing
   */
  static Categories categories(String name, List<? extends @Nullable String> values) {
    @Nullable String[] texts = new @Nullable String[values.size()];
    for (int row = 0; row < texts.length; row++) {
      String value = values.get(row);
      texts[row] = value == null || value.isEmpty() ? null : value;
    }
    return new Categories(name, texts);
  }

  /** Numbers, NaN where one is missing. */
  final class Numbers implements Column {
    private final String name;
    private final double[] values;

    Numbers(String name, double[] values) {
      this.name = name;
      this.values = values;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public Type type() {
      return Type.NUMBER;
    }

    @Override
    public int size() {
      return values.length;
    }

    @Override
    public boolean isMissing(int row) {
      return Double.isNaN(values[row]);
    }

    /** The number in this row, NaN if it is missing. */
    public double get(int row) {
      return values[row];
    }
  }

  /** Texts, null where one is missing. */
  final class Categories implements Column {
    private final String name;
    private final @Nullable String[] values;

    Categories(String name, @Nullable String[] values) {
      this.name = name;
      this.values = values;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public Type type() {
      return Type.CATEGORY;
    }

    @Override
    public int size() {
      return values.length;
    }

    @Override
    public boolean isMissing(int row) {
      return values[row] == null;
    }

    /** The text in this row, null if it is missing. */
    public @Nullable String get(int row) {
      return values[row];
    }
  }
}

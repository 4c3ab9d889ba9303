package dev.downhill.data;

import java.util.List;

/** How an {@link Encoder} turns one column of a table into numbers for a model. */
sealed interface Feature {
  /** The text that stands for an empty cell in a column of categories. */
  String MISSING = "(missing)";

  /** The column's name. */
  String name();

  /** What the column holds. */
  Column.Type type();

  /** How many numbers it becomes. */
  int width();

  /** Their names. */
  List<String> names();

  /** A column of numbers becomes one, normalised. */
  record Numeric(String name, Scale scale, double median) implements Feature {
    public Numeric {
      if (!Double.isFinite(median)) {
        throw new DataException(
            "encoder: column "
                + DataException.quote(name)
                + ": expected a finite median, got "
                + median);
      }
    }

    @Override
    public Column.Type type() {
      return Column.Type.NUMBER;
    }

    @Override
    public int width() {
      return 1;
    }

    @Override
    public List<String> names() {
      return List.of(name);
    }
  }

  /** A column of categories becomes one number per category: 1 for the one that the cell holds. */
  record Categorical(String name, List<String> values) implements Feature {
    public Categorical {
      values = List.copyOf(values);
      for (int i = 1; i < values.size(); i++) {
        if (values.get(i - 1).compareTo(values.get(i)) >= 0) {
          throw new DataException(
              "encoder: column "
                  + DataException.quote(name)
                  + ": expected categories in ascending order, got "
                  + DataException.quote(values.get(i - 1))
                  + " before "
                  + DataException.quote(values.get(i)));
        }
      }
    }

    @Override
    public Column.Type type() {
      return Column.Type.CATEGORY;
    }

    @Override
    public int width() {
      return values.size();
    }

    @Override
    public List<String> names() {
      return values.stream().map(value -> name + "=" + value).toList();
    }
  }
}

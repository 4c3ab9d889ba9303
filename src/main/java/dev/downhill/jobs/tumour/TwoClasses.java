package dev.downhill.jobs.tumour;

import dev.downhill.data.Column;
import dev.downhill.data.DataException;
import dev.downhill.data.ScikitCsv;
import dev.downhill.data.Table;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A table in which one column has two values, which are to be told apart by the others.
 *
 * @param table its target is 0 for the first class and 1 for the second
 * @param target the name of the column
 * @param names of the classes, in ascending order
 * @param labels the class of every row
 */
record TwoClasses(Table table, String target, List<String> names, List<Integer> labels) {
  private static final int SHOWN = 5;

  /**
   * Reads a CSV file with a header, or one of scikit-learn's.
   *
   * @param target the column to be told; null for {@code target}, or the last if there is none
   * @param fewest how many rows each class must have
   * @throws DataException if the file does not hold such a table
   */
  static TwoClasses read(Path file, @Nullable String target, int fewest) {
    Table table = ScikitCsv.read(file).orElseGet(() -> Table.read(file));
    String name = target;
    if (name == null) {
      name = table.has("target") ? "target" : table.names().getLast();
    }
    String where = "%s: column \"%s\"".formatted(table.source(), name);
    String[] values = values(table.column(name), where);
    List<String> names = List.copyOf(new TreeSet<>(List.of(values)));
    if (names.size() != 2) {
      throw new DataException(
          "%s: expected two classes to tell apart, got %s: %s%s"
              .formatted(
                  where,
                  names.size(),
                  String.join(", ", names.subList(0, Math.min(SHOWN, names.size()))),
                  names.size() > SHOWN ? ", ..." : ""));
    }
    int[] labels = Arrays.stream(values).mapToInt(names::indexOf).toArray();
    for (int c = 0; c < 2; c++) {
      int label = c;
      long rows = Arrays.stream(labels).filter(l -> l == label).count();
      if (rows < fewest) {
        throw new DataException(
            "%s: expected at least %s rows of each class, got %s of %s"
                .formatted(where, fewest, rows, names.get(c)));
      }
    }
    double[] numbers = Arrays.stream(labels).asDoubleStream().toArray();
    return new TwoClasses(
        table.with(Column.numbers(name, numbers)),
        name,
        names,
        Arrays.stream(labels).boxed().toList());
  }

  private static String[] values(Column column, String where) {
    return IntStream.range(0, column.size())
        .mapToObj(
            row -> {
              if (column.isMissing(row)) {
                throw new DataException(
                    "%s: expected a class in every row, got an empty cell in row %s"
                        .formatted(where, row + 1));
              }
              return switch (column) {
                case Column.Numbers n -> text(n.get(row));
                case Column.Categories c -> String.valueOf(c.get(row));
              };
            })
        .toArray(String[]::new);
  }

  private static String text(double v) {
    return v == Math.rint(v) && Math.abs(v) < 1e15 ? Long.toString((long) v) : Double.toString(v);
  }

  /** How many rows are of a class. */
  long count(int label) {
    return labels.stream().filter(l -> l == label).count();
  }
}

package dev.downhill.data;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * How a CSV file is read.
 *
 * @param separator the character between cells
 * @param maxCategories how many different texts a column of categories may hold
 * @param ignored columns to leave out, whatever they hold
 * @param types columns whose type is given instead of inferred; names that the file lacks are
 *     allowed
 */
public record CsvOptions(
    char separator, int maxCategories, Set<String> ignored, Map<String, Column.Type> types) {
  /** Commas, at most 100 categories, every column, all types inferred. */
  public static final CsvOptions DEFAULTS = new CsvOptions(',', 100, Set.of(), Map.of());

  /**
   * Checks and copies the options.
   *
   * @throws IllegalArgumentException if the separator is a quote, a line end, NUL, or could be part
   *     of a number, or if {@code maxCategories} is less than 1
   */
  public CsvOptions {
    if ("\"\r\n\0.+-\uFEFF\uFFFF".indexOf(separator) >= 0 || Character.isLetterOrDigit(separator)) {
      throw new IllegalArgumentException(
          "csv: expected a separator such as ',' ';' or tab, got "
              + DataException.quote(String.valueOf(separator)));
    }
    if (maxCategories < 1) {
      throw new IllegalArgumentException(
          "csv: expected maxCategories of at least 1, got " + maxCategories);
    }
    ignored = Set.copyOf(ignored);
    types = Map.copyOf(types);
  }

  /** These options with another character between cells. */
  public CsvOptions withSeparator(char c) {
    return new CsvOptions(c, maxCategories, ignored, types);
  }

  /** These options with another limit of different texts in a column. */
  public CsvOptions withMaxCategories(int n) {
    return new CsvOptions(separator, n, ignored, types);
  }

  /** These options with one more column left out. */
  public CsvOptions ignoring(String column) {
    Set<String> more = new HashSet<>(ignored);
    more.add(column);
    return new CsvOptions(separator, maxCategories, more, types);
  }

  /** These options with the type of a column given. */
  public CsvOptions withType(String column, Column.Type type) {
    return withTypes(Map.of(column, type));
  }

  /** These options with the types of some columns given. */
  public CsvOptions withTypes(Map<String, Column.Type> columns) {
    Map<String, Column.Type> more = new HashMap<>(types);
    more.putAll(columns);
    return new CsvOptions(separator, maxCategories, ignored, more);
  }
}

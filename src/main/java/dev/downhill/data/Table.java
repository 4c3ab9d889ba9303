package dev.downhill.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Rows of typed columns, such as a CSV file holds. Immutable.
 *
 * <p>A CSV file is UTF-8 text (a byte order mark is accepted) with a header line of distinct names.
 * Lines end in LF, CRLF or CR; blank lines are skipped; cells may be quoted. A column holds
 *
 * <ul>
 *   <li>numbers, if every cell that is not empty is {@code [+-] digits [. digits] [e [+-] digits]}
 *       and finite as a double;
 *   <li>otherwise categories, if less than 90 % of its cells are numbers and at most {@link
 *       CsvOptions#maxCategories} different texts occur.
 * </ul>
 *
 * Anything else is an error that names the line and the column: text among numbers is never taken
 * for a category, nor {@code NaN} for a number. An empty cell, and nothing else, is a missing
 * value.
 */
public final class Table {
  private static final int NAMES_SHOWN = 20;

  private final String source;
  private final Map<String, Column> columns = new LinkedHashMap<>();
  private final int rows;
  private final int @Nullable [] lines;

  Table(String source, List<? extends Column> columns, int @Nullable [] lines) {
    this.source = source;
    this.rows = columns.isEmpty() ? 0 : columns.get(0).size();
    this.lines = lines;
    for (Column column : columns) {
      if (column.size() != rows) {
        throw new DataException(
            source
                + ": column "
                + DataException.quote(column.name())
                + ": expected "
                + rows
                + " rows as in the first column, got "
                + column.size());
      }
      if (this.columns.put(column.name(), column) != null) {
        throw new DataException(
            source
                + ": expected columns with different names, got "
                + DataException.quote(column.name())
                + " twice");
      }
    }
  }

  /**
   * A table of columns of one length.
   *
   * @param source where the columns come from, for messages
   * @throws DataException if lengths differ or a name occurs twice
   */
  public static Table of(String source, List<? extends Column> columns) {
    return new Table(source, columns, null);
  }

  /**
   * This table with a column in place of the one of the same name.
   *
   * @throws DataException if there is none of that name, or it has another length
   */
  public Table with(Column column) {
    column(column.name());
    return new Table(
        source,
        columns().stream().map(c -> c.name().equals(column.name()) ? column : c).toList(),
        lines);
  }

  /** Reads a CSV file with {@linkplain CsvOptions#DEFAULTS default options}. */
  public static Table read(Path file) {
    return read(file, CsvOptions.DEFAULTS);
  }

  /**
   * Reads a CSV file.
   *
   * @throws DataException if the file cannot be read, or does not hold a table as described above
   */
  public static Table read(Path file, CsvOptions options) {
    Path name = file.getFileName();
    String source = name == null ? file.toString() : name.toString();
    if (Files.isDirectory(file)) {
      throw new DataException(source + ": a directory, expected a CSV file");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return Csv.read(source, in, options);
    } catch (NoSuchFileException e) {
      throw new DataException("no such file, expected a CSV file at " + file, e);
    } catch (IOException e) {
      throw new DataException(source + ": cannot be read: " + e, e);
    }
  }

  /** The file's name, or what else the table was made from. */
  public String source() {
    return source;
  }

  /** The number of rows. */
  public int rows() {
    return rows;
  }

  /** The columns in the order of the file. */
  public List<Column> columns() {
    return List.copyOf(columns.values());
  }

  /** The names of the columns in the order of the file. */
  public List<String> names() {
    return List.copyOf(columns.keySet());
  }

  /** Whether there is a column of this name. */
  public boolean has(String name) {
    return columns.containsKey(name);
  }

  /**
   * The column of this name.
   *
   * @throws DataException if there is none; the message lists the columns and the most similar name
   */
  public Column column(String name) {
    Column column = columns.get(name);
    if (column == null) {
      throw new DataException(noColumn(source, name, columns.keySet()));
    }
    return column;
  }

  /**
   * The column of numbers of this name.
   *
   * @throws DataException if there is none, or it holds categories
   */
  public Column.Numbers numbers(String name) {
    return switch (column(name)) {
      case Column.Numbers numbers -> numbers;
      case Column.Categories categories ->
          throw new DataException(
              source
                  + ": column "
                  + DataException.quote(name)
                  + ": expected numbers, got text such as "
                  + firstOf(categories));
    };
  }

  private static String firstOf(Column.Categories categories) {
    for (int row = 0; row < categories.size(); row++) {
      String text = categories.get(row);
      if (text != null) {
        return DataException.quote(text);
      }
    }
    return "none";
  }

  /**
   * The column to be predicted: numbers, none of them missing.
   *
   * @throws DataException if there is no such column, it holds categories, or a value is missing or
   *     beyond the range of a float; the message names the line
   */
  public Column.Numbers target(String name) {
    Column.Numbers target = numbers(name);
    for (int row = 0; row < rows; row++) {
      if (target.isMissing(row)) {
        throw new DataException(
            at(row, name) + ": missing value in the target, expected a number, got an empty cell");
      }
      checkFloat(target, row);
    }
    return target;
  }

  /** Refuses a number that a float cannot hold. */
  void checkFloat(Column.Numbers column, int row) {
    if (Math.abs(column.get(row)) > Float.MAX_VALUE) {
      throw new DataException(
          at(row, column.name())
              + ": number out of range, expected at most 3.4028235E38 in size (float32), got "
              + column.get(row));
    }
  }

  /** The place of a cell, for a message: {@code houses.csv: line 12, column "size"}. */
  String at(int row, String column) {
    return source
        + (lines == null ? ": row " + row : ": line " + lines[row])
        + ", column "
        + DataException.quote(column);
  }

  static String noColumn(String source, String name, Collection<String> names) {
    String known =
        names.stream()
            .limit(NAMES_SHOWN)
            .map(DataException::quote)
            .collect(Collectors.joining(", "));
    String more =
        names.size() > NAMES_SHOWN ? " and " + (names.size() - NAMES_SHOWN) + " more" : "";
    String hint =
        Nearest.to(name, names)
            .map(n -> "; did you mean " + DataException.quote(n) + "?")
            .orElse("");
    return source
        + ": no column "
        + DataException.quote(name)
        + ", expected one of "
        + known
        + more
        + hint;
  }
}

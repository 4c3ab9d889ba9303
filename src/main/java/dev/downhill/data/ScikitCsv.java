package dev.downhill.data;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The CSV files that scikit-learn ships, such as {@code breast_cancer.csv}. They have no header of
 * column names: the first line holds the numbers of rows and of features and the names of the
 * classes, every other line the features and the number of the class.
 */
public final class ScikitCsv {
  private static final Pattern FIRST_LINE =
      Pattern.compile("[1-9][0-9]{0,8},[1-9][0-9]{0,3}(,[\\p{L}_][^,\"]*){2,}");
  private static final int LONGEST_LINE = 10_000;

  private ScikitCsv() {}

  /**
   * Reads such a file: numbers {@code feature_1}, {@code feature_2}, ... and the categories {@code
   * class}.
   *
   * @return empty if the first line is that of another file
   * @throws DataException if the file cannot be read, or does not hold what its first line says
   */
  public static Optional<Table> read(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    String source = String.valueOf(file.getFileName());
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      String first = firstLine(in);
      if (!FIRST_LINE.matcher(first).matches()) {
        return Optional.empty();
      }
      String[] cells = first.split(",", -1);
      int features = Integer.parseInt(cells[1]);
      String header =
          IntStream.rangeClosed(1, features)
              .mapToObj(i -> "feature_" + i)
              .collect(Collectors.joining(",", "", ",class\n"));
      InputStream named = new ByteArrayInputStream(header.getBytes(StandardCharsets.UTF_8));
      Table table = Csv.read(source, new SequenceInputStream(named, in), CsvOptions.DEFAULTS);
      if (table.rows() != Integer.parseInt(cells[0])) {
        throw new DataException(
            "%s: expected %s rows as the first line says, got %s"
                .formatted(source, cells[0], table.rows()));
      }
      return Optional.of(table.with(classes(table, List.of(cells).subList(2, cells.length))));
    } catch (IOException e) {
      throw new DataException(source + ": cannot be read: " + e, e);
    }
  }

  /** The text before the first line feed, or the beginning of a line that is too long. */
  private static String firstLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0 && b != '\n' && line.size() < LONGEST_LINE; b = in.read()) {
      line.write(b);
    }
    return line.toString(StandardCharsets.UTF_8).stripTrailing();
  }

  private static Column classes(Table table, List<String> names) {
    Column.Numbers numbers = table.target("class");
    List<String> classes = new ArrayList<>();
    for (int row = 0; row < table.rows(); row++) {
      int number = (int) numbers.get(row);
      if (number != numbers.get(row) || number < 0 || number >= names.size()) {
        throw new DataException(
            "%s: expected the number of a class, 0 to %s, got %s"
                .formatted(table.at(row, "class"), names.size() - 1, numbers.get(row)));
      }
      classes.add(names.get(number));
    }
    return Column.categories("class", classes);
  }
}

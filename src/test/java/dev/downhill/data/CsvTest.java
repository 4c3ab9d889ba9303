package dev.downhill.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CsvTest {
  private static Table read(String text, CsvOptions options) throws IOException {
    return Csv.read("t.csv", new ByteArrayInputStream(text.getBytes(UTF_8)), options);
  }

  private static Table read(String text) throws IOException {
    return read(text, CsvOptions.DEFAULTS);
  }

  private static List<Double> numbers(Table table, String name) {
    Column.Numbers column = table.numbers(name);
    return IntStream.range(0, column.size()).mapToObj(column::get).toList();
  }

  private static List<@Nullable String> texts(Table table, String name) {
    List<@Nullable String> texts = new ArrayList<>();
    if (table.column(name) instanceof Column.Categories column) {
      for (int row = 0; row < column.size(); row++) {
        texts.add(column.get(row));
      }
    }
    return texts;
  }

  @Test
  void columnsAreNumbersOrCategories() throws IOException {
    Table table = read("size,kind,age\n120,flat,15\n80.5,house,\n,,3e1\n");
    assertThat(table.names()).containsExactly("size", "kind", "age");
    assertThat(table.rows()).isEqualTo(3);
    assertThat(table.has("age")).isTrue();
    assertThat(table.has("Age")).isFalse();
    assertThat(numbers(table, "size")).containsExactly(120.0, 80.5, Double.NaN);
    assertThat(texts(table, "kind")).containsExactly("flat", "house", null);
    assertThat(numbers(table, "age")).containsExactly(15.0, Double.NaN, 30.0);
    assertThat(table.column("size").isMissing(2)).isTrue();
    assertThat(table.column("kind").isMissing(2)).isTrue();
    assertThat(table.column("kind").isMissing(1)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "-0",
        "+1",
        "007",
        "1.",
        ".5",
        "-.5",
        "1e5",
        "1E-5",
        "+1.25e+3",
        "1e-400",
        "1e308",
        "0e99999999999",
        "123456789012345678901234567890",
        "4.9e-324",
        "1.7976931348623157E308"
      })
  void numbersAreAsJavaReadsThem(String cell) throws IOException {
    double expected = Double.parseDouble(cell);
    assertThat(numbers(read("x\n" + cell + "\n"), "x")).containsExactly(expected);
  }

  @Test
  void numbersBeyondFloatAreKeptAsDoubles() throws IOException {
    assertThat(numbers(read("x\n1e39\n"), "x")).containsExactly(1e39);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "\r\n", "\r"})
  void allLineEndsAreTheSame(String end) throws IOException {
    for (String start : List.of("", "\uFEFF", end)) {
      for (String last : List.of("", end, end + end)) {
        Table table = read(start + "x,y" + end + "1,a" + end + end + "2,b" + last);
        assertThat(numbers(table, "x")).containsExactly(1.0, 2.0);
        assertThat(texts(table, "y")).containsExactly("a", "b");
      }
    }
    Table mixed = read("x\r\n1\n2\r3" + end + "4");
    assertThat(numbers(mixed, "x")).containsExactly(1.0, 2.0, 3.0, 4.0);
  }

  @Test
  void quotedCellsHoldAnything() throws IOException {
    Table table = read("\"a,b\",y\n\"x\n\"\"y\"\", z\",\"1\"\n\"\",\"2\"\n");
    assertThat(texts(table, "a,b")).containsExactly("x\n\"y\", z", null);
    assertThat(numbers(table, "y")).containsExactly(1.0, 2.0);
    assertThat(table.at(1, "y")).isEqualTo("t.csv: line 4, column \"y\"");
  }

  @Test
  void aColumnWithFewNumbersIsCategories() throws IOException {
    assertThat(texts(read("x\n" + "1\n".repeat(8) + "a\nb\n"), "x")).hasSize(10).contains("1", "b");
    assertThatThrownBy(() -> read("x\n" + "1\n".repeat(9) + "a\n"))
        .isInstanceOf(DataException.class);
    assertThat(texts(read("x\nNA\nNone\nA\n"), "x")).containsExactly("NA", "None", "A");
  }

  @Test
  void typesCanBeGiven() throws IOException {
    CsvOptions options =
        CsvOptions.DEFAULTS
            .withType("zip", Column.Type.CATEGORY)
            .withType("absent", Column.Type.NUMBER);
    assertThat(texts(read("zip\n01\n1\nNaN\n\"\"\n", options), "zip"))
        .containsExactly("01", "1", "NaN", null);
    assertThat(numbers(read("x\n\"\"\n\"\"\n"), "x")).containsExactly(Double.NaN, Double.NaN);
  }

  @Test
  void columnsCanBeIgnored() throws IOException {
    StringBuilder text = new StringBuilder("id,x\n");
    for (int i = 0; i < 200; i++) {
      text.append("name\0").append(i).append(',').append(i).append('\n');
    }
    Table table = read(text.toString(), CsvOptions.DEFAULTS.ignoring("id"));
    assertThat(table.names()).containsExactly("x");
    assertThat(table.rows()).isEqualTo(200);
  }

  @Test
  void limitsAreInclusive() throws IOException {
    StringBuilder text = new StringBuilder("x\n");
    for (int i = 0; i < 100; i++) {
      text.append("t").append(i).append('\n');
    }
    assertThat(texts(read(text.toString()), "x")).hasSize(100).doesNotHaveDuplicates();
    String longest = "a".repeat(Csv.MAX_CELL);
    assertThat(texts(read("x\n" + longest + "\n"), "x")).containsExactly(longest);
    assertThat(texts(read("x\n\"" + longest + "\"\n"), "x")).containsExactly(longest);
  }

  @Test
  void otherSeparators() throws IOException {
    Table table = read("x;y\n1;\"a;b\"\n", CsvOptions.DEFAULTS.withSeparator(';'));
    assertThat(texts(table, "y")).containsExactly("a;b");
    Table tabs = read("x\ty\n1\t2\n", CsvOptions.DEFAULTS.withSeparator('\t'));
    assertThat(numbers(tabs, "y")).containsExactly(2.0);
  }

  @Test
  void tablesCanBeMadeOfColumns() {
    Column.Numbers x = Column.numbers("x", 1, Double.NaN);
    Table table = Table.of("mine", List.of(x, Column.categories("k", List.of("a", ""))));
    assertThat(table.columns()).hasSize(2);
    assertThat(table.column("k").isMissing(1)).isTrue();
    assertThat(table.source()).isEqualTo("mine");
    assertThat(table.at(1, "x")).isEqualTo("mine: row 1, column \"x\"");
    assertThatThrownBy(() -> Table.of("mine", List.of(x, Column.numbers("y", 1))))
        .isInstanceOf(DataException.class)
        .hasMessage("mine: column \"y\": expected 2 rows as in the first column, got 1");
    assertThatThrownBy(() -> Table.of("mine", List.of(x, x)))
        .hasMessage("mine: expected columns with different names, got \"x\" twice");
    assertThatThrownBy(() -> Column.numbers("x", 1, Double.NEGATIVE_INFINITY))
        .isInstanceOf(DataException.class)
        .hasMessage("column \"x\": expected finite numbers, got -Infinity in row 1");
    assertThat(Table.of("none", List.of()).rows()).isZero();
  }

  /** Tables of random content, written with random quotes and line ends, read back equal. */
  @Test
  void randomTablesReadBackEqual() throws IOException {
    long seed = Long.getLong("seed", 20_250_101);
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 10_000; round++) {
      int width = 1 + random.nextInt(4);
      int rows = 1 + random.nextInt(6);
      String[][] cells = new String[width][rows];
      boolean[] numeric = new boolean[width];
      CsvOptions options = CsvOptions.DEFAULTS;
      for (int c = 0; c < width; c++) {
        numeric[c] = random.nextBoolean();
        boolean plain = random.nextBoolean();
        if (!plain) {
          Column.Type type = numeric[c] ? Column.Type.NUMBER : Column.Type.CATEGORY;
          options = options.withType("c" + c, type);
        }
        for (int r = 0; r < rows; r++) {
          boolean empty = (numeric[c] || !plain) && random.nextInt(6) == 0;
          cells[c][r] = empty ? "" : numeric[c] ? number(random) : text(random, plain);
        }
      }
      Table table = read(write(random, cells), options);
      assertThat(table.rows()).isEqualTo(rows);
      for (int c = 0; c < width; c++) {
        String as = "seed " + seed + " round " + round;
        if (numeric[c]) {
          assertThat(numbers(table, "c" + c))
              .as(as)
              .isEqualTo(
                  Arrays.stream(cells[c])
                      .map(cell -> cell.isEmpty() ? Double.NaN : Double.parseDouble(cell))
                      .toList());
        } else {
          List<@Nullable String> expected = new ArrayList<>();
          for (String cell : cells[c]) {
            expected.add(cell.isEmpty() ? null : cell);
          }
          assertThat(texts(table, "c" + c)).as(as).isEqualTo(expected);
        }
      }
    }
  }

  private static String number(SplittableRandom random) {
    double value = Double.longBitsToDouble(random.nextLong());
    return switch (random.nextInt(3)) {
      case 0 -> String.valueOf(random.nextInt());
      case 1 -> String.valueOf(random.nextInt(1000) / 8.0);
      default -> Double.isFinite(value) ? String.valueOf(value) : "-0.0";
    };
  }

  private static String text(SplittableRandom random, boolean plain) {
    String alphabet = "abXY ,;\"\n\r\t'1.-\u00E9\u4E2D\uD834\uDD1E";
    StringBuilder text = new StringBuilder(plain ? "k" : "");
    do {
      int at = random.nextInt(alphabet.codePointCount(0, alphabet.length()));
      text.appendCodePoint(alphabet.codePointAt(alphabet.offsetByCodePoints(0, at)));
    } while (random.nextInt(4) != 0);
    return text.toString();
  }

  private static String write(SplittableRandom random, String[][] cells) {
    String end = List.of("\n", "\r\n", "\r").get(random.nextInt(3));
    StringBuilder out = new StringBuilder(random.nextBoolean() ? "\uFEFF" : "");
    for (int c = 0; c < cells.length; c++) {
      out.append(c == 0 ? "c" : ",c").append(c);
    }
    for (int r = 0; r < cells[0].length; r++) {
      out.append(end);
      for (int c = 0; c < cells.length; c++) {
        String cell = cells[c][r];
        boolean quoted =
            cell.chars().anyMatch(k -> ",\"\r\n".indexOf(k) >= 0)
                || (cells.length == 1 && cell.isEmpty())
                || random.nextInt(4) == 0;
        out.append(c == 0 ? "" : ",");
        out.append(quoted ? '"' + cell.replace("\"", "\"\"") + '"' : cell);
      }
    }
    return out.append(random.nextBoolean() ? end : "").toString();
  }

  /** Whatever a file holds, it is a table of finite numbers or a DataException. */
  @Test
  void mutatedFilesNeverEscape() throws IOException {
    long seed = Long.getLong("seed", 20_250_102);
    SplittableRandom random = new SplittableRandom(seed);
    byte[] good =
        "size,kind,price\n12,a,3.5\n\"7\",\"b,\"\"c\",-1e3\r\n,,2\n1,a,5\n".getBytes(UTF_8);
    byte[] tokens = ",\"\n\r\0.;-e0 a\u00FF".getBytes(UTF_8);
    int tables = 0;
    int refused = 0;
    for (int round = 0; round < 50_000; round++) {
      byte[] bytes = good.clone();
      for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
        int at = random.nextInt(bytes.length);
        int kind = random.nextInt(10);
        if (kind < 6) {
          bytes[at] = tokens[random.nextInt(tokens.length)];
        } else if (kind < 8) {
          bytes[at] = (byte) random.nextInt(256);
        } else {
          bytes[at] = bytes[random.nextInt(bytes.length)];
        }
      }
      try {
        Table table = Csv.read("t.csv", new ByteArrayInputStream(bytes), CsvOptions.DEFAULTS);
        for (Column column : table.columns()) {
          if (column.type() == Column.Type.NUMBER
              && numbers(table, column.name()).stream().anyMatch(x -> Double.isInfinite(x))) {
            throw new AssertionError("an infinity: seed " + seed + " round " + round);
          }
        }
        tables++;
      } catch (DataException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + " round " + round, e);
      }
    }
    assertThat(tables).isGreaterThan(5_000);
    assertThat(refused).isGreaterThan(5_000);
  }
}

package dev.downhill.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Isolated("changes the default locale")
class CsvErrorTest {
  private static final String TEXT = "text in a number column, expected a number, got ";
  private static final String WORD =
      "a word for a missing value, expected a number or an empty cell, got ";
  private static final String FINITE =
      "not a finite number, expected a number, or an empty cell for a missing value, got ";
  private static final String COMMA =
      "decimal comma, expected a number with a decimal point and no other separators, got ";
  private static final String BLANKS = "blanks around a number, expected the number alone, got ";
  private static final String RANGE =
      "number out of range, expected at most 1.7976931348623157E308 in size, got ";
  private static final String UNCLOSED =
      "a quote is never closed, expected a closing \" before the end of the file";
  private static final String AFTER_QUOTE =
      "text after a closing quote, expected the separator or the end of the line"
          + "; a quote inside quotes is written twice";
  private static final String MALFORMED = "malformed UTF-8, expected a file saved as UTF-8, got ";
  private static final String NUL = "NUL character, expected text, got ";
  private static final String LONG_CELL =
      "a cell of more than 1048576 characters; is a quote not closed?";

  /** A bad file and the message that it must get, without the file's name. */
  record Bad(String text, Charset charset, CsvOptions options, String message) {
    byte[] bytes() {
      return text.getBytes(charset);
    }

    @Override
    public String toString() {
      return message;
    }
  }

  private static Bad bad(String text, String message) {
    return new Bad(text, UTF_8, CsvOptions.DEFAULTS, message);
  }

  private static Bad bad(String text, CsvOptions options, String message) {
    return new Bad(text, UTF_8, options, message);
  }

  private static Bad latin1(String text, String message) {
    return new Bad(text, ISO_8859_1, CsvOptions.DEFAULTS, message);
  }

  /** A bad cell in the second column, y, on line 3 of a column of numbers. */
  private static Bad cell(String cell, String message) {
    return bad(
        "x,y\n1,2\n3," + cell + "\n" + "5,6\n".repeat(8), "line 3, column \"y\": " + message);
  }

  private static String distinct(int n) {
    return IntStream.range(0, n).mapToObj(i -> "t" + i + "\n").collect(Collectors.joining());
  }

  static Stream<Bad> badFiles() {
    CsvOptions defaults = CsvOptions.DEFAULTS;
    return Stream.of(
        // No table at all.
        bad("", "the file is empty, expected a header line and rows"),
        bad("\n\r\n\r", "the file is empty, expected a header line and rows"),
        bad("\uFEFF", "the file is empty, expected a header line and rows"),
        bad("x,y", "a header and nothing else, expected rows below it"),
        bad("x,y\n", "a header and nothing else, expected rows below it"),
        bad("x,y\r\n\r\n\n", "a header and nothing else, expected rows below it"),
        bad("\uFEFFx\n", "a header and nothing else, expected rows below it"),
        latin1("\u001F\u008B\b\0", "a gzip file, expected text; unpack it first"),
        latin1("PK\3\4xl", "a zip file or spreadsheet, expected text; save it as CSV"),
        new Bad("\uFEFFx\n1\n", UTF_16LE, defaults, "UTF-16 text, expected a file saved as UTF-8"),
        latin1("\u00FE\u00FF\0x\0\n", "UTF-16 text, expected a file saved as UTF-8"),
        // The header.
        bad("x,,y\n1,2,3\n", "line 1: the name of column 2 is empty, expected a name"),
        bad("x,y,\n1,2,\n", "line 1: the name of column 3 is empty, expected a name"),
        bad("x,  \n1,2\n", "line 1: the name of column 2 is empty, expected a name"),
        bad("\n\n\"\",y\n1,2\n", "line 3: the name of column 1 is empty, expected a name"),
        bad(
            "x,y,x\n1,2,3\n",
            "line 1: the name of column 3 is that of column 1 too, expected different names, got"
                + " \"x\""),
        bad(
            "y,\"y\"\n1,2\n",
            "line 1: the name of column 2 is that of column 1 too, expected different names, got"
                + " \"y\""),
        bad("x,y\0z\n1,2\n", "line 1: the name of column 2: " + NUL + "\"y\\u0000z\""),
        latin1(
            "x,gr\u00F6\u00DFe\n1,2\n",
            "line 1: the name of column 2: " + MALFORMED + "\"gr\uFFFF\uFFFFe\""),
        bad(
            "1,2.5,-3\n4,5,6\n",
            "line 1: only numbers, expected a header with column names, got \"1,2.5,-3\""),
        bad("x,\"y\n1,2\n", "line 1: " + UNCLOSED),
        bad("a,".repeat(16384) + "b\n", "line 1: too many cells, expected at most 16384"),
        bad(
            "size,price\n1,2\n",
            defaults.ignoring("prise"),
            "no column \"prise\", expected one of \"size\", \"price\"; did you mean \"price\"?"),
        bad(
            "size,price\n1,2\n",
            defaults.ignoring("id"),
            "no column \"id\", expected one of \"size\", \"price\""),
        // Ragged rows.
        bad("x,y\n1\n", "line 2: expected 2 cells as in the header, got 1"),
        bad("x,y\n1,2,3\n", "line 2: expected 2 cells as in the header, got 3"),
        bad("x,y\n1,2\n3,4\n5\n", "line 4: expected 2 cells as in the header, got 1"),
        bad("x,y\r\n1,2\r\n\r\n3,4,\r\n", "line 4: expected 2 cells as in the header, got 3"),
        bad("x,y\r1,2\r3\r", "line 3: expected 2 cells as in the header, got 1"),
        bad("x,y\n1,2\r\n3,4\r5,6\n7\n", "line 5: expected 2 cells as in the header, got 1"),
        bad("x,y\n\"a\nb\",2\n3\n", "line 4: expected 2 cells as in the header, got 1"),
        bad(
            "x;y\n1,5;2,5\n",
            "line 2: expected 1 cells as in the header, got 3; is the separator \";\"?"),
        bad(
            "x\ty\n1,5\t2\n",
            "line 2: expected 1 cells as in the header, got 2; is the separator \"\\t\"?"),
        bad(
            "x,y\n1;2\n",
            defaults.withSeparator(';'),
            "line 2: expected 1 cells as in the header, got 2; is the separator \",\"?"),
        // Quotes.
        bad("x,y\n1,\"2\n", "line 2: " + UNCLOSED),
        bad("x,y\n1,2\n\"3,4\n5,6\n", "line 3: " + UNCLOSED),
        bad("x\n\"a\"\"\n", "line 2: " + UNCLOSED),
        bad("x,y\n1,\"2\"3\n", "line 2: " + AFTER_QUOTE),
        bad("x,y\n\"1\" ,2\n", "line 2: " + AFTER_QUOTE),
        bad("x\n\"say \"hi\" twice\"\n", "line 2: " + AFTER_QUOTE),
        bad("x\n" + "a".repeat((1 << 20) + 1) + "\n", "line 2: " + LONG_CELL),
        bad("x\n1\n\"" + "a,b\n".repeat(1 << 19), "line 3: " + UNCLOSED),
        bad("x\n1\n\"" + "a,b\n".repeat(1 << 21), "line 3: " + LONG_CELL),
        // Cells that are not numbers.
        cell("abc", TEXT + "\"abc\""),
        cell("12m2", TEXT + "\"12m2\""),
        cell("1f", TEXT + "\"1f\""),
        cell("1.5d", TEXT + "\"1.5d\""),
        cell("0x1p3", TEXT + "\"0x1p3\""),
        cell("0x10", TEXT + "\"0x10\""),
        cell("1e", TEXT + "\"1e\""),
        cell("1e+", TEXT + "\"1e+\""),
        cell("1.2.3", TEXT + "\"1.2.3\""),
        cell("--1", TEXT + "\"--1\""),
        cell("+", TEXT + "\"+\""),
        cell("1 000", TEXT + "\"1 000\""),
        cell("\u0663", TEXT + "\"\u0663\""),
        cell("\u22125", TEXT + "\"\u22125\""),
        cell("true", TEXT + "\"true\""),
        cell("\"a\nb\"", TEXT + "\"a\\nb\""),
        cell("a\tb\u0001", TEXT + "\"a\\tb\\u0001\""),
        cell("y".repeat(500), TEXT + "\"" + "y".repeat(40) + "\"... (500 characters)"),
        cell("NA", WORD + "\"NA\""),
        cell("n/a", WORD + "\"n/a\""),
        cell("null", WORD + "\"null\""),
        cell("None", WORD + "\"None\""),
        cell("?", WORD + "\"?\""),
        cell("-", WORD + "\"-\""),
        cell(".", WORD + "\".\""),
        cell("NaN", FINITE + "\"NaN\""),
        cell("nan", FINITE + "\"nan\""),
        cell("-Infinity", FINITE + "\"-Infinity\""),
        cell("+inf", FINITE + "\"+inf\""),
        cell("INF", FINITE + "\"INF\""),
        cell("1e999", RANGE + "\"1e999\""),
        cell("-1e309", RANGE + "\"-1e309\""),
        cell("9".repeat(400), RANGE + "\"" + "9".repeat(40) + "\"... (400 characters)"),
        cell("\"3,5\"", COMMA + "\"3,5\""),
        cell("\"-1,234.5\"", COMMA + "\"-1,234.5\""),
        cell("\"1,234,567\"", COMMA + "\"1,234,567\""),
        cell(" 4", BLANKS + "\" 4\""),
        cell("4 ", BLANKS + "\"4 \""),
        cell("\"\t4\"", BLANKS + "\"\\t4\""),
        cell("4\0", NUL + "\"4\\u0000\""),
        latin1("x,y\n1,2\n3,\u00E9\n", "line 3, column \"y\": " + MALFORMED + "\"\uFFFF\""),
        latin1("x,y\n1,\u00C3", "line 2, column \"y\": " + MALFORMED + "\"\uFFFF\""),
        bad("x\nNaN\n", "line 2, column \"x\": " + FINITE + "\"NaN\""),
        bad(
            "x;y\n1,5;2\n2,5;3\n",
            defaults.withSeparator(';'),
            "line 2, column \"x\": " + COMMA + "\"1,5\""),
        // Text among many numbers is a mistake, wherever it stands.
        bad(
            "x\n" + "1\n".repeat(95) + "oops\n" + "2\n".repeat(4),
            "line 97, column \"x\": " + TEXT + "\"oops\""),
        bad("x\noops\n" + "1\n".repeat(9), "line 2, column \"x\": " + TEXT + "\"oops\""),
        bad(
            "x,y\n,a\n" + "1,a\n".repeat(8) + ",a\n12a,a\n1,a\n",
            "line 12, column \"x\": " + TEXT + "\"12a\""),
        bad("x\n" + "NA\n".repeat(20) + "5\n", "line 2, column \"x\": " + WORD + "\"NA\""),
        // Neither numbers nor a few categories.
        bad(
            "x\n" + distinct(101),
            "line 2, column \"x\": more than 100 different texts, expected numbers or at most 100"
                + " categories, got \"t0\""),
        bad(
            "x\n1\n2\na\nb\n",
            defaults.withMaxCategories(3),
            "line 4, column \"x\": more than 3 different texts, expected numbers or at most 3"
                + " categories, got \"a\""),
        bad(
            "x\n1\n2\n3\n",
            defaults.withMaxCategories(2).withType("x", Column.Type.CATEGORY),
            "line 4, column \"x\": more than 2 different texts, expected numbers or at most 2"
                + " categories, got \"3\""),
        bad(
            "x\n1\nb\n",
            defaults.withType("x", Column.Type.NUMBER),
            "line 3, column \"x\": " + TEXT + "\"b\""));
  }

  private static void check(Bad file) {
    assertThatThrownBy(
            () -> Csv.read("t.csv", new ByteArrayInputStream(file.bytes()), file.options))
        .isInstanceOf(DataException.class)
        .hasMessage("t.csv: " + file.message);
  }

  @ParameterizedTest
  @MethodSource("badFiles")
  void namesThePlaceAndWhatIsExpected(Bad file) {
    check(file);
  }

  @Test
  void thereAreManyDifferentBadFiles() {
    List<String> messages = badFiles().map(Bad::message).distinct().toList();
    assertThat(messages).hasSizeGreaterThan(60);
  }

  @ParameterizedTest
  @ValueSource(strings = {"de-DE", "ar-EG-u-nu-arab", "tr-TR"})
  void theLocaleChangesNothing(String tag) throws IOException {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag(tag));
    try {
      badFiles().filter(file -> file.text.length() < 1 << 20).forEach(CsvErrorTest::check);
      String text = "INDEX,i\n1234.5,\u0131\n-1E3,I\n";
      Table table =
          Csv.read("t.csv", new ByteArrayInputStream(text.getBytes(UTF_8)), CsvOptions.DEFAULTS);
      assertThat(table.numbers("INDEX").get(0)).isEqualTo(1234.5);
      assertThat(table.numbers("INDEX").get(1)).isEqualTo(-1000);
      int[] rows = {0, 1};
      Encoder encoder = Encoder.fit(table, "INDEX", rows);
      assertThat(encoder.featureNames()).containsExactly("i=I", "i=\u0131");
      assertThat(encoder.toJson()).contains("\"mean\":117.25");
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void filesThatCannotBeReadAreNamed(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("houses.csv");
    assertThatThrownBy(() -> Table.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage("no such file, expected a CSV file at " + file);
    Path inner = Files.createDirectory(folder.resolve("inner.csv"));
    assertThatThrownBy(() -> Table.read(inner))
        .hasMessage("inner.csv: a directory, expected a CSV file");
    Files.writeString(file, "x,y\n1,2\n3,a\n" + "5,6\n".repeat(8));
    assertThatThrownBy(() -> Table.read(file))
        .hasMessage("houses.csv: line 3, column \"y\": " + TEXT + "\"a\"");
  }

  @ParameterizedTest
  @ValueSource(chars = {'"', '\n', '\r', '\0', '.', '+', '-', '1', 'e'})
  void separatorsThatNumbersHoldAreRefused(char separator) {
    assertThatThrownBy(() -> CsvOptions.DEFAULTS.withSeparator(separator))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("csv: expected a separator such as ',' ';' or tab, got \"");
  }

  @Test
  void aLimitOfNoCategoriesIsRefused() {
    assertThatThrownBy(() -> CsvOptions.DEFAULTS.withMaxCategories(0))
        .hasMessage("csv: expected maxCategories of at least 1, got 0");
  }

  @Test
  void targetsMustBeCompleteNumbers() throws IOException {
    List<String> messages = new ArrayList<>();
    String text = "size,price,kind,huge\n1,10,a,1e39\n2,,b,5\n";
    Table table =
        Csv.read("t.csv", new ByteArrayInputStream(text.getBytes(UTF_8)), CsvOptions.DEFAULTS);
    for (String target : List.of("prices", "kind", "price", "huge")) {
      try {
        table.target(target);
      } catch (DataException e) {
        messages.add(e.getMessage());
      }
    }
    assertThat(messages)
        .containsExactly(
            "t.csv: no column \"prices\", expected one of \"size\", \"price\", \"kind\", \"huge\""
                + "; did you mean \"price\"?",
            "t.csv: column \"kind\": expected numbers, got text such as \"a\"",
            "t.csv: line 3, column \"price\": missing value in the target, expected a number, got"
                + " an empty cell",
            "t.csv: line 2, column \"huge\": number out of range, expected at most 3.4028235E38 in"
                + " size (float32), got 1.0E39");
  }
}

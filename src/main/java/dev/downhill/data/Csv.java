package dev.downhill.data;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.CsvRecordHandler;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads CSV as RFC 4180 has it, strictly: quotes must be closed, every record must have as many
 * cells as the header. CR, LF and CRLF end a line alike, blank lines are skipped.
 */
final class Csv {
  /** The longest cell, in characters. */
  static final int MAX_CELL = 1 << 20;

  /** Where the parser says its line, in the digits of the default locale. */
  private static final Pattern LINE = Pattern.compile("line (\\p{Nd}+)");

  private final String source;
  private final CsvOptions options;
  private final List<String> header = new ArrayList<>();
  private final List<@Nullable ColumnBuilder> builders = new ArrayList<>();
  private int[] lines = new int[16];
  private int rows;

  private Csv(String source, CsvOptions options) {
    this.source = source;
    this.options = options;
  }

  /**
   * Reads a table.
   *
   * @param source the file's name, for messages
   * @throws DataException if the text is not such a table
   */
  static Table read(String source, InputStream in, CsvOptions options) throws IOException {
    return new Csv(source, options).read(in);
  }

  private Table read(InputStream in) throws IOException {
    try (CsvReader<CsvRecord> csv =
        CsvReader.builder()
            .fieldSeparator(options.separator())
            .allowUnclosedQuote(false)
            .extraFieldStrategy(FieldMismatchStrategy.IGNORE) // counted here, for a clearer message
            .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
            .maxBufferSize(4 * MAX_CELL)
            .build(CsvRecordHandler.of(h -> h.maxFieldSize(MAX_CELL)), reader(in))) {
      Iterator<CsvRecord> records = csv.iterator();
      if (!records.hasNext()) {
        throw error("the file is empty, expected a header line and rows");
      }
      readHeader(records.next());
      while (records.hasNext()) {
        readRow(records.next());
      }
    } catch (CsvParseException e) {
      throw parseError(e);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    if (rows == 0) {
      throw error("a header and nothing else, expected rows below it");
    }
    List<Column> columns = new ArrayList<>();
    for (ColumnBuilder builder : builders) {
      if (builder != null) {
        columns.add(builder.build());
      }
    }
    return new Table(source, columns, Arrays.copyOf(lines, rows));
  }

  private Reader reader(InputStream in) throws IOException {
    InputStream bytes = new BufferedInputStream(in);
    bytes.mark(3);
    byte[] start = bytes.readNBytes(3);
    bytes.reset();
    if (startsWith(start, 0x1F, 0x8B)) {
      throw error("a gzip file, expected text; unpack it first");
    }
    if (startsWith(start, 'P', 'K', 3)) {
      throw error("a zip file or spreadsheet, expected text; save it as CSV");
    }
    if (startsWith(start, 0xFF, 0xFE) || startsWith(start, 0xFE, 0xFF)) {
      throw error("UTF-16 text, expected a file saved as UTF-8");
    }
    if (startsWith(start, 0xEF, 0xBB, 0xBF)) {
      bytes.skipNBytes(3);
    }
    // A replacement instead of an exception keeps the place: the cell that holds it is reported.
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .replaceWith(String.valueOf(Cell.MALFORMED));
    return new InputStreamReader(bytes, decoder);
  }

  private static boolean startsWith(byte[] bytes, int... start) {
    if (bytes.length < start.length) {
      return false;
    }
    for (int i = 0; i < start.length; i++) {
      if ((bytes[i] & 0xFF) != start[i]) {
        return false;
      }
    }
    return true;
  }

  private void readHeader(CsvRecord record) {
    String where = "line " + record.getStartingLineNumber() + ": ";
    Map<String, Integer> places = new HashMap<>();
    boolean onlyNumbers = true;
    for (String name : record.getFields()) {
      String cell = where + "the name of column " + (header.size() + 1);
      String illegal = Cell.illegal(name);
      if (illegal != null) {
        throw error(cell + ": " + illegal + ", got " + DataException.quote(name));
      }
      if (name.isBlank()) {
        throw error(cell + " is empty, expected a name");
      }
      Integer before = places.put(name, header.size() + 1);
      if (before != null) {
        throw error(
            cell
                + " is that of column "
                + before
                + " too, expected different names, got "
                + DataException.quote(name));
      }
      onlyNumbers &= !Double.isNaN(Cell.number(name));
      header.add(name);
    }
    if (onlyNumbers) {
      throw error(
          where
              + "only numbers, expected a header with column names, got "
              + DataException.quote(String.join(",", header)));
    }
    for (String name : options.ignored()) {
      if (!places.containsKey(name)) {
        throw new DataException(Table.noColumn(source, name, header));
      }
    }
    for (String name : header) {
      builders.add(
          options.ignored().contains(name) ? null : new ColumnBuilder(source, name, options));
    }
  }

  private void readRow(CsvRecord record) {
    int line = Math.toIntExact(record.getStartingLineNumber());
    if (record.getFieldCount() != header.size()) {
      throw error(
          "line "
              + line
              + ": expected "
              + header.size()
              + " cells as in the header, got "
              + record.getFieldCount()
              + separatorHint());
    }
    if (rows == lines.length) {
      lines = Arrays.copyOf(lines, rows * 2);
    }
    lines[rows++] = line;
    for (int i = 0; i < header.size(); i++) {
      ColumnBuilder builder = builders.get(i);
      if (builder != null) {
        builder.add(line, record.getField(i));
      }
    }
  }

  private String separatorHint() {
    if (header.size() == 1) {
      for (char c : new char[] {';', '\t', ',', '|'}) {
        if (header.get(0).indexOf(c) >= 0) {
          return "; is the separator " + DataException.quote(String.valueOf(c)) + "?";
        }
      }
    }
    return "";
  }

  /** The parser's own failures, which say only the line, in the words used here. */
  private DataException parseError(CsvParseException e) {
    String message = String.valueOf(e.getMessage());
    Matcher number = LINE.matcher(message);
    String line = number.find() ? "line " + Long.parseLong(number.group(1)) + ": " : "";
    String problem;
    if (message.startsWith("Unclosed quoted field")) {
      problem = "a quote is never closed, expected a closing \" before the end of the file";
    } else if (message.startsWith("Unexpected character after closing quote")) {
      problem =
          "text after a closing quote, expected the separator or the end of the line"
              + "; a quote inside quotes is written twice";
    } else if (message.contains("max field size") || message.contains("buffer size")) {
      problem = "a cell of more than " + MAX_CELL + " characters; is a quote not closed?";
    } else if (message.contains("limit of")) {
      problem = "too many cells, expected at most 16384";
    } else {
      problem = "malformed CSV: " + message;
    }
    return new DataException(source + ": " + line + problem, e);
  }

  private DataException error(String problem) {
    return new DataException(source + ": " + problem);
  }
}

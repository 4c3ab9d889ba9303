package dev.downhill.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Collects the cells of one column and decides at the end whether they are numbers or categories.
 *
 * <p>Cells are kept both ways, as a number and as the index of a text, until there are more texts
 * than a column of categories may hold; so the memory of a long column of numbers is its numbers.
 */
final class ColumnBuilder {
  /** From this share of numbers on, a cell that is none is a mistake and not a category. */
  private static final double MOSTLY = 0.9;

  private static final int MISSING = -1;

  private final String source;
  private final String name;
  private final int maxCategories;
  private final Column.@Nullable Type given;

  private int size;
  private double[] numbers = new double[16];
  private int[] codes = new int[16];
  private @Nullable Map<String, Integer> texts = new HashMap<>();

  private long present;
  private long numeric;
  private long words;
  private @Nullable String badCell;
  private int badLine;

  ColumnBuilder(String source, String name, CsvOptions options) {
    this.source = source;
    this.name = name;
    this.maxCategories = options.maxCategories();
    this.given = options.types().get(name);
  }

  /** Appends the cell that a record starting at this line holds. */
  void add(int line, String cell) {
    if (size == numbers.length) {
      numbers = Arrays.copyOf(numbers, size * 2);
      codes = texts == null ? codes : Arrays.copyOf(codes, size * 2);
    }
    if (cell.isEmpty()) {
      numbers[size] = Double.NaN;
      if (texts != null) {
        codes[size] = MISSING;
      }
    } else {
      present++;
      double number = Cell.number(cell);
      numbers[size] = number;
      if (Double.isNaN(number)) {
        addText(line, cell);
      } else {
        numeric++;
      }
      addCode(line, cell);
    }
    size++;
  }

  private void addText(int line, String cell) {
    String illegal = Cell.illegal(cell);
    if (illegal != null) {
      throw error(line, illegal, cell);
    }
    Cell.Problem problem = Cell.problem(cell);
    if (given == Column.Type.NUMBER) {
      throw error(line, problem.text(), cell);
    }
    if (problem.isNumeric()) {
      numeric++;
    } else if (problem == Cell.Problem.WORD) {
      words++;
    }
    if (badCell == null) {
      badCell = cell;
      badLine = line;
    }
  }

  private void addCode(int line, String cell) {
    if (texts == null) {
      return;
    }
    Integer code = texts.putIfAbsent(cell, texts.size());
    codes[size] = code == null ? texts.size() - 1 : code;
    if (texts.size() > maxCategories) {
      texts = null;
      codes = new int[0];
      if (given == Column.Type.CATEGORY) {
        throw tooManyTexts(line, cell);
      }
    }
  }

  /** The finished column. */
  Column build() {
    if (given == Column.Type.CATEGORY || (badCell != null && !mostlyNumbers())) {
      return categories();
    }
    if (badCell != null) {
      throw error(badLine, Cell.problem(badCell).text(), badCell);
    }
    return new Column.Numbers(name, Arrays.copyOf(numbers, size));
  }

  private boolean mostlyNumbers() {
    // Words for a missing value speak for numbers only where there are numbers.
    return (numeric > 0 ? numeric + words : 0) >= MOSTLY * present;
  }

  private Column categories() {
    if (texts == null) {
      throw tooManyTexts(badLine, badCell == null ? "" : badCell);
    }
    List<String> byCode = new ArrayList<>(texts.keySet());
    texts.forEach((text, code) -> byCode.set(code, text));
    @Nullable String[] values = new @Nullable String[size];
    for (int row = 0; row < size; row++) {
      values[row] = codes[row] == MISSING ? null : byCode.get(codes[row]);
    }
    return new Column.Categories(name, values);
  }

  private DataException tooManyTexts(int line, String cell) {
    return error(
        line,
        "more than "
            + maxCategories
            + " different texts, expected numbers or at most "
            + maxCategories
            + " categories",
        cell);
  }

  private DataException error(int line, String problem, String cell) {
    return new DataException(
        source
            + ": line "
            + line
            + ", column "
            + DataException.quote(name)
            + ": "
            + problem
            + ", got "
            + DataException.quote(cell));
  }
}

package dev.downhill.jobs.spreadsheet;

import dev.downhill.explain.TextTable;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A calculation as a spreadsheet shows it: named cells, each with its formula, the formula with
 * numbers in place of names, and the value.
 */
final class Sheet {
  // A derivative such as dL/dy is one name, not a quotient.
  private static final Pattern NAME = Pattern.compile("d\\w+/d\\w+|[A-Za-z]\\w*'?");

  private record Cell(String part, String formula, double value) {}

  private final Map<String, Cell> cells = new LinkedHashMap<>();
  private String part = "";

  /** Begins a part, such as "forward". */
  void part(String name) {
    part = name;
  }

  /** A cell that nothing leads to. */
  double given(String name, double value) {
    return cell(name, "", value);
  }

  /**
   * A cell with its formula over cells before it.
   *
   * @param formula as text, for people
   * @param value what the formula comes to
   * @return the value
   */
  double cell(String name, String formula, double value) {
    cells.put(name, new Cell(part, formula, value));
    return value;
  }

  /** The value of a cell. */
  double value(String name) {
    Cell cell = cells.get(name);
    if (cell == null) {
      throw new IllegalArgumentException(
          "sheet: expected one of %s, got '%s'".formatted(cells.keySet(), name));
    }
    return cell.value;
  }

  /** The names of the cells that have a formula, in order. */
  Iterable<String> computed() {
    return cells.keySet().stream().filter(n -> !formula(n).isEmpty()).toList();
  }

  private String formula(String name) {
    Cell cell = cells.get(name);
    return cell == null ? "" : cell.formula;
  }

  /** The formula of a cell with numbers in place of names. */
  String withNumbers(String name) {
    return NAME.matcher(formula(name))
        .replaceAll(
            m -> {
              Cell cell = cells.get(m.group());
              return Matcher.quoteReplacement(cell == null ? m.group() : brief(cell.value));
            });
  }

  /** Four digits, in brackets if negative. */
  private static String brief(double v) {
    double size = Math.abs(v);
    String text =
        size == 0 || (size >= 1e-4 && size < 1e7)
            ? new BigDecimal(v).round(new MathContext(4)).stripTrailingZeros().toPlainString()
            : String.format(Locale.ROOT, "%.3e", v);
    return v < 0 ? "(" + text + ")" : text;
  }

  /**
   * All cells as aligned text.
   *
   * @param other the same cells computed in another way
   */
  String text(Map<String, Double> other) {
    TextTable table =
        new TextTable("part", "cell", "formula", "with numbers", "by hand", "by the engine");
    String before = "";
    for (Map.Entry<String, Cell> e : cells.entrySet()) {
      String name = e.getKey();
      Cell cell = e.getValue();
      table.row(
          cell.part.equals(before) ? "" : cell.part,
          name,
          cell.formula,
          withNumbers(name),
          Double.toString(cell.value),
          Double.toString(other.getOrDefault(name, cell.value)));
      before = cell.part;
    }
    return table.toString();
  }

  /**
   * All cells as a CSV file for a spreadsheet program, whose last column computes them anew: change
   * a given number there and everything after it follows.
   */
  String csv(Map<String, Double> other) {
    Map<String, String> place = new LinkedHashMap<>();
    for (String name : cells.keySet()) {
      place.put(name, "G" + (place.size() + 2));
    }
    StringBuilder csv =
        new StringBuilder("part,cell,formula,with numbers,by hand,by the engine,live\n");
    for (Map.Entry<String, Cell> e : cells.entrySet()) {
      String name = e.getKey();
      Cell cell = e.getValue();
      String live =
          NAME.matcher(cell.formula)
              .replaceAll(m -> place.getOrDefault(m.group(), m.group().toUpperCase(Locale.ROOT)));
      csv.append(
          String.format(
              Locale.ROOT,
              "%s,%s,%s,%s,%s,%s,%s\n",
              cell.part,
              name,
              cell.formula,
              withNumbers(name),
              cell.value,
              other.getOrDefault(name, cell.value),
              live.isEmpty() ? Double.toString(cell.value) : "=" + live));
    }
    return csv.toString();
  }
}

package dev.downhill.explain;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows of text in aligned columns: the first to the left, numbers to the right. */
public final class TextTable {
  private final List<String[]> rows = new ArrayList<>();

  /** A table with these headings and no rows yet. */
  public TextTable(String... header) {
    rows.add(header);
  }

  /** Adds a row: one cell for each heading. */
  public TextTable row(String... cells) {
    rows.add(cells);
    return this;
  }

  /** The table, each row ending in a line break. */
  @Override
  public String toString() {
    int columns = rows.get(0).length;
    int[] width = new int[columns];
    boolean[] number = new boolean[columns];
    Arrays.fill(number, true);
    for (int r = 0; r < rows.size(); r++) {
      for (int c = 0; c < columns; c++) {
        String cell = rows.get(r)[c];
        width[c] = Math.max(width[c], cell.length());
        number[c] &= r == 0 || cell.matches("NaN|[-+]?(Infinity|[0-9.,]+(e[-+]?\\d+)?[ %x]*)");
      }
    }
    StringBuilder text = new StringBuilder();
    for (int r = 0; r < rows.size(); r++) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < columns; c++) {
        String pad = " ".repeat(width[c] - rows.get(r)[c].length());
        line.append(c == 0 ? "  " : "   ");
        line.append(number[c] ? pad + rows.get(r)[c] : rows.get(r)[c] + pad);
      }
      text.append(line.toString().stripTrailing()).append('\n');
      if (r == 0) {
        text.append("  ")
            .append("-".repeat(Arrays.stream(width).sum() + 3 * (columns - 1)))
            .append('\n');
      }
    }
    return text.toString();
  }
}

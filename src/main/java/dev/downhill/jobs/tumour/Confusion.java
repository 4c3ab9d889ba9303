package dev.downhill.jobs.tumour;

import dev.downhill.explain.TextTable;
import java.util.Locale;

/** How often two classes were told right, and how often taken for each other. */
final class Confusion {
  private final int[][] counts = new int[2][2];

  /**
   * Counts answers.
   *
   * @param logits above 0 for class 1
   * @param truth whether it is class 1
   */
  static Confusion of(double[] logits, boolean[] truth) {
    Confusion c = new Confusion();
    for (int i = 0; i < truth.length; i++) {
      c.counts[truth[i] ? 1 : 0][logits[i] > 0 ? 1 : 0]++;
    }
    return c;
  }

  /** The counts in a table, with these names of class 0 and class 1. */
  String table(String zero, String one) {
    TextTable table = new TextTable("", "told " + zero, "told " + one);
    String[] names = {zero, one};
    for (int c = 0; c < 2; c++) {
      table.row(
          names[c],
          String.format(Locale.ROOT, "%,d", counts[c][0]),
          String.format(Locale.ROOT, "%,d", counts[c][1]));
    }
    return table.toString();
  }
}

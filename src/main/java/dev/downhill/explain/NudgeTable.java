package dev.downhill.explain;

import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * How one optimiser step moved the weights that a {@link BlameTable} names: old value, nudge, new
 * value and what that does to the input's influence.
 *
 * @param rows one per input
 */
public record NudgeTable(List<Row> rows) {
  /** Copies the rows. */
  public NudgeTable {
    rows = List.copyOf(rows);
  }

  /**
   * One weight.
   *
   * @param input the name of the input it belongs to
   * @param before its value before the step
   * @param nudge what the step added
   * @param after its value after the step
   * @param effect what changed, in words
   */
  public record Row(String input, double before, double nudge, double after, String effect) {}

  /**
   * The table of a step that has just been taken.
   *
   * @param blame made before the step: it names the weights and has their old values
   * @param weight the same weight matrix, after the step
   */
  public static NudgeTable of(BlameTable blame, Tensor weight) {
    int inputs = blame.rows().size();
    double[] now = weight.detach().toDoubles();
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < inputs; i++) {
      BlameTable.Row b = blame.rows().get(i);
      double after = now[b.unit() * inputs + i];
      rows.add(
          new Row(b.input(), b.weight(), after - b.weight(), after, effect(b.weight(), after)));
    }
    return new NudgeTable(rows);
  }

  private static String effect(double before, double after) {
    if (before == after) {
      return "unchanged";
    }
    if (before * after < 0) {
      return "turns round";
    }
    return Math.abs(after) > Math.abs(before) ? "counts more" : "counts less";
  }

  /** The table as text. */
  @Override
  public String toString() {
    TextTable table = new TextTable("input", "old weight", "nudge", "new weight", "effect");
    for (Row r : rows) {
      table.row(
          r.input,
          BlameTable.number(r.before),
          BlameTable.number(r.nudge),
          BlameTable.number(r.after),
          r.effect);
    }
    return table.toString();
  }
}

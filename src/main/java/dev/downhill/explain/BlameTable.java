package dev.downhill.explain;

import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Which input of a layer was to blame for how much of the error: its rows come from the gradient of
 * the layer's weight matrix after a backward pass.
 *
 * <p>Input i has one weight to every unit of the layer. The row shows the one with the largest
 * |gradient|: the weight the error complains about most. The share of the blame is the sum of
 * |gradient| over all weights of input i, divided by the sum over all inputs. A positive signal
 * says that the weight is too high, a negative one that it is too low.
 *
 * @param rows one per input
 */
public record BlameTable(List<Row> rows) {
  /** Copies the rows. */
  public BlameTable {
    rows = List.copyOf(rows);
  }

  /**
   * One input.
   *
   * @param input its name
   * @param unit the unit whose weight to this input has the largest |gradient|
   * @param weight that weight
   * @param signal its gradient
   * @param share the input's share of all |gradient|, 0 to 1
   * @param severity where the share lies in the bands
   */
  public record Row(
      String input, int unit, double weight, double signal, double share, Severity severity) {}

  /** How an input's share compares with an even share, 1 / inputs. */
  public enum Severity {
    /** Less than a quarter of an even share. */
    NONE(0, "close"),
    /** From a quarter. */
    LOW(0.25, "slightly off"),
    /** From three quarters. */
    MEDIUM(0.75, "off"),
    /** From five quarters. */
    HIGH(1.25, "way off");

    private final double from;
    private final String verdict;

    Severity(double from, String verdict) {
      this.from = from;
      this.verdict = verdict;
    }

    /** What it says about the weights, in words. */
    public String verdict() {
      return verdict;
    }

    /**
     * The band of a share.
     *
     * @param share 0 to 1
     * @param inputs how many inputs share the blame
     */
    public static Severity of(double share, int inputs) {
      Severity found = NONE;
      for (Severity s : values()) {
        found = share * inputs >= s.from ? s : found;
      }
      return found;
    }
  }

  /**
   * The table of a weight matrix.
   *
   * @param weight (units, inputs), with the gradient of a backward pass
   * @param inputs the name of each input
   * @throws IllegalArgumentException if there is no gradient, or the names do not fit
   */
  public static BlameTable of(Tensor weight, List<String> inputs) {
    Tensor grad = weight.grad();
    if (grad == null) {
      throw new IllegalArgumentException(
          "blame: expected a weight with a gradient; call backward first");
    }
    if (weight.dim() != 2 || weight.size(1) != inputs.size()) {
      throw new IllegalArgumentException(
          "blame: expected a weight (units, inputs) with a name for each input, got shape %s and %s names"
              .formatted(weight.shape(), inputs.size()));
    }
    int n = inputs.size();
    double[] w = weight.detach().toDoubles();
    double[] g = grad.toDoubles();
    double[] blame = new double[n];
    int[] worst = new int[n];
    double total = 0;
    for (int k = 0; k < g.length; k++) {
      int input = k % n;
      int unit = k / n;
      blame[input] += Math.abs(g[k]);
      if (Math.abs(g[k]) > Math.abs(g[worst[input] * n + input])) {
        worst[input] = unit;
      }
    }
    for (double b : blame) {
      total += b;
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      int k = worst[i] * n + i;
      double share = total == 0 ? 0 : blame[i] / total;
      rows.add(new Row(inputs.get(i), worst[i], w[k], g[k], share, Severity.of(share, n)));
    }
    return new BlameTable(rows);
  }

  /** The table with its bands below it. */
  @Override
  public String toString() {
    TextTable table =
        new TextTable("input", "weight", "error signal", "share of blame", "severity", "verdict");
    for (Row r : rows) {
      table.row(
          r.input,
          number(r.weight),
          number(r.signal),
          String.format(Locale.ROOT, "%.1f %%", 100 * r.share),
          r.severity.name().toLowerCase(Locale.ROOT),
          r.severity.verdict);
    }
    double even = rows.isEmpty() ? 0 : 100.0 / rows.size();
    return table
        + String.format(
            Locale.ROOT,
            "  An even share is %.1f %%. Severity: high (way off) from %.1f %%, medium (off) from"
                + " %.1f %%, low (slightly off) from %.1f %%, none (close) below.%n",
            even,
            Severity.HIGH.from * even,
            Severity.MEDIUM.from * even,
            Severity.LOW.from * even);
  }

  static String number(double v) {
    return String.format(Locale.ROOT, v != 0 && Math.abs(v) < 1e-3 ? "%+.2e" : "%+.4f", v);
  }
}

package dev.downhill.explain;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The same network trained for the same few steps at several learning rates, and what that says
 * about each rate.
 *
 * @param rows one per rate, ascending
 */
public record RateTrial(List<Row> rows) {
  /** Copies the rows. */
  public RateTrial {
    rows = List.copyOf(rows);
  }

  /**
   * One rate.
   *
   * @param rate the learning rate
   * @param first the loss at the start
   * @param last the loss at the end, NaN or infinite if it got lost
   * @param verdict what it shows
   */
  public record Row(double rate, double first, double last, Verdict verdict) {}

  /** What a trial shows. */
  public enum Verdict {
    /** The loss fell by less than half of what the best rate achieved. */
    TOO_LOW("too low: it crawls"),
    /** Within reach of the best. */
    GOOD("well chosen"),
    /** Above the best rate, and the loss ended more than twice as high. */
    TOO_HIGH("too high: it overshoots"),
    /** The loss ended above its start, or is no number any more. */
    DIVERGED("too high: it diverges");

    private final String text;

    Verdict(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /**
   * Judges the losses of some rates against each other.
   *
   * @param rates ascending
   * @param first the loss at the start of each trial
   * @param last the loss at its end
   */
  public static RateTrial of(double[] rates, double[] first, double[] last) {
    int best = 0;
    for (int i = 1; i < rates.length; i++) {
      if (last[i] < last[best] || Double.isNaN(last[best])) {
        best = i;
      }
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < rates.length; i++) {
      Verdict verdict;
      if (!(last[i] <= first[i])) {
        verdict = Verdict.DIVERGED;
      } else if (rates[i] > rates[best] && last[i] > 2 * last[best]) {
        verdict = Verdict.TOO_HIGH;
      } else if (rates[i] < rates[best] && first[i] - last[i] < 0.5 * (first[best] - last[best])) {
        verdict = Verdict.TOO_LOW;
      } else {
        verdict = Verdict.GOOD;
      }
      rows.add(new Row(rates[i], first[i], last[i], verdict));
    }
    return new RateTrial(rows);
  }

  /** The table as text. */
  @Override
  public String toString() {
    TextTable table = new TextTable("learning rate", "loss at start", "loss at end", "verdict");
    for (Row r : rows) {
      table.row(
          String.format(Locale.ROOT, "%.2g", r.rate),
          String.format(Locale.ROOT, "%.4g", r.first),
          String.format(Locale.ROOT, "%.4g", r.last),
          r.verdict.toString());
    }
    return table.toString();
  }
}

package dev.downhill.optim;

/**
 * Lowers the rate when a metric stops getting better, as {@code ReduceLROnPlateau}. Depends on what
 * was measured and not on the number of steps alone, so it is no {@link Schedule}.
 */
public final class ReduceOnPlateau {
  /** Which metrics are better. */
  public enum Mode {
    /** Low ones, such as a loss. */
    MIN,
    /** High ones, such as an accuracy. */
    MAX
  }

  /** What the threshold is counted in. */
  public enum Threshold {
    /** Shares of the best metric. */
    RELATIVE,
    /** The metric's own unit. */
    ABSOLUTE
  }

  /**
   * When and how far the rate falls.
   *
   * @param mode which metrics are better
   * @param factor what the rate is multiplied by, from 0 to below 1
   * @param patience how many measurements in a row may be no better
   * @param threshold by how much a metric must be better to count
   * @param thresholdMode the unit of that
   * @param cooldown how many measurements are passed over after the rate fell
   * @param lowest the rate does not fall below
   * @param eps a rate that would fall by no more than this stays
   */
  public record Options(
      Mode mode,
      double factor,
      long patience,
      double threshold,
      Threshold thresholdMode,
      long cooldown,
      double lowest,
      double eps) {
    /** PyTorch's defaults: a tenth after 10 measurements without 0.01 % less. */
    public static final Options DEFAULT =
        new Options(Mode.MIN, 0.1, 10, 1e-4, Threshold.RELATIVE, 0, 0, 1e-8);

    /** Checks the numbers. */
    public Options {
      new Hyperparameters("ReduceLROnPlateau")
          .belowOne("factor", factor)
          .check(patience >= 0, "patience", "0 or more", patience)
          .amount("threshold", threshold)
          .check(cooldown >= 0, "cooldown", "0 or more", cooldown)
          .amount("min_lr", lowest)
          .amount("eps", eps)
          .report();
    }

    /** With high or low metrics the better ones. */
    public Options withMode(Mode m) {
      return new Options(m, factor, patience, threshold, thresholdMode, cooldown, lowest, eps);
    }

    /** With this factor. */
    public Options withFactor(double f) {
      return new Options(mode, f, patience, threshold, thresholdMode, cooldown, lowest, eps);
    }

    /** With this patience. */
    public Options withPatience(long n) {
      return new Options(mode, factor, n, threshold, thresholdMode, cooldown, lowest, eps);
    }

    /** With this threshold. */
    public Options withThreshold(double t, Threshold unit) {
      return new Options(mode, factor, patience, t, unit, cooldown, lowest, eps);
    }

    /** With this cooldown. */
    public Options withCooldown(long n) {
      return new Options(mode, factor, patience, threshold, thresholdMode, n, lowest, eps);
    }

    /** With this lowest rate. */
    public Options withLowest(double rate) {
      return new Options(mode, factor, patience, threshold, thresholdMode, cooldown, rate, eps);
    }
  }

  private final Optimizer optimizer;
  private final Options options;
  private double best;
  private long bad;
  private long cooling;

  /** Watches a metric for an optimiser. */
  public ReduceOnPlateau(Optimizer optimizer, Options options) {
    this.optimizer = optimizer;
    this.options = options;
    this.best = options.mode == Mode.MIN ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
  }

  /** Takes a measurement; NaN is never better. */
  public void step(double metric) {
    if (isBetter(metric)) {
      best = metric;
      bad = 0;
    } else {
      bad++;
    }
    if (cooling > 0) {
      cooling--;
      bad = 0;
    }
    if (bad > options.patience) {
      for (int g = 0; g < optimizer.groups(); g++) {
        double rate = optimizer.rate(g);
        double lower = Math.max(rate * options.factor, options.lowest);
        if (rate - lower > options.eps) {
          optimizer.rate(g, lower);
        }
      }
      cooling = options.cooldown;
      bad = 0;
    }
  }

  private boolean isBetter(double metric) {
    double t = options.threshold;
    boolean relative = options.thresholdMode == Threshold.RELATIVE;
    return options.mode == Mode.MIN
        ? metric < (relative ? best * (1 - t) : best - t)
        : metric > (relative ? best * (1 + t) : best + t);
  }

  /**
   * What it remembers, to be saved besides the optimiser's own {@link Optimizer#rates}.
   *
   * @param best the best metric
   * @param bad how many measurements in a row were no better
   * @param cooling how many measurements are still passed over
   */
  public record State(double best, long bad, long cooling) {}

  /** What it remembers now. */
  public State state() {
    return new State(best, bad, cooling);
  }

  /** Continues from what was saved. */
  public void load(State state) {
    best = state.best;
    bad = state.bad;
    cooling = state.cooling;
  }
}

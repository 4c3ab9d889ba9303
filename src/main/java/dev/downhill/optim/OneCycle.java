package dev.downhill.optim;

/**
 * Up to a high rate and down to a very low one, as {@code OneCycleLR} (Smith and Topin 2018): from
 * max / divFactor to max, then to max / divFactor / finalDivFactor; with three phases back to max /
 * divFactor first, at the same pace as up. Sets its own rates, whatever the base. Momentum is not
 * cycled.
 *
 * @param max the highest rate
 * @param steps the length of the whole
 * @param rise the share of the steps that lead up, 0 to 1, with three phases to 0.5
 * @param linear whether rates lie on straight lines and not on half waves of a cosine
 * @param divFactor how many times the first rate goes into the highest
 * @param finalDivFactor how many times the last rate goes into the first
 * @param threePhase whether there are three phases
 */
public record OneCycle(
    double max,
    long steps,
    double rise,
    boolean linear,
    double divFactor,
    double finalDivFactor,
    boolean threePhase)
    implements Schedule {

  /** Checks the numbers. */
  public OneCycle {
    new Hyperparameters("OneCycleLR")
        .amount("max_lr", max)
        .positive("total_steps", steps)
        .range("pct_start", rise, 0, threePhase ? 0.5 : 1)
        .check(divFactor > 0 && divFactor < 1e12, "div_factor", "a number above 0", divFactor)
        .check(
            finalDivFactor > 0 && finalDivFactor < 1e12,
            "final_div_factor",
            "a number above 0",
            finalDivFactor)
        .report();
  }

  /** PyTorch's defaults: 30 % up along a cosine, from a 25th, down to a 10,000th of that. */
  public OneCycle(double max, long steps) {
    this(max, steps, 0.3, false, 25, 1e4, false);
  }

  /** With another share of steps that lead up. */
  public OneCycle withRise(double share) {
    return new OneCycle(max, steps, share, linear, divFactor, finalDivFactor, threePhase);
  }

  /** On straight lines. */
  public OneCycle withLinear() {
    return new OneCycle(max, steps, rise, true, divFactor, finalDivFactor, threePhase);
  }

  /** With other first and last rates. */
  public OneCycle withDivFactors(double first, double last) {
    return new OneCycle(max, steps, rise, linear, first, last, threePhase);
  }

  /** In three phases. */
  public OneCycle withThreePhase() {
    return new OneCycle(max, steps, rise, linear, divFactor, finalDivFactor, true);
  }

  @Override
  public double rate(long k, double base) {
    double low = max / divFactor;
    double last = low / finalDivFactor;
    double top = rise * steps - 1;
    double back = threePhase ? 2 * rise * steps - 2 : top;
    if (k <= top) {
      return between(low, max, share(k, 0, top));
    }
    if (k <= back) {
      return between(max, low, share(k, top, back));
    }
    // Beyond its end PyTorch refuses to go on; here the last rate stays.
    return between(threePhase ? low : max, last, Math.min(1, share(k, back, steps - 1.0)));
  }

  /** How much of a phase is over; a phase without length is over at once. */
  private static double share(long k, double start, double end) {
    return end > start ? (k - start) / (end - start) : 1;
  }

  private double between(double from, double to, double share) {
    return linear
        ? from + (to - from) * share
        : to + (from - to) * (1 + StrictMath.cos(Math.PI * share)) / 2;
  }
}

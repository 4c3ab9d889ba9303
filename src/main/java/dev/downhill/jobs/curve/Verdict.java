package dev.downhill.jobs.curve;

import dev.downhill.backend.Device;
import java.util.Locale;

/**
 * What a walk did, and why: near a minimum with curvature c a step multiplies the distance from it
 * by 1 - rate c, so that rate c decides. Below 1 the walk comes from one side, between 1 and 2 it
 * jumps over the minimum and comes closer, above 2 it is thrown away from it.
 *
 * @param walk the walk
 * @param seen what it did
 * @param why in words, with its numbers
 */
record Verdict(Descent walk, Behaviour seen, String why) {
  /** Judges a walk. */
  static Verdict of(Descent walk, Landscape land, Formula curve, Device device) {
    Behaviour seen = Behaviour.of(walk, land);
    return new Verdict(walk, seen, why(walk, seen, land, curve, device));
  }

  private static String why(
      Descent d, Behaviour seen, Landscape land, Formula curve, Device device) {
    int n = d.steps();
    double[] curvature = Samples.at(curve, device, d.x()).curvature();
    double bent = 0;
    for (double c : curvature) {
      bent = Double.isFinite(c) ? Math.max(bent, Math.abs(c)) : bent;
    }
    double near = d.rate() * land.curvature();
    double most = d.rate() * bent;
    double first = Math.abs(d.slope()[0]);
    double last = Math.abs(d.slope()[n]);
    return switch (seen) {
      case STAYS -> "a step is rate x slope, and the slope at the start is 0";
      case CRAWLS ->
          d.rate() * land.scale() < 0.3
              ? String.format(
                  Locale.ROOT,
                  "rate x curvature is %.3g, far below 1: a step goes only about that share of the"
                      + " way",
                  d.rate() * land.scale())
              : String.format(
                  Locale.ROOT,
                  "a step is rate x slope, and the slope %s: %.3g at the start, %.3g at the end",
                  last < first ? "fades" : "is hardly there",
                  first,
                  last);
      case CONVERGES ->
          Math.abs(curvature[n]) < 1e-9
              ? String.format(
                  Locale.ROOT,
                  "by luck: rate x slope = %.3g x %.3g was just the distance, since beside the"
                      + " minimum the slope does not fade",
                  d.rate(),
                  d.slope()[longest(d)])
              : String.format(
                  Locale.ROOT,
                  "rate x curvature at the minimum is %.3g: there a step leaves %.3g of the"
                      + " distance",
                  d.rate() * curvature[n],
                  Math.abs(1 - d.rate() * curvature[n]));
      case OSCILLATES ->
          near > 1 && near < 2
              ? String.format(
                  Locale.ROOT,
                  "rate x curvature at the minimum is %.3g, between 1 and 2: a step goes over it"
                      + " and leaves %.3g of the distance",
                  near,
                  near - 1)
              : String.format(
                  Locale.ROOT,
                  "rate x curvature is %.3g at the minimum and was up to %.3g on the way: steps go"
                      + " over it%s",
                  near,
                  most,
                  near >= 2 ? ", and from 2 on they never settle" : "");
      case BOUNCES ->
          Math.abs(land.curvature()) * Math.abs(d.step(n - 1)) < 0.1 * last
              ? String.format(
                  Locale.ROOT,
                  "the slope does not fade towards the minimum: it is %.3g right beside it, so that"
                      + " a step is never smaller than %.3g",
                  last,
                  d.rate() * last)
              : String.format(
                  Locale.ROOT,
                  "rate x curvature is %.3g at the minimum and was up to %.3g on the way: it cannot"
                      + " settle, and is caught between %.4g and %.4g",
                  near,
                  most,
                  Math.min(d.x()[n - 1], d.end()),
                  Math.max(d.x()[n - 1], d.end()));
      case SWINGS, DIVERGES ->
          near > 2
              ? String.format(
                  Locale.ROOT,
                  "rate x curvature at the minimum is %.3g, above 2: there a step ends on the other"
                      + " side, %.3g times as far away",
                  near,
                  near - 1)
              : String.format(
                  Locale.ROOT,
                  "rate x curvature is %.3g at the minimum but %.3g on the slope above it, and from"
                      + " 2 on steps throw it out",
                  near,
                  d.rate() * land.scale());
      case LOSES_ITS_WAY -> {
        int jump = longest(d);
        yield String.format(
            Locale.ROOT,
            "step %d, rate x slope = %.3g x %.3g, carried it from x = %.4g to %.4g, and its valley"
                + " ends at %.4g",
            jump + 1,
            d.rate(),
            d.slope()[jump],
            d.x()[jump],
            d.x()[jump + 1],
            d.end() > land.hillRight() ? land.hillRight() : land.hillLeft());
      }
      case RUNS_AWAY ->
          String.format(
              Locale.ROOT,
              "the curve goes on falling: after %d steps x is %.4g and the curve %.4g",
              n,
              d.end(),
              d.height()[n]);
      case LEAVES ->
          n == 0
              ? String.format(Locale.ROOT, "at the start, x = %.4g, %s", d.end(), edge(d))
              : String.format(
                  Locale.ROOT,
                  "step %d, rate x slope = %.3g x %.3g, carried it from x = %.4g to %.4g, where %s",
                  n,
                  d.rate(),
                  d.slope()[n - 1],
                  d.x()[n - 1],
                  d.end(),
                  edge(d));
      case WANDERS ->
          String.format(
              Locale.ROOT,
              "rate x curvature was up to %.3g on the way, and above 2 steps throw it about",
              most);
    };
  }

  private static String edge(Descent d) {
    double height = d.height()[d.steps()];
    return Double.isNaN(height)
        ? "the curve is not a number"
        : Double.isInfinite(height) ? "the curve is infinite" : "its slope is no finite number";
  }

  private static int longest(Descent d) {
    int longest = 0;
    for (int i = 1; i < d.steps(); i++) {
      longest = Math.abs(d.step(i)) > Math.abs(d.step(longest)) ? i : longest;
    }
    return longest;
  }
}

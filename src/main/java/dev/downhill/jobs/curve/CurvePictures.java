package dev.downhill.jobs.curve;

import dev.downhill.explain.Plot;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** The walks of {@link Curve} for the eye: the path of each on the curve, and all heights. */
final class CurvePictures {
  private CurvePictures() {}

  /** One panel a rate and one for the heights, two a row. */
  static byte[] png(Formula curve, Landscape land, List<Verdict> verdicts) {
    Samples s = land.samples();
    int[] drawn = drawn(land);
    double[] x = Arrays.copyOfRange(s.x(), drawn[0], drawn[1] + 1);
    double[] y = Arrays.copyOfRange(s.height(), drawn[0], drawn[1] + 1);
    double ceiling = Arrays.stream(y).max().orElse(0);
    Plot[] plots = new Plot[verdicts.size() + 1];
    for (int i = 0; i < verdicts.size(); i++) {
      Verdict v = verdicts.get(i);
      Descent w = v.walk();
      int[] inside =
          IntStream.rangeClosed(0, w.steps())
              .filter(k -> w.x()[k] >= x[0] && w.x()[k] <= x[x.length - 1])
              .filter(k -> w.height()[k] <= ceiling)
              .toArray();
      int outside = w.steps() + 1 - inside.length;
      String title =
          String.format(
              Locale.ROOT,
              "rate %.3g: %s%s",
              w.rate(),
              v.seen().text,
              outside == 0 ? "" : ", " + outside + " places outside");
      plots[i] =
          new Plot(title, "x", curve.toString())
              .dashed("curve", x, y)
              .line(
                  "walk",
                  Arrays.stream(inside).mapToDouble(k -> w.x()[k]).toArray(),
                  Arrays.stream(inside).mapToDouble(k -> w.height()[k]).toArray());
    }
    plots[verdicts.size()] = heights(land, verdicts);
    return Plot.png(2, plots);
  }

  private static Plot heights(Landscape land, List<Verdict> verdicts) {
    boolean bottom = !Double.isNaN(land.height());
    double zero = bottom ? land.height() : 0;
    Plot plot =
        new Plot(
            bottom ? "Height above the bottom" : "Height",
            "step",
            bottom ? "curve - its minimum" : "curve");
    if (bottom) {
      plot.logarithmic();
    }
    double most =
        verdicts.stream().mapToDouble(v -> Math.abs(v.walk().height()[0] - zero)).max().orElse(1);
    for (Verdict v : verdicts) {
      double[] step = IntStream.rangeClosed(0, v.walk().steps()).asDoubleStream().toArray();
      // What diverges would make all else one line; what has arrived is rounding.
      double[] height =
          Arrays.stream(v.walk().height())
              .map(h -> h - zero)
              .map(h -> Math.abs(h) > 1e3 * most || (bottom && h < 1e-12 * most) ? Double.NaN : h)
              .toArray();
      plot.line(String.format(Locale.ROOT, "%.3g", v.walk().rate()), step, height);
    }
    return plot;
  }

  /** From start and bottom as far to both sides as the curve is not much higher than the start. */
  private static int[] drawn(Landscape land) {
    Samples s = land.samples();
    boolean bottom = !Double.isNaN(land.minimum());
    double other = bottom ? land.minimum() : land.start();
    double width = bottom ? Math.max(Math.abs(land.start() - other), 0.1) : 1;
    int from = s.nearest(Math.min(land.start(), other));
    int to = s.nearest(Math.max(land.start(), other));
    double high = Math.max(s.height()[from], s.height()[to]);
    double low = Math.min(s.height()[from], s.height()[to]);
    double ceiling = bottom ? high + (high - low) : Double.POSITIVE_INFINITY;
    double left = s.x()[from] - 3 * width;
    double right = s.x()[to] + 3 * width;
    while (s.in(from - 1) && s.x()[from - 1] >= left && s.height()[from - 1] <= ceiling) {
      from--;
    }
    while (s.in(to + 1) && s.x()[to + 1] <= right && s.height()[to + 1] <= ceiling) {
      to++;
    }
    return new int[] {from, to};
  }

  /** All places of all walks. */
  static String csv(List<Verdict> verdicts) {
    StringBuilder csv = new StringBuilder("rate,step,x,height,slope\n");
    for (Verdict v : verdicts) {
      Descent w = v.walk();
      for (int i = 0; i <= w.steps(); i++) {
        csv.append(w.rate()).append(',').append(i).append(',').append(w.x()[i]).append(',');
        csv.append(w.height()[i]).append(',').append(w.slope()[i]).append('\n');
      }
    }
    return csv.toString();
  }
}

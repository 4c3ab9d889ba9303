package dev.downhill.jobs.pathologies;

import dev.downhill.explain.TextTable;
import java.io.PrintStream;
import java.util.Locale;

/** What the {@link Pathologies} say, in words and tables. */
final class PathologyReport {
  private final Courses courses;
  private final PrintStream out;

  PathologyReport(Courses courses, PrintStream out) {
    this.courses = courses;
    this.out = out;
  }

  void print() {
    vanishing();
    exploding();
    overshooting();
    Course all = courses.of(Therapy.ALL);
    say(
        "%n4. All remedies at once (He init, ReLU, residual, layer norm, clipping, rate %s): loss"
            + " %s, %.1f %% of the held-out points right; layer 1 gets %s of the last layer's"
            + " gradient.",
        Therapy.ALL.rate(),
        number(all.end().loss()),
        100 * all.accuracy(),
        number(all.start().first() / all.start().last()));
  }

  private void vanishing() {
    Course ill = courses.of(Therapy.Illness.VANISHING.untreated);
    say(
        "%n1. Sigmoids: the gradient vanishes. A sigmoid's slope is at most 1/4, and these weights,"
            + " N(0, 1/%d), keep the length of a vector: going back through a layer leaves at most"
            + " about 0.25 of a gradient. Measured: %.3f, layer after layer. Of what reaches layer"
            + " %d, layer 1 gets %s: its weights stay as they were drawn.%n",
        DeepNet.WIDTH,
        ill.start().perLayer(),
        DeepNet.DEPTH,
        number(ill.start().first() / ill.start().last()));
    layers(ill);
    remedies(
        Therapy.Illness.VANISHING,
        "He init alone makes the weights larger by sqrt(2), the slopes stay below 1/4: not enough."
            + " A layer norm divides by a spread below 1, which makes gradients larger: not enough"
            + " either. ReLU has a slope of 1 wherever it is not 0. A residual connection adds a"
            + " path of slope 1. Clipping does nothing: nothing is too large.");
  }

  private void exploding() {
    Course ill = courses.of(Therapy.Illness.EXPLODING.untreated);
    int n = DeepNet.DEPTH;
    double growth = Math.pow(ill.outputs().get(n - 2) / ill.outputs().get(1), 1.0 / (n - 3));
    say(
        "%n2. Weights of N(0, 1): the network explodes. With %d inputs, half of them cut off by"
            + " ReLU, each layer multiplies lengths by about sqrt(%d / 2) = %.1f. Measured: %.2f."
            + " The first loss is %s, the gradient of layer 1 has the norm %s, and a step of rate"
            + " %s moves the weights so far that float32, which ends at 3.4e38, has no number for"
            + " the next answers: %s.%n",
        DeepNet.WIDTH,
        DeepNet.WIDTH,
        Math.sqrt(DeepNet.WIDTH / 2.0),
        growth,
        number(ill.start().loss()),
        number(ill.start().first()),
        Therapy.Illness.EXPLODING.untreated.rate(),
        ill.verdict());
    layers(ill);
    remedies(
        Therapy.Illness.EXPLODING,
        "He init draws weights of N(0, 2/%d): a factor of 1 a layer. A layer norm divides the length"
                .formatted(DeepNet.WIDTH)
            + " away, whatever the weights. Clipping shortens the step to a length that suits"
            + " the weights, whatever the gradient. So does a very low rate, but as the gradients"
            + " shrink its steps shrink with them. A residual connection adds to what is too large"
            + " already.");
  }

  private void overshooting() {
    say(
        "%n3. A rate too high: every step lands beyond the valley. Where the loss bends with"
            + " curvature c, a step multiplies the distance from the bottom by 1 - rate c: from"
            + " rate 2/c on it grows. The healthy network of section 2, He init, at four rates:%n");
    TextTable table =
        new TextTable("rate", "step 1", "step 2", "step 3", "step 4", "last", "verdict");
    for (double rate : Pathologies.RATES) {
      Course c = courses.of(Therapy.Illness.OVERSHOOTING.untreated.withRate(rate));
      table.row(
          Double.toString(rate),
          loss(c, 0),
          loss(c, 1),
          loss(c, 2),
          loss(c, 3),
          number(c.end().loss()),
          c.verdict());
    }
    out.print(table);
    remedies(
        Therapy.Illness.OVERSHOOTING,
        "Clipping bounds the length of a step, a lower rate shortens all steps. A loss of 0.693 ="
            + " ln 2 is that of who says 50 %% for every point: a step too far has put ReLUs where"
            + " they are 0 for all points, and 0 has no slope.");
  }

  private static String loss(Course c, int step) {
    return step < c.steps().size() ? number(c.steps().get(step).loss()) : "-";
  }

  /** A network's layers before its first step. */
  private void layers(Course c) {
    TextTable table = new TextTable("layer", "output", "gradient", "of the next layer's");
    for (int i = 0; i < DeepNet.DEPTH; i++) {
      double gradient = c.start().gradients().get(i);
      table.row(
          Integer.toString(i + 1),
          number(c.outputs().get(i)),
          number(gradient),
          i == DeepNet.DEPTH - 1 ? "" : number(gradient / c.start().gradients().get(i + 1)));
    }
    out.print(table);
  }

  private void remedies(Therapy.Illness illness, String why) {
    TextTable table =
        new TextTable(
            "remedy",
            "layer 1",
            "layer 12",
            "first/last",
            "a layer",
            "loss at end",
            "accuracy",
            "");
    illness
        .remedies()
        .forEach(
            (name, therapy) -> {
              Course c = courses.of(therapy);
              table.row(
                  name,
                  number(c.start().first()),
                  number(c.start().last()),
                  number(c.start().first() / c.start().last()),
                  number(c.start().perLayer()),
                  number(c.end().loss()),
                  String.format(Locale.ROOT, "%.1f %%", 100 * c.accuracy()),
                  c.verdict());
            });
    say("%n   Each remedy alone (gradients at the first step):%n");
    out.print(table);
    say(why);
  }

  /** Three digits, with a power of ten where there would be many zeros. */
  static String number(double v) {
    boolean plain = v == 0 || (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e4) || !Double.isFinite(v);
    return plain ? String.format(Locale.ROOT, "%.3f", v) : String.format(Locale.ROOT, "%.1e", v);
  }

  private void say(String text, Object... args) {
    out.printf(Locale.ROOT, text + "%n", args);
  }
}

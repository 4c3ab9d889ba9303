package dev.downhill.jobs.pathologies;

import dev.downhill.explain.Plot;
import dev.downhill.jobs.RunFolder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the {@link Pathologies} draw, and their numbers as a file. */
final class PathologyPlots {
  private static final int EVERY = 10;

  /** Losses above it are left out: they would leave no room for the others. */
  private static final double HIGHEST = 1e8;

  private final Courses courses;

  PathologyPlots(Courses courses) {
    this.courses = courses;
  }

  void write(RunFolder folder) {
    folder.picture(
        "gradients.png",
        gradients(Therapy.Illness.VANISHING),
        gradients(Therapy.Illness.EXPLODING));
    folder.picture(
        "losses.png",
        Arrays.stream(Therapy.Illness.values()).map(this::losses).toArray(Plot[]::new));
    folder.picture(
        "along.png",
        along("Sigmoids, untreated", Therapy.Illness.VANISHING.untreated),
        along("All remedies at once", Therapy.ALL),
        rates());
    folder.write("courses.csv", csv());
  }

  private static double[] upTo(int n) {
    return IntStream.rangeClosed(1, n).asDoubleStream().toArray();
  }

  /**
   * The gradient of every layer at the first step, one line for each remedy that changes it: not
   * for clipping and rates, which come after it.
   */
  private Plot gradients(Therapy.Illness illness) {
    Plot plot = new Plot(illness.title + ": the first step", "layer", "norm of the gradient");
    plot.logarithmic();
    Set<DeepNet.Design> drawn = new HashSet<>();
    illness
        .remedies()
        .forEach(
            (name, t) -> {
              if (drawn.add(t.design())) {
                List<Double> norms = courses.of(t).start().gradients();
                double[] y = norms.stream().mapToDouble(v -> v).toArray();
                plot.line(name, upTo(y.length), y);
              }
            });
    return plot;
  }

  /** The loss of every step, one line for each remedy. */
  private Plot losses(Therapy.Illness illness) {
    Plot plot = new Plot(illness.title + ": the training", "step", "loss").logarithmic();
    illness
        .remedies()
        .forEach((name, t) -> plot.line(name, upTo(courses.of(t).steps().size()), losses(t)));
    return plot;
  }

  private double[] losses(Therapy t) {
    return courses.of(t).steps().stream()
        .mapToDouble(s -> s.loss() < HIGHEST ? s.loss() : Double.NaN)
        .toArray();
  }

  /** The gradients of some layers at every step. */
  private Plot along(String title, Therapy t) {
    Plot plot = new Plot(title, "step", "norm of the gradient").logarithmic();
    Course c = courses.of(t);
    for (int layer : new int[] {1, 4, 8, DeepNet.DEPTH}) {
      double[] norms = c.steps().stream().mapToDouble(s -> s.gradients().get(layer - 1)).toArray();
      plot.line("layer " + layer, upTo(norms.length), norms);
    }
    return plot;
  }

  private Plot rates() {
    Plot plot = new Plot("Rates for the network with He init", "step", "loss").logarithmic();
    for (double rate : Pathologies.RATES) {
      double[] losses = losses(Therapy.Illness.OVERSHOOTING.untreated.withRate(rate));
      int n = Math.min(40, losses.length);
      plot.line("rate " + rate, upTo(n), Arrays.copyOf(losses, n));
    }
    return plot;
  }

  /** Every tenth step, and the last, of every course. */
  private String csv() {
    StringBuilder csv = new StringBuilder("course,step,loss");
    IntStream.rangeClosed(1, DeepNet.DEPTH).forEach(i -> csv.append(",gradient_").append(i));
    csv.append('\n');
    int number = 0;
    for (Course c : courses.all().values()) {
      number++;
      for (int s = 0; s < c.steps().size(); s++) {
        if (s % EVERY == 0 || s == c.steps().size() - 1) {
          Course.Seen seen = c.steps().get(s);
          csv.append(number).append(',').append(s + 1).append(',').append(seen.loss()).append(',');
          csv.append(
              seen.gradients().stream().map(String::valueOf).collect(Collectors.joining(",")));
          csv.append('\n');
        }
      }
    }
    return csv.toString();
  }
}

package dev.downhill.jobs.digits;

import dev.downhill.explain.Plot;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.History;
import dev.downhill.train.Progress;
import dev.downhill.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Writes down the gradients of a few weights while they are trained: large and ragged as long as
 * every batch finds something else wrong, small once there is little left to learn.
 */
final class GradientTrace implements Trainer.Listener {
  /** How many weights are watched. */
  static final int WEIGHTS = 4;

  private static final int EVERY = 5;

  private final Tensor weight;
  private final int column;
  private final Trainer.Listener next;
  private final List<double[]> gradients = new ArrayList<>();
  private final List<Long> steps = new ArrayList<>();

  /**
   * Watches one weight of each of the first units of a layer.
   *
   * @param weight of the layer, one unit (or filter) per index of the first dimension
   * @param column which weight of a unit
   * @param next hears all that this hears
   */
  GradientTrace(Tensor weight, int column, Trainer.Listener next) {
    this.weight = weight;
    this.column = column;
    this.next = next;
  }

  @Override
  public int every() {
    return Math.min(EVERY, next.every());
  }

  @Override
  public void progress(Progress progress) {
    try (Scope _ = Scope.open()) {
      Tensor units = Objects.requireNonNull(weight.grad()).flatten(1, -1).narrow(0, 0, WEIGHTS);
      gradients.add(units.select(1, column).toDoubles());
      steps.add(progress.step());
    }
    next.progress(progress);
  }

  @Override
  public void epoch(History.Epoch epoch) {
    next.epoch(epoch);
  }

  /** Whether there were no steps to watch, as in a resumed run that was over already. */
  boolean isEmpty() {
    return steps.isEmpty();
  }

  /** The mean magnitude over a part of the run, such as 0 to 0.1. */
  double mean(double from, double to) {
    int n = gradients.size();
    // At least one, however short the run.
    int first = Math.min((int) (from * n), n - 1);
    return gradients.subList(first, Math.max(first + 1, (int) (to * n))).stream()
        .flatMapToDouble(Arrays::stream)
        .map(Math::abs)
        .average()
        .orElse(Double.NaN);
  }

  /** The gradients over the steps, a line for each weight. */
  Plot plot() {
    double[] x = steps.stream().mapToDouble(s -> s).toArray();
    Plot plot = new Plot("What the loss wants of four first-layer weights", "step", "gradient");
    for (int w = 0; w < WEIGHTS; w++) {
      int unit = w;
      plot.line("unit " + (w + 1), x, gradients.stream().mapToDouble(g -> g[unit]).toArray());
    }
    return plot;
  }
}

package dev.downhill.jobs.noise;

import dev.downhill.data.Dataset;
import dev.downhill.explain.Plot;
import dev.downhill.explain.TextTable;
import dev.downhill.nn.Sequential;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.StepProgress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.function.Consumer;

/**
 * Descents from the same weights with batches of several sizes, the full set among them.
 *
 * @param most the most steps of each
 * @param each one for every size
 */
record Descents(int most, List<Descent> each) {
  private static final int[] BATCHES = {8, 32, 256, NoiseTask.EXAMPLES};

  /** The place of the descent that is looked at more closely. */
  private static final int MIDDLE = 1;

  // Every descent goes on until all can be compared in steps and in examples.
  private static final long STEPS = 400;
  private static final long PASSES = 20;

  /**
   * Runs all.
   *
   * @param model is fresh, and has taken the steps of {@link #middle} at the end
   */
  static Descents run(
      NoiseTask task, Dataset data, Sequential model, double rate, int most, StepProgress told) {
    List<Descent> each = new ArrayList<>();
    for (int i = 0; i < BATCHES.length; i++) {
      int number = i + 1;
      int batch = BATCHES[i];
      NavigableSet<Long> looks = Descent.looks(steps(batch, most), STEPS, examples(most) / batch);
      Consumer<Tensor> tell = loss -> told.step(number, batch, loss::item);
      try (Sequential other = task.model(DType.F32)) {
        Sequential descending = i == MIDDLE ? model : other;
        each.add(Descent.run(descending, data, batch, rate, task.seed(), looks, tell));
      }
    }
    return new Descents(most, each);
  }

  /** How many there will be. */
  static int count() {
    return BATCHES.length;
  }

  /** How many steps they will take together. */
  static long steps(int most) {
    return Arrays.stream(BATCHES).mapToLong(b -> steps(b, most)).sum();
  }

  private static long steps(int batch, int most) {
    return Math.min(most, Math.max(STEPS, PASSES * NoiseTask.EXAMPLES / batch));
  }

  /** How many examples all see, but for what is left of the last step. */
  private static long examples(int most) {
    return Math.min(PASSES * NoiseTask.EXAMPLES, (long) most * BATCHES[0]);
  }

  Descent middle() {
    return each.get(MIDDLE);
  }

  double lossAtStart() {
    return each.getFirst().after(0);
  }

  /** The losses after as many steps, and after as many examples. */
  TextTable table() {
    long steps = Math.min(most, STEPS);
    long examples = examples(most);
    TextTable table =
        new TextTable(
            "batch",
            "after %s steps".formatted(whole(steps)),
            "examples for that",
            "after %s examples".formatted(whole(examples)),
            "steps for that");
    for (Descent d : each) {
      table.row(
          whole(d.batch()),
          String.format(Locale.ROOT, "%.4f", d.after(steps)),
          whole(steps * d.batch()),
          String.format(Locale.ROOT, "%.4f", d.after(examples / d.batch())),
          whole(examples / d.batch()));
    }
    return table;
  }

  /** The losses by steps, and by examples. */
  Plot[] plots() {
    Plot bySteps =
        new Plot("The same descents by steps", "steps", "loss of the full set")
            .logarithmic()
            .logarithmicX();
    Plot byExamples =
        new Plot("... and by examples", "examples seen", "loss of the full set")
            .logarithmic()
            .logarithmicX();
    for (Descent d : each) {
      String name = "batch of " + whole(d.batch());
      double[] steps = d.stepsTaken();
      double[] examples = Arrays.stream(steps).map(s -> s * d.batch()).toArray();
      bySteps.line(name, steps, d.lossesAfter());
      byExamples.line(name, examples, d.lossesAfter());
    }
    return new Plot[] {bySteps, byExamples};
  }

  private static String whole(long n) {
    return String.format(Locale.ROOT, "%,d", n);
  }
}

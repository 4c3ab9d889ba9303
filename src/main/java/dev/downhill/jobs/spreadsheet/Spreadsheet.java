package dev.downhill.jobs.spreadsheet;

import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.optim.Sgd;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.StepProgress;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Backpropagation as a spreadsheet: two inputs, one sigmoid hidden unit, one output weight. Every
 * number of the forward pass, every partial derivative along the chain, one step downhill and the
 * loss after it are computed twice, by the formula written out by hand and by the engine.
 *
 * <p>On a CPU both have the same bits, and the job fails if not; {@link UnitByHand} says what that
 * takes. The exp of a GPU is another one than Java's: there the last bits of what depends on it can
 * differ, and the job says by how much.
 */
public final class Spreadsheet implements Job {
  static final double X1 = 0.5;
  static final double X2 = 0.3;
  static final double TARGET = 1;

  /** Two weights and the bias of the hidden unit, weight and bias of the output. */
  static final List<String> WEIGHTS = List.of("w1", "w2", "b", "v", "c");

  private static final double[] START = {0.8, -0.5, 0.15, 0.9, 0.1};
  private static final int MOST_STEPS = 10_000;

  /** What a device with another exp may differ by, of 1 or of the number if that is larger. */
  private static final double ANOTHER_EXP = 1e-12;

  @Override
  public String name() {
    return "spreadsheet";
  }

  @Override
  public String about() {
    return "one hidden unit: every number forward and backward, by hand and by the engine";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(JobOption.LR, JobOption.STEPS);
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out(), "spreadsheet.csv");
    double rate = o.rate(0.5);
    int steps = Math.min(MOST_STEPS, o.count(JobOption.STEPS, 1));
    StepProgress told = new StepProgress(progress, 1, steps);
    double first = Double.NaN;
    double last = Double.NaN;
    double difference = 0;
    String csv = "";
    int step = 0;
    List<Tensor> weights = new ArrayList<>();
    for (double w : START) {
      weights.add(Tensor.full(o.device(), DType.F64, w).requireGrad());
    }
    try (Sgd sgd = new Sgd(weights, rate)) {
      while (step < steps && !(step > 0 && !Double.isFinite(last))) {
        step++;
        Sheet sheet = UnitByHand.step(weights.stream().mapToDouble(Tensor::item).toArray(), rate);
        Map<String, Double> engine = UnitByEngine.step(weights, sgd);
        difference = Math.max(difference, difference(sheet, engine, o.device().name()));
        last = engine.getOrDefault("L'", Double.NaN);
        if (step == 1) {
          first = engine.getOrDefault("L", Double.NaN);
          csv = sheet.csv(engine);
          report.printf(
              Locale.ROOT,
              "z = w1 x1 + w2 x2 + b, h = sigmoid(z), y = v h + c; the loss is L = (y -"
                  + " t)^2.%n%n%s%n",
              sheet.text(engine));
          report.printf(
              Locale.ROOT,
              "Backward, each derivative is the one before it times a local one: dL/dz = dL/dh"
                  + " dh/dz.%nThe nudge moves each weight against its derivative, %s of it: the"
                  + " loss falls from %.6f to %.6f.%n",
              rate,
              first,
              last);
        } else {
          report.printf(Locale.ROOT, "%sStep %d: loss %s%n", step == 2 ? "\n" : "", step, last);
        }
        told.step(1, 1, () -> engine.getOrDefault("L", Double.NaN));
      }
    } finally {
      weights.forEach(Tensor::close);
    }
    report.println();
    if (difference == 0) {
      report.println("Every number by hand equals the engine's to the last bit.");
    } else {
      report.printf(
          Locale.ROOT,
          "The numbers differ by %.1e at most: this device's exp is another one than Java's.%n",
          difference);
    }

    folder.clear();
    Map<String, Object> config = o.config(this);
    config.put("lr", rate);
    config.put("steps", steps);
    folder.config(config);
    folder.write("spreadsheet.csv", csv);
    report.printf(Locale.ROOT, "Run folder: %s%n", o.out());
    double seconds = told.seconds();
    return new JobResult(
        name(),
        o.device().name(),
        step,
        1,
        first,
        last,
        new JobResult.Metric("loss", last),
        seconds,
        step / seconds,
        o.out());
  }

  /** The largest difference of a cell, of 1 or of the number if that is larger. */
  private static double difference(Sheet sheet, Map<String, Double> engine, String device) {
    double most = 0;
    for (String cell : sheet.computed()) {
      double hand = sheet.value(cell);
      double other = Objects.requireNonNull(engine.get(cell), cell);
      // compare, not ==: a run that diverges ends in NaN on both sides.
      if (Double.compare(hand, other) != 0) {
        double d = Math.abs(hand - other) / Math.max(1, Math.abs(hand));
        if (device.startsWith("cpu") || !(d <= ANOTHER_EXP)) {
          throw new AssertionError(
              "%s: by hand %s, by the engine on %s %s".formatted(cell, hand, device, other));
        }
        most = Math.max(most, d);
      }
    }
    return most;
  }
}

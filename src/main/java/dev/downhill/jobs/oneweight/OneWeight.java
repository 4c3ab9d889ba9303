package dev.downhill.jobs.oneweight;

import dev.downhill.explain.Plot;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.optim.Sgd;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The smallest network there is: y = w x with one weight, which should become 3. Every step is
 * computed twice, by the formula written out by hand and by the engine, and both must agree to the
 * last bit.
 *
 * <p>With x = 2 the error of the weight, w - 3, is multiplied by 1 - 8 rate at every step: that is
 * why 0.1 converges, 0.125 lands at once, 0.25 bounces for ever and 0.3 diverges.
 */
public final class OneWeight implements Job {
  private static final int MOST_STEPS = 10_000;
  private static final double X = 2;
  private static final double Y = 6;
  private static final double SOLUTION = Y / X;

  @Override
  public String name() {
    return "one-weight";
  }

  @Override
  public String about() {
    return "y = w x with one weight: by hand and by the engine, equal to the last bit";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(JobOption.LR, JobOption.STEPS);
  }

  /** What a sequence of weights did. */
  enum Regime {
    LANDS("lands on the solution in one step"),
    CREEPS("approaches the solution from one side, ever more slowly"),
    OSCILLATES("jumps over the solution every time, but comes closer: it oscillates and converges"),
    BOUNCES("jumps over the solution by the same distance every time: it bounces for ever"),
    DIVERGES("jumps over the solution, further away every time: it diverges");

    final String text;

    Regime(String text) {
      this.text = text;
    }

    /** Told by the distances from the solution before and after the steps. */
    static Regime of(double[] w) {
      double before = w[0] - SOLUTION;
      double after = w[1] - SOLUTION;
      // The factor of the first step, 1 - 8 rate, within the rounding of rates such as 0.125.
      double factor = after / before;
      if (Math.abs(factor) < 1e-12) {
        return LANDS;
      }
      if (factor > 0) {
        return CREEPS;
      }
      if (Math.abs(factor + 1) < 1e-12) {
        return BOUNCES;
      }
      return factor > -1 ? OSCILLATES : DIVERGES;
    }
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out(), "one-weight.png");
    double rate = o.rate(0.1);
    int steps = Math.min(MOST_STEPS, o.count(JobOption.STEPS, 12));
    int last = 0;
    long start = System.nanoTime();

    double[] w = new double[steps + 1];
    double[] losses = new double[steps];
    report.printf(
        Locale.ROOT,
        "Fit y = w x to x = %.0f, y = %.0f, from w = 0 with rate %s. The solution is w = %.0f.%n%n",
        X,
        Y,
        rate,
        SOLUTION);
    report.printf(
        Locale.ROOT,
        "  step   %-22s %-22s %-22s %s%n",
        "loss by hand",
        "loss by engine",
        "w by hand",
        "w by engine");
    try (Tensor weight = Tensor.full(o.device(), DType.F64, 0).requireGrad();
        Sgd sgd = new Sgd(List.of(weight), rate)) {
      for (int i = 0; i < steps; i++) {
        // By hand: loss = (w x - y)^2, so dloss/dw = 2 (w x - y) x. The update w - rate dloss/dw is
        // rounded once, as optimisers do it here and on GPUs.
        double error = w[i] * X - Y;
        double loss = error * error;
        w[i + 1] = Math.fma(-rate, 2 * error * X, w[i]);

        // By the engine.
        double engineLoss;
        try (Scope _ = Scope.open()) {
          Tensor l = weight.mul(X).sub(Y).square();
          sgd.zeroGrad();
          l.backward();
          sgd.step();
          engineLoss = l.item();
        }
        double engineWeight = weight.item();
        // compare, not ==: a run that diverges ends in NaN on both sides.
        if (Double.compare(loss, engineLoss) != 0 || Double.compare(w[i + 1], engineWeight) != 0) {
          throw new AssertionError(
              "step %s: by hand loss %s and w %s, by the engine %s and %s"
                  .formatted(i + 1, loss, w[i + 1], engineLoss, engineWeight));
        }
        losses[i] = loss;
        last = i + 1;
        report.printf(
            Locale.ROOT,
            "  %4d   %-22s %-22s %-22s %s%n",
            i + 1,
            loss,
            engineLoss,
            w[i + 1],
            engineWeight);
        if (!Double.isFinite(loss)) {
          report.printf(Locale.ROOT, "  The numbers end here: the loss is %s.%n", loss);
          break;
        }
      }
    }
    Regime regime = Regime.of(w);
    report.printf(
        Locale.ROOT,
        "%nBoth agree to the last bit. The error of w is multiplied by 1 - 8 rate = %s at every"
            + " step:%nwith rate %s it %s.%n",
        String.format(Locale.ROOT, "%.4g", 1 - 8 * rate),
        rate,
        regime.text);

    folder.clear();
    folder.config(config(o, rate, steps));
    folder.picture(
        "one-weight.png", plots(Arrays.copyOf(w, last + 1), Arrays.copyOf(losses, last)));
    report.printf(Locale.ROOT, "Run folder: %s%n", o.out());
    double seconds = (System.nanoTime() - start) * 1e-9;
    return new JobResult(
        name(),
        o.device().name(),
        last,
        1,
        losses[0],
        losses[last - 1],
        new JobResult.Metric("loss", losses[last - 1]),
        seconds,
        last / seconds,
        o.out());
  }

  private Map<String, Object> config(JobOptions o, double rate, int steps) {
    Map<String, Object> c = o.config(this);
    c.put("lr", rate);
    c.put("steps", steps);
    return c;
  }

  private static Plot[] plots(double[] w, double[] losses) {
    double[] step = new double[w.length];
    Arrays.setAll(step, i -> i);
    double[] solution = new double[w.length];
    Arrays.fill(solution, SOLUTION);
    return new Plot[] {
      new Plot("The weight", "step", "w").line("w", step, w).dashed("solution", step, solution),
      new Plot("The loss", "step", "loss before the step")
          .logarithmic()
          .line("loss", Arrays.copyOfRange(step, 1, step.length), losses)
    };
  }
}

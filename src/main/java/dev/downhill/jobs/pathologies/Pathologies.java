package dev.downhill.jobs.pathologies;

import dev.downhill.data.Dataset;
import dev.downhill.data.Spirals;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.train.StepProgress;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleConsumer;

/**
 * How training fails in deep networks, in numbers: gradients that vanish, networks that explode,
 * rates that are too high. Then every remedy by itself, side by side.
 */
public final class Pathologies implements Job {
  /** Rates for the same healthy network, from good to fatal. */
  static final List<Double> RATES = List.of(0.1, 1.0, 2.0, 5.0);

  private static final int POINTS = 256;
  private static final int HELD_OUT = 500;

  @Override
  public String name() {
    return "pathologies";
  }

  @Override
  public String about() {
    return "vanishing and exploding gradients, rates too high, and what helps against each";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(JobOption.STEPS);
  }

  /** All that is tried; what is the same in two tables runs once. */
  private static Set<Therapy> therapies() {
    Set<Therapy> all = new LinkedHashSet<>();
    for (Therapy.Illness illness : Therapy.Illness.values()) {
      all.addAll(illness.remedies().values());
    }
    RATES.forEach(rate -> all.add(Therapy.Illness.OVERSHOOTING.untreated.withRate(rate)));
    all.add(Therapy.ALL);
    return all;
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder =
        new RunFolder(o.out(), "gradients.png", "losses.png", "along.png", "courses.csv");
    int steps = o.count(JobOption.STEPS, 2000);
    report.printf(
        Locale.ROOT,
        "%s on %s (%s), seed %d%nTwo spirals, %d points to learn from, %d held out. Every network:"
            + " %d layers of %d outputs, plain gradient descent on all points at once, at most %,d"
            + " steps.%n",
        name(),
        o.device(),
        o.device().describe(),
        o.seed(),
        POINTS,
        HELD_OUT,
        DeepNet.DEPTH,
        DeepNet.WIDTH,
        steps);
    report.flush();
    Set<Therapy> therapies = therapies();
    StepProgress told =
        new StepProgress(progress, therapies.size(), (long) therapies.size() * steps);
    Map<Therapy, Course> all = new LinkedHashMap<>();
    try (Dataset train = Spirals.dataset(o.device(), POINTS, o.seed());
        Dataset heldOut = Spirals.dataset(o.device(), HELD_OUT, o.seed() + 1)) {
      for (Therapy t : therapies) {
        int number = all.size() + 1;
        DoubleConsumer heard = loss -> told.step(number, POINTS, () -> loss);
        all.put(t, Course.of(t, train, heldOut, steps, o.seed(), heard));
      }
    }
    Courses courses = new Courses(all);
    double seconds = told.seconds();

    new PathologyReport(courses, report).print();
    folder.clear();
    Map<String, Object> config = o.config(this);
    config.put("steps", steps);
    folder.config(config);
    new PathologyPlots(courses).write(folder);
    report.printf("Run folder: %s%n", o.out());
    Course cured = courses.of(Therapy.ALL);
    long taken = all.values().stream().mapToLong(c -> c.steps().size()).sum();
    return new JobResult(
        name(),
        o.device().name(),
        taken,
        all.size(),
        cured.start().loss(),
        cured.end().loss(),
        new JobResult.Metric("accuracy", cured.accuracy()),
        seconds,
        taken * (double) POINTS / seconds,
        o.out());
  }
}

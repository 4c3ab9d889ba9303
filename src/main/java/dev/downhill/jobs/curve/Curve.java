package dev.downhill.jobs.curve;

import dev.downhill.backend.Device;
import dev.downhill.explain.TextTable;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.train.StepProgress;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Gradient descent on a curve in one dimension, at several rates chosen by the curvature, each from
 * the same start. What is told is what the walk was seen to do; why it did so follows from rate
 * times curvature.
 */
public final class Curve implements Job {
  private static final int MOST_STEPS = 10_000;

  /** How often a rate is changed in search of one that converges, or diverges. */
  private static final int MOST_TRIES = 12;

  @Override
  public String name() {
    return "curve";
  }

  @Override
  public String about() {
    return "gradient descent down a curve of your own, at rates that crawl, fit, swing and diverge";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(JobOption.CURVE, JobOption.START, JobOption.LR, JobOption.STEPS);
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out(), "curve-paths.png", "path.csv");
    Formula curve = CurvePreset.formula(o.text(JobOption.CURVE, "double-well"));
    Landscape land = Landscape.of(curve, o.device(), o.number(JobOption.START, Double.NaN));
    int steps = Math.min(MOST_STEPS, o.count(JobOption.STEPS, 25));
    long begin = System.nanoTime();
    introduce(curve, land, report);

    Set<Double> rates = new TreeSet<>();
    double good = goodRate(curve, o.device(), land, steps);
    rates.add(0.02 / land.scale());
    rates.add(good);
    rates.add(1.9 / land.scale());
    rates.add(divergingRate(curve, o.device(), land, steps));
    double chosen = o.rate(good);
    rates.add(chosen);

    List<Verdict> verdicts = new ArrayList<>();
    StepProgress told = new StepProgress(progress, 1, (long) rates.size() * steps);
    for (double rate : rates) {
      Descent walk =
          Descent.walk(
              curve,
              o.device(),
              land.start(),
              rate,
              steps,
              height -> told.step(1, 1, () -> height));
      verdicts.add(Verdict.of(walk, land, curve, o.device()));
    }
    report(verdicts, land, o.text(JobOption.LR) != null ? chosen : Double.NaN, report);

    folder.clear();
    Map<String, Object> config = o.config(this);
    config.put("curve", curve.toString());
    config.put("start", land.start());
    config.put("steps", steps);
    folder.config(config);
    folder.write("path.csv", CurvePictures.csv(verdicts));
    folder.picture("curve-paths.png", CurvePictures.png(curve, land, verdicts));
    report.printf(Locale.ROOT, "Run folder: %s%n", o.out());
    double seconds = (System.nanoTime() - begin) * 1e-9;
    Descent shown =
        verdicts.stream()
            .map(Verdict::walk)
            .filter(w -> w.rate() == chosen)
            .findFirst()
            .orElseThrow();
    double end = shown.height()[shown.steps()];
    return new JobResult(
        name(),
        o.device().name(),
        told.taken(),
        1,
        shown.height()[0],
        end,
        new JobResult.Metric("height", end),
        seconds,
        told.taken() / seconds,
        o.out());
  }

  private static void introduce(Formula curve, Landscape land, PrintStream report) {
    report.printf(
        Locale.ROOT, "The curve is %s; the walks start at x = %.4g.%n", curve, land.start());
    if (Double.isNaN(land.minimum())) {
      report.printf(
          Locale.ROOT,
          "There is no bottom below it from %.4g to %.4g. The rates suit a curvature of %.4g.%n%n",
          -land.reach(),
          land.reach(),
          land.scale());
    } else {
      report.printf(
          Locale.ROOT,
          "The bottom of that valley is at x = %.4f, where the curve is %.4f and its curvature, by"
              + " autograd twice, %.4f.%n%s: that gives the rates.%n%n",
          land.minimum(),
          land.height(),
          land.curvature(),
          (land.isBent()
                  ? "From start to bottom the curvature is up to "
                  : "The curve is not bent on the way; its slope by the distance is ")
              + number(land.scale()));
    }
  }

  /** 1 / curvature, halved until the walk converges. */
  private static double goodRate(Formula curve, Device device, Landscape land, int steps) {
    for (int i = 0; i < MOST_TRIES; i++) {
      double rate = Math.scalb(1 / land.scale(), -i);
      Descent walk = Descent.walk(curve, device, land.start(), rate, steps, _ -> {});
      if (Behaviour.of(walk, land) == Behaviour.CONVERGES) {
        return rate;
      }
    }
    return 1 / land.scale();
  }

  /** 2.2 / curvature, half as much again until the walk diverges. */
  private static double divergingRate(Formula curve, Device device, Landscape land, int steps) {
    for (int i = 0; i < MOST_TRIES; i++) {
      double rate = 2.2 / land.scale() * Math.pow(1.5, i);
      Descent walk = Descent.walk(curve, device, land.start(), rate, steps, _ -> {});
      Behaviour seen = Behaviour.of(walk, land);
      if (seen == Behaviour.DIVERGES || seen == Behaviour.LEAVES) {
        return rate;
      }
    }
    return 2.2 / land.scale();
  }

  private static void report(
      List<Verdict> verdicts, Landscape land, double yours, PrintStream report) {
    TextTable table =
        new TextTable("rate", "rate x curvature", "steps", "x at the end", "height", "what it did");
    for (Verdict v : verdicts) {
      Descent w = v.walk();
      table.row(
          number(w.rate()),
          number(w.rate() * land.scale()),
          Integer.toString(w.steps()),
          number(w.end()),
          number(w.height()[w.steps()]),
          v.seen().text);
    }
    report.println(table);
    for (Verdict v : verdicts) {
      double rate = v.walk().rate();
      String whose = rate == yours ? "your rate" : "rate";
      report.printf(Locale.ROOT, "At %s %s %s: %s.%n", whose, number(rate), v.seen().text, v.why());
    }
    report.println();
  }

  private static String number(double v) {
    return String.format(Locale.ROOT, "%.4g", v);
  }
}

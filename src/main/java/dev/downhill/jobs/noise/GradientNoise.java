package dev.downhill.jobs.noise;

import dev.downhill.data.Dataset;
import dev.downhill.explain.TextTable;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.nn.Sequential;
import dev.downhill.shape.DType;
import dev.downhill.train.StepProgress;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * How far the gradient of a batch can be trusted: its spread by the size of the batch, descents
 * with small and large batches, and a large batch made of small ones.
 */
public final class GradientNoise implements Job {
  @Override
  public String name() {
    return "noise";
  }

  @Override
  public String about() {
    return "how far the gradient of a batch can be trusted, by the size of the batch";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(JobOption.LR, JobOption.STEPS);
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out(), "noise.png", "descent.png", "gradients.csv");
    double rate = o.rate(0.05);
    int most = o.count(JobOption.STEPS, Integer.MAX_VALUE);
    NoiseTask task = new NoiseTask(o.device(), o.seed());
    try (Dataset data = task.houses(DType.F32);
        Sequential model = task.model(DType.F32)) {
      report.printf(
          Locale.ROOT,
          "%s on %s (%s), seed %d%n%,d houses, the full set; a network of %d weights for their"
              + " prices.%n",
          name(),
          o.device(),
          o.device().describe(),
          o.seed(),
          data.size(),
          NoiseTask.weights().size());
      TrustTable start = TrustTable.of(model, data, o.seed(), most);
      double exponent = explainSpread(start, report);
      report.flush();

      StepProgress told = new StepProgress(progress, Descents.count(), Descents.steps(most));
      Descents descents = Descents.run(task, data, model, rate, most, told);
      double seconds = told.seconds();
      Descent middle = descents.middle();
      report.printf(
          Locale.ROOT,
          "%n2. Descend from the same weights, with a loss of %.4f on the full set, at rate %s:%n%s"
              + "  By steps, large batches soon gain little: the gradients of smaller ones were"
              + " good enough. By examples, which is%n  what takes the time, small batches are"
              + " ahead, since they take so many more steps.%n",
          descents.lossAtStart(),
          rate,
          descents.table());
      TrustTable end = TrustTable.of(model, data, o.seed(), most);
      explainTheEnd(start, end, middle, report);
      explainAccumulation(task, report);

      folder.clear();
      folder.config(config(o, rate));
      folder.picture("noise.png", start.plots(Arrays.copyOf(start.loudest(), 3)));
      folder.picture("descent.png", descents.plots());
      StringBuilder csv = new StringBuilder("when,weight,batch,mean,spread\n");
      start.csv("start", csv);
      end.csv("end", csv);
      folder.write("gradients.csv", csv.toString());
      report.printf("Run folder: %s%n", o.out());
      return new JobResult(
          name(),
          o.device().name(),
          told.taken(),
          1,
          middle.losses().firstEntry().getValue(),
          middle.losses().lastEntry().getValue(),
          new JobResult.Metric("exponent", exponent),
          seconds,
          told.examples() / seconds,
          o.out());
    }
  }

  private static double explainSpread(TrustTable start, PrintStream report) {
    double[] exponents = start.exponents();
    double exponent = GradientSamples.median(exponents);
    report.printf(
        Locale.ROOT,
        "%n1. At the start. The gradient of a weight differs from batch to batch. Over %,d batches"
            + " of each size:%n%s",
        start.sizes().getFirst().count(),
        start.summary());
    report.printf(
        Locale.ROOT,
        "  Spread: the standard deviation over batches. Signal/noise: the full set's gradient"
            + " divided by the spread. Both for%n  the weight in the middle of all. Right sign: how"
            + " often a batch pushes a weight the way the full set does. The full%n  set, in %d"
            + " orders, always says the same but for rounding.%n",
        start.full().count());
    report.printf(
        Locale.ROOT,
        "  The spread falls with the power %.3f of the batch size (9 of 10 weights: %.3f to %.3f);"
            + " independent examples give -0.5:%n  to halve the noise, take 4 times the"
            + " examples.%n",
        exponent,
        exponents[exponents.length / 20],
        exponents[exponents.length - 1 - exponents.length / 20]);
    report.printf(
        "%n  The weight of each input with the largest gradient; its mean over batches, and the"
            + " spread:%n%s",
        start.of(start.loudest()));
    return exponent;
  }

  private static void explainTheEnd(
      TrustTable start, TrustTable end, Descent middle, PrintStream report) {
    report.printf(
        Locale.ROOT,
        "%n3. After %,d steps with batches of %d the same measurement again:%n%s",
        middle.losses().lastKey(),
        middle.batch(),
        end.summary());
    report.printf(
        Locale.ROOT,
        "  As the loss falls, the signal fades faster than the noise: a batch of %d is right about"
            + " a sign %.0f %% of the time,%n  and was %.0f %% at the start. That is why rates"
            + " fall, or batches grow, towards the end of a training.%n",
        middle.batch(),
        100 * end.at(middle.batch()).rightSign(end.truth()),
        100 * start.at(middle.batch()).rightSign(start.truth()));
  }

  private static void explainAccumulation(NoiseTask task, PrintStream report) {
    TextTable table =
        new TextTable("numbers", "largest difference of a weight", "of what rounding can do");
    for (DType dtype : List.of(DType.F32, DType.F64)) {
      Accumulation a = Accumulation.measure(task, dtype);
      table.row(
          dtype.toString(),
          String.format(Locale.ROOT, "%.1e", a.largest()),
          String.format(Locale.ROOT, "%.2f %%", 100 * a.share()));
    }
    report.printf(
        Locale.ROOT,
        "%n4. Accumulate. The gradients of %d batches of %d, each weighted 1/%d and added up,"
            + " against that of one batch of %d:%n%s",
        Accumulation.PARTS,
        Accumulation.SMALL,
        Accumulation.PARTS,
        Accumulation.PARTS * Accumulation.SMALL,
        table);
    report.printf(
        "  The same sum in another order: a batch that does not fit into memory can be taken in"
            + " parts.%n");
  }

  private Map<String, Object> config(JobOptions o, double rate) {
    Map<String, Object> c = o.config(this);
    c.put("lr", rate);
    c.put("examples", NoiseTask.EXAMPLES);
    return c;
  }
}

package dev.downhill.jobs.houses;

import dev.downhill.data.Dataset;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Optimizer;
import dev.downhill.tensor.Loss;
import dev.downhill.train.History;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A network learns what houses cost, and shows how it does that: predict, measure the error, send
 * the blame backwards, nudge every weight, repeat. With a file of the user's own it does the same
 * for any column of numbers.
 */
public final class HousePrices implements Job {
  @Override
  public String name() {
    return "house-prices";
  }

  @Override
  public String about() {
    return "what houses cost, or any column of a table of yours";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(
        JobOption.DATA,
        JobOption.TARGET,
        JobOption.EPOCHS,
        JobOption.BATCH_SIZE,
        JobOption.LR,
        JobOption.OPTIMIZER,
        JobOption.SCHEDULE,
        JobOption.STEPS);
  }

  @Override
  public boolean resumes() {
    return true;
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out());
    int steps = o.count(JobOption.STEPS, Integer.MAX_VALUE);
    PriceTask task = PriceTask.of(o);
    Recipe recipe = Recipe.of(o, task);
    try (Dataset train = task.train(o.device());
        Dataset validation = task.validation(o.device());
        Sequential model = recipe.model(o.device());
        Optimizer optimizer = recipe.optimizer(model.parameters(), recipe.lr())) {
      report.printf(
          Locale.ROOT,
          "%s on %s (%s), seed %d%n%,d rows: %,d to learn from, %,d held out. Network: %d inputs ->"
              + " 64 -> 64 -> 1.%n",
          name(),
          o.device(),
          o.device().describe(),
          o.seed(),
          task.table().rows(),
          train.size(),
          validation.size(),
          recipe.inputs());
      if (!o.resume()) {
        new FirstSteps(task, recipe, o.device(), train).explain(report);
      }
      report.printf(
          "%n6. Repeat. %s with %s, rate %s, schedule %s.%n",
          recipe.length(steps), recipe.optimizer(), recipe.lr(), recipe.schedule());
      report.flush();
      Trainer.Options options =
          Trainer.Options.DEFAULTS
              .withEpochs(recipe.epochs())
              .withBatchSize(recipe.batch())
              .withSteps(steps)
              .withSeed(o.seed());
      Trainer trainer =
          new Trainer(model, optimizer, recipe.scheduler(optimizer), Loss::mse, Loss::l1, options);
      if (o.resume()) {
        trainer.resume(folder.state());
      } else {
        folder.clear();
      }
      folder.config(config(o, recipe, task));
      History history = trainer.checkpoint(folder.state()).fit(train, validation, progress);

      folder.metrics(
          history, "mean squared error", "mae", task.unit(), "Learning curve of " + name());
      folder.model(
          model.state(), Map.of("job", name(), "format", "1", "encoder", task.encoder().toJson()));
      JobResult.Metric metric = conclude(task, model, train, validation, history, report);
      report.printf("Run folder: %s%n", o.out());
      History.Epoch last = history.last();
      return JobResult.of(
          this, o, history, metric, last.step() * (double) train.size() / recipe.stepsPerEpoch());
    }
  }

  /** The verdict on the trained model, in words and as the job's metric. */
  private static JobResult.Metric conclude(
      PriceTask task,
      Sequential model,
      Dataset train,
      Dataset validation,
      History history,
      PrintStream report) {
    double mae = history.last().metric() * task.unit();
    double line = task.straightLineError(train, validation);
    double guess = FirstSteps.predict(task, model);
    double truth = task.exampleTruth();
    report.printf(
        Locale.ROOT,
        "%nTrained. The network now says %s for %s; the truth is %s (%+.1f %%).%n",
        task.amount(guess),
        task.exampleName(),
        task.amount(truth),
        100 * (guess / truth - 1));
    report.printf(
        "Mean absolute error on held-out rows: %s; the best straight line: %s.%n",
        task.amount(mae), task.amount(line));
    if (task.generated()) {
      double floor = task.noiseFloor();
      report.printf(
          Locale.ROOT,
          "Nobody can beat %s, the noise in the prices: the network is at %.3f times that floor,"
              + " the line at %.2f times.%n",
          task.amount(floor),
          mae / floor,
          line / floor);
      return new JobResult.Metric("mae_eur", mae);
    }
    // R2 = 1 - mean squared error / variance, both of the held-out rows.
    double[] y = validation.y().toDoubles();
    double mean = Arrays.stream(y).average().orElse(Double.NaN);
    double variance =
        Arrays.stream(y).map(v -> (v - mean) * (v - mean)).average().orElse(Double.NaN);
    double r2 = 1 - history.last().validationLoss() / variance;
    report.printf(Locale.ROOT, "R2 on held-out rows: %.4f.%n", r2);
    return new JobResult.Metric("r2", r2);
  }

  private Map<String, Object> config(JobOptions o, Recipe r, PriceTask task) {
    Map<String, Object> c = o.config(this);
    c.put("features", task.encoder().featureNames());
    c.put("rows", task.table().rows());
    c.put("held_out", PriceTask.HELD_OUT);
    c.put("epochs", r.epochs());
    c.put("batch_size", r.batch());
    c.put("lr", r.lr());
    c.put("optimizer", r.optimizer());
    c.put("schedule", r.schedule());
    return c;
  }
}

package dev.downhill.jobs.digits;

import dev.downhill.data.Dataset;
import dev.downhill.explain.ConfusionMatrix;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Accuracy;
import dev.downhill.train.History;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A network learns to read digits: drawn ones, or the handwritten ones of MNIST. It shows what it
 * confuses, its worst mistakes, how the gradients of a few weights calm down, and, if asked to, one
 * picture on its way through the network.
 */
public final class Digits implements Job {
  @Override
  public String name() {
    return "digits";
  }

  @Override
  public String about() {
    return "which digit a picture shows: drawn ones, or MNIST's";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(
        JobOption.DATA,
        JobOption.MODEL,
        JobOption.EPOCHS,
        JobOption.BATCH_SIZE,
        JobOption.LR,
        JobOption.STEPS,
        JobOption.WALK);
  }

  @Override
  public boolean resumes() {
    return true;
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder =
        new RunFolder(o.out(), "confusion.png", "mistakes.png", "gradients.png", "walk.png");
    int steps = o.count(JobOption.STEPS, Integer.MAX_VALUE);
    DigitRecipe recipe = DigitRecipe.of(o);
    DigitData data = DigitData.of(o, 1);
    int walk = o.count(JobOption.WALK, 0);
    if (walk > data.test().size()) {
      throw new IllegalArgumentException(
          "--walk: expected a held-out example, 1 to %s, got %s"
              .formatted(data.test().size(), walk));
    }
    try (Dataset train = data.train().classes(o.device());
        Dataset test = data.test().classes(o.device());
        Sequential model = recipe.model(o.device());
        AdamW adam = new AdamW(model.parameters(), recipe.lr())) {
      long stepsPerEpoch = Math.ceilDiv(train.size(), recipe.batch());
      report.printf(
          Locale.ROOT,
          "%s on %s (%s), seed %d%n%,d digits %s to learn from, %,d held out. Network: %s.%n"
              + "%d epochs of %d steps with adamw, rate %s, falling to 0.%n",
          name(),
          o.device(),
          o.device().describe(),
          o.seed(),
          train.size(),
          data.origin(),
          test.size(),
          recipe.network().text,
          recipe.epochs(),
          stepsPerEpoch,
          recipe.lr());
      report.flush();
      Trainer trainer =
          new Trainer(
              model,
              adam,
              new Scheduler(adam, Schedule.cosine(recipe.epochs() * stepsPerEpoch, 0)),
              Loss::crossEntropy,
              Accuracy::ofClasses,
              Trainer.Options.DEFAULTS
                  .withEpochs(recipe.epochs())
                  .withBatchSize(recipe.batch())
                  .withSteps(steps)
                  .withSeed(o.seed()));
      if (o.resume()) {
        trainer.resume(folder.state());
      } else {
        folder.clear();
      }
      folder.config(config(o, recipe, data));
      Tensor firstLayer = model.parameters().get(0);
      GradientTrace gradients = new GradientTrace(firstLayer, recipe.middle(), progress);
      History history = trainer.checkpoint(folder.state()).fit(train, test, gradients);

      folder.metrics(history, "cross-entropy", "accuracy", 1, "Learning curve of " + name());
      folder.model(model.state(), Map.of("job", name(), "format", "1"));
      Answers answers = Answers.of(model, data.test(), test);
      conclude(answers, history, report);
      folder.picture("confusion.png", answers.confusion().png("Digits it confuses"));
      folder.picture("mistakes.png", answers.gallery());
      if (!gradients.isEmpty()) {
        folder.picture("gradients.png", gradients.plot());
        report.printf(
            Locale.ROOT,
            "Gradients of %d first-layer weights: %.1e on average in the first tenth of the steps,"
                + " %.1e in the last.%n",
            GradientTrace.WEIGHTS,
            gradients.mean(0, 0.1),
            gradients.mean(0.9, 1));
      }
      if (walk > 0) {
        folder.picture("walk.png", new Walk(model, data.test(), walk).tell(report));
      }
      report.printf("Run folder: %s%n", o.out());
      History.Epoch last = history.last();
      return JobResult.of(
          this,
          o,
          history,
          new JobResult.Metric("accuracy", last.metric()),
          last.step() * (double) train.size() / stepsPerEpoch);
    }
  }

  private static void conclude(Answers answers, History history, PrintStream report) {
    List<Integer> mistakes = answers.mistakes();
    report.printf(
        Locale.ROOT,
        "%nTrained. It reads %.2f %% of %,d held-out digits; mistakes: %,d.%n",
        100 * history.last().metric(),
        answers.size(),
        mistakes.size());
    if (!mistakes.isEmpty()) {
      ConfusionMatrix.Confusion worst = answers.confusion().worst();
      int i = mistakes.getFirst();
      report.printf(
          Locale.ROOT,
          "The most frequent: a %d taken for a %d, %d times. The worst: %s;"
              + " --walk %d shows how.%n",
          worst.truth(),
          worst.answer(),
          worst.count(),
          answers.text(i),
          i + 1);
    }
  }

  private Map<String, Object> config(JobOptions o, DigitRecipe r, DigitData data) {
    Map<String, Object> c = o.config(this);
    c.put("examples", data.train().size());
    c.put("held_out", data.test().size());
    c.put("epochs", r.epochs());
    c.put("batch_size", r.batch());
    c.put("lr", r.lr());
    return c;
  }
}

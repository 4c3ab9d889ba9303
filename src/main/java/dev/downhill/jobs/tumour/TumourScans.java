package dev.downhill.jobs.tumour;

import dev.downhill.data.Dataset;
import dev.downhill.data.Scans;
import dev.downhill.explain.Saliency;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.nn.AdaptiveMaxPool2d;
import dev.downhill.nn.Conv;
import dev.downhill.nn.Conv2d;
import dev.downhill.nn.Flatten;
import dev.downhill.nn.Linear;
import dev.downhill.nn.MaxPool2d;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.train.Accuracy;
import dev.downhill.train.History;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The {@link Tumour} job on scans: train, count what is found, and ask where the network looked.
 */
final class TumourScans {
  private static final int TRAINING = 8000;
  private static final int HELD_OUT = 1000;
  private static final int BATCH = 32;
  private static final int LOOKED_AT = 250;
  private static final int DRAWN = 6;

  private final Tumour job;
  private final JobOptions o;

  TumourScans(Tumour job, JobOptions o) {
    if (o.text(JobOption.TARGET) != null) {
      throw new IllegalArgumentException(
          "--target: expected it together with --data FILE.csv, got '%s'"
              .formatted(o.text(JobOption.TARGET)));
    }
    this.job = job;
    this.o = o;
  }

  /**
   * The largest answer of any place counts, as a tumour anywhere makes a patient ill: the last
   * pooling takes the maximum, so that the gradient leads back to that place.
   */
  static Sequential network() {
    Conv.Options same = Conv.Options.DEFAULT.withPadding(1);
    return new Sequential(
        new Conv2d(1, 8, 3, same),
        new Relu(),
        new MaxPool2d(2),
        new Conv2d(8, 16, 3, same),
        new Relu(),
        new MaxPool2d(2),
        new Conv2d(16, 32, 3, same),
        new Relu(),
        new Conv2d(32, 32, 3, same),
        new Relu(),
        new AdaptiveMaxPool2d(1),
        new Flatten(),
        new Linear(32, 1));
  }

  JobResult run(PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out(), "tumour.png");
    int epochs = o.count(JobOption.EPOCHS, 10);
    int steps = o.count(JobOption.STEPS, Integer.MAX_VALUE);
    double rate = o.rate(2e-3);
    // A run that is cut short is tested on fewer scans, so that the test is no longer than the run.
    int held = Math.clamp(16L * steps, 100, HELD_OUT);
    List<Scans.Scan> scans = Scans.draw(TRAINING + held, o.seed());
    List<Scans.Scan> unseen = scans.subList(TRAINING, scans.size());
    List<Scans.Scan> ill = unseen.stream().filter(Scans.Scan::isIll).limit(LOOKED_AT).toList();
    try (Dataset train = Scans.dataset(o.device(), scans.subList(0, TRAINING));
        Dataset heldOut = Scans.dataset(o.device(), unseen);
        Dataset looked = Scans.dataset(o.device(), ill);
        Sequential model = network().on(o.device(), o.seed());
        Adam adam = new Adam(model.parameters(), rate)) {
      report.printf(
          Locale.ROOT,
          "%s on %s (%s), seed %d%n%,d scans of %d x %d pixels to learn from, %,d held out. All"
              + " have two to four spots; in half of them one is a tumour: solid, with an uneven"
              + " sharp border. Cysts are rings, swellings fade out: they are harmless.%n",
          job.name(),
          o.device(),
          o.device().describe(),
          o.seed(),
          TRAINING,
          Scans.SIDE,
          Scans.SIDE,
          held);
      report.flush();
      List<Saliency> before = Saliency.of(model, looked.x());
      long all = (long) epochs * Math.ceilDiv(TRAINING, BATCH);
      Trainer trainer =
          new Trainer(
              model,
              adam,
              new Scheduler(adam, Schedule.cosine(all, 0)),
              Loss::bceWithLogits,
              Accuracy::ofLogits,
              Trainer.Options.DEFAULTS
                  .withEpochs(epochs)
                  .withBatchSize(BATCH)
                  .withSteps(steps)
                  .withSeed(o.seed()));
      folder.clear();
      Map<String, Object> config = o.config(job);
      config.put("epochs", epochs);
      config.put("lr", rate);
      folder.config(config);
      History history = trainer.fit(train, heldOut, progress);
      folder.metrics(history, "cross-entropy", "accuracy", 1, "Learning curve of " + job.name());
      folder.model(model.state(), Map.of("job", job.name(), "format", "1"));

      TumourReport.answers(unseen, logits(model, heldOut), report);
      List<Saliency> after = Saliency.of(model, looked.x());
      TumourReport.places(ill, before, after, report);
      TumourPictures pictures = new TumourPictures();
      double[] logits = logits(model, looked);
      for (int i = 0; i < Math.min(DRAWN, logits.length); i++) {
        pictures.add(ill.get(i), logits[i], after.get(i));
      }
      folder.picture("tumour.png", pictures.png());
      report.printf("Run folder: %s%n", o.out());
      History.Epoch last = history.last();
      return JobResult.of(
          job,
          o,
          history,
          new JobResult.Metric("accuracy", last.metric()),
          last.step() * (double) BATCH);
    }
  }

  private static double[] logits(Sequential model, Dataset data) {
    try (Scope _ = Scope.open();
        Autograd.Mode _ = Autograd.noGrad()) {
      return model.forward(data.x()).toDoubles();
    }
  }
}

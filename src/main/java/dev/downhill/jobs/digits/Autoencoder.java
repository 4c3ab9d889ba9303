package dev.downhill.jobs.digits;

import dev.downhill.data.Dataset;
import dev.downhill.data.DigitImages;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.History;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Learning without answers: a network squeezes digits through 2 numbers and has to draw them again.
 * Nobody tells it which digit is which, and yet the 2 numbers come to say it.
 */
public final class Autoencoder implements Job {
  // Two numbers cannot tell where a digit lies, how it is turned, and which one it is.
  private static final double SPREAD = 0.25;

  @Override
  public String name() {
    return "autoencoder";
  }

  @Override
  public String about() {
    return "digits squeezed through 2 numbers and back, without labels";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(
        JobOption.DATA, JobOption.EPOCHS, JobOption.BATCH_SIZE, JobOption.LR, JobOption.STEPS);
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out(), "plane.png", "map.png", "pairs.png");
    int steps = o.count(JobOption.STEPS, Integer.MAX_VALUE);
    int epochs = o.count(JobOption.EPOCHS, 40);
    double rate = o.rate(1e-3);
    DigitData data = DigitData.of(o, SPREAD);
    int batch = o.count(JobOption.BATCH_SIZE, 128);
    try (Dataset train = data.train().mirrored(o.device());
        Dataset test = data.test().mirrored(o.device());
        Bottleneck network = new Bottleneck(o.device(), o.seed());
        AdamW adam = new AdamW(network.model().parameters(), rate)) {
      long stepsPerEpoch = Math.ceilDiv(train.size(), batch);
      report.printf(
          Locale.ROOT,
          "%s on %s (%s), seed %d%n%,d digits %s, without their labels; %,d held out. Network:"
              + " 784 -> 256 -> 64 -> 2 -> 64 -> 256 -> 784.%n"
              + "%d epochs of %d steps with adamw, rate %s, falling to 0.%n",
          name(),
          o.device(),
          o.device().describe(),
          o.seed(),
          train.size(),
          data.origin(),
          test.size(),
          epochs,
          stepsPerEpoch,
          rate);
      report.flush();
      Trainer trainer =
          new Trainer(
              network.model(),
              adam,
              new Scheduler(adam, Schedule.cosine(epochs * stepsPerEpoch, 0)),
              Loss::mse,
              Loss::mse,
              Trainer.Options.DEFAULTS
                  .withEpochs(epochs)
                  .withBatchSize(batch)
                  .withSteps(steps)
                  .withSeed(o.seed()));
      folder.clear();
      folder.config(config(o, epochs, batch, rate, data));
      History history = trainer.fit(train, test, progress);

      folder.metrics(history, "mean squared error", "error", 1, "Learning curve of " + name());
      folder.model(network.model().state(), Map.of("job", name(), "format", "1"));
      float[] known = network.codes(train);
      float[] codes = network.codes(test);
      folder.picture("plane.png", Bottleneck.plane(codes, data.test()));
      folder.picture("map.png", network.map(known));
      folder.picture("pairs.png", network.pairs(data.test()));
      History.Epoch last = history.last();
      report.printf(
          Locale.ROOT,
          "%nTrained. Squared error per pixel on held-out digits: %.4f; who always draws the mean"
              + " picture has %.4f.%n",
          last.metric(),
          meanPictureError(train, test));
      NearestNeighbours neighbours =
          new NearestNeighbours(known, data.train().labels(), DigitImages.CLASSES);
      report.printf(
          Locale.ROOT,
          "Do the 2 numbers know the digit? The %d nearest neighbours in the plane name it for"
              + " %.1f %% of the held-out ones; guessing gets %.0f %%.%n",
          NearestNeighbours.ASKED,
          100 * neighbours.accuracy(codes, data.test().labels()),
          100.0 / DigitImages.CLASSES);
      report.printf("Run folder: %s%n", o.out());
      return JobResult.of(
          this,
          o,
          history,
          new JobResult.Metric("error", last.metric()),
          last.step() * (double) train.size() / stepsPerEpoch);
    }
  }

  private static double meanPictureError(Dataset train, Dataset test) {
    try (Tensor mean = train.x().mean(new int[] {0}, true);
        Tensor difference = test.x().sub(mean);
        Tensor square = difference.square();
        Tensor error = square.mean()) {
      return error.item();
    }
  }

  private Map<String, Object> config(
      JobOptions o, int epochs, int batch, double rate, DigitData data) {
    Map<String, Object> c = o.config(this);
    c.put("examples", data.train().size());
    c.put("held_out", data.test().size());
    c.put("epochs", epochs);
    c.put("batch_size", batch);
    c.put("lr", rate);
    return c;
  }
}

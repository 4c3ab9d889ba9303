package dev.downhill.jobs.tumour;

import static java.util.Objects.requireNonNull;

import dev.downhill.data.Dataset;
import dev.downhill.data.Encoder;
import dev.downhill.data.Split;
import dev.downhill.explain.TextTable;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.Optimizer;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Accuracy;
import dev.downhill.train.Auroc;
import dev.downhill.train.History;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The {@link Tumour} job on a table: ten networks, each tested on the tenth of the rows that it has
 * not seen. What turns columns into numbers is learned from the other nine tenths, too.
 */
final class CrossValidation {
  private static final int FOLDS = 10;
  private static final int BATCH = 32;

  private final Tumour job;
  private final JobOptions o;
  private final TwoClasses data;
  private final int epochs;
  private final double rate;
  private final double[] logits;

  CrossValidation(Tumour job, JobOptions o) {
    this.job = job;
    this.o = o;
    data = TwoClasses.read(requireNonNull(o.data()), o.text(JobOption.TARGET), FOLDS);
    epochs = o.count(JobOption.EPOCHS, 20);
    rate = o.rate(2e-3);
    logits = new double[data.labels().size()];
  }

  JobResult run(PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out(), "held-out.csv");
    report.printf(
        Locale.ROOT,
        "%s on %s (%s), seed %d%n%,d rows: %,d %s, %,d %s. %d times, a network learns from nine"
            + " tenths of them and is tested on the others.%n",
        job.name(),
        o.device(),
        o.device().describe(),
        o.seed(),
        logits.length,
        data.count(0),
        data.names().get(0),
        data.count(1),
        data.names().get(1),
        FOLDS);
    report.flush();
    int[] labels = data.labels().stream().mapToInt(l -> l).toArray();
    List<Split> folds = Split.folds(labels, FOLDS, o.seed());
    List<History> histories = new ArrayList<>();
    TextTable table = new TextTable("fold", "rows", "loss", "told right");
    for (Split fold : folds) {
      History h = train(fold, progress);
      histories.add(h);
      table.row(
          Integer.toString(histories.size()),
          Integer.toString(fold.validation().length),
          String.format(Locale.ROOT, "%.4f", h.last().validationLoss()),
          percent(h.last().metric()));
    }
    double mean = histories.stream().mapToDouble(h -> h.last().metric()).average().orElseThrow();
    double spread =
        Math.sqrt(
            histories.stream()
                .mapToDouble(h -> (h.last().metric() - mean) * (h.last().metric() - mean))
                .average()
                .orElseThrow());
    boolean[] truth = new boolean[labels.length];
    for (int r = 0; r < truth.length; r++) {
      truth[r] = labels[r] == 1;
    }
    report.printf("%n%s%n", table);
    report.printf(
        Locale.ROOT,
        "Told right, mean over the folds: %s, give or take %s from one fold to the next. AUROC of"
            + " all rows: %.4f (0.5 is guessing).%n%n%s%nRun folder: %s%n",
        percent(mean),
        percent(spread),
        Auroc.of(logits, truth),
        Confusion.of(logits, truth).table(data.names().get(0), data.names().get(1)),
        o.out());

    folder.clear();
    Map<String, Object> config = o.config(job);
    config.put("epochs", epochs);
    config.put("lr", rate);
    config.put("target", data.target());
    folder.config(config);
    folder.write("held-out.csv", heldOut(folds));
    long steps = histories.stream().mapToLong(h -> h.last().step()).sum();
    double seconds = histories.stream().mapToDouble(h -> h.last().seconds()).sum();
    return new JobResult(
        job.name(),
        o.device().name(),
        steps,
        epochs,
        histories.getFirst().lossFirst(),
        histories.getLast().last().loss(),
        new JobResult.Metric("accuracy", mean),
        seconds,
        steps * (double) BATCH / seconds,
        o.out());
  }

  /** Trains a network on one part of the rows, and notes its answers for the other. */
  private History train(Split fold, Trainer.Listener progress) {
    Encoder encoder = Encoder.fit(data.table(), data.target(), fold.train());
    try (Dataset train = dataset(encoder, fold.train());
        Dataset test = dataset(encoder, fold.validation());
        Sequential model =
            new Sequential(new Linear(encoder.width(), 16), new Relu(), new Linear(16, 1))
                .on(o.device(), o.seed());
        Optimizer adam =
            new AdamW(model.parameters(), Adam.Options.DEFAULT.withLr(rate).withWeightDecay(0.1))) {
      Trainer.Options options =
          Trainer.Options.DEFAULTS
              .withEpochs(epochs)
              .withBatchSize(BATCH)
              .withSteps(o.count(JobOption.STEPS, Integer.MAX_VALUE))
              .withSeed(o.seed());
      History history =
          new Trainer(model, adam, null, Loss::bceWithLogits, Accuracy::ofLogits, options)
              .fit(train, test, progress);
      try (Scope _ = Scope.open();
          Autograd.Mode _ = Autograd.noGrad()) {
        double[] answers = model.forward(test.x()).toDoubles();
        int[] rows = fold.validation();
        for (int i = 0; i < rows.length; i++) {
          logits[rows[i]] = answers[i];
        }
      }
      return history;
    }
  }

  private Dataset dataset(Encoder encoder, int[] rows) {
    float[] labels = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      labels[i] = data.labels().get(rows[i]);
    }
    return new Dataset(
        Tensor.of(o.device(), encoder.encode(data.table(), rows), rows.length, encoder.width()),
        Tensor.of(o.device(), labels, rows.length, 1));
  }

  /** Every row with the answer of the network that had not seen it. */
  private String heldOut(List<Split> folds) {
    StringBuilder csv = new StringBuilder("row,fold,class,logit\n");
    for (int f = 0; f < folds.size(); f++) {
      for (int row : folds.get(f).validation()) {
        String name = data.names().get(data.labels().get(row));
        csv.append(row + 1).append(',').append(f + 1).append(',');
        csv.append(name).append(',').append(logits[row]).append('\n');
      }
    }
    return csv.toString();
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }
}

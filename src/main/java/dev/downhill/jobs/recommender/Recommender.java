package dev.downhill.jobs.recommender;

import dev.downhill.data.Dataset;
import dev.downhill.data.Films;
import dev.downhill.explain.TextTable;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.optim.Adam;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.tensor.Loss;
import dev.downhill.train.History;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Who likes what: every user and every item gets a bias and a vector, found from nothing but
 * ratings. Then one thumbs-down, and what it does to the two vectors and all around them.
 */
public final class Recommender implements Job {
  private static final int DIM = 8;
  private static final int BATCH = 4096;

  // 360,000 film ratings come within 4 % of their noise; small files need more epochs for it.
  private static final long STEPS = 880;

  // The pull of weights towards 0, as if each had been seen to be 0 a few times. Without it the
  // vectors of users with few ratings would fit the noise.
  private static final double PULL = 11;

  @Override
  public String name() {
    return "recommender";
  }

  @Override
  public String about() {
    return "who likes what, as a vector for each user and item; what one thumbs-down does to them";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(
        JobOption.DATA, JobOption.EPOCHS, JobOption.BATCH_SIZE, JobOption.LR, JobOption.STEPS);
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out(), ThumbsDown.PICTURE);
    RatingTask task = RatingTask.of(o);
    int examples = task.split().train().length;
    int ownChoice = Math.clamp(examples / 50, 64, BATCH);
    int batch = Math.min(examples, o.count(JobOption.BATCH_SIZE, ownChoice));
    long perEpoch = Math.ceilDiv(examples, batch);
    int epochs = o.count(JobOption.EPOCHS, (int) Math.max(10, STEPS / perEpoch));
    double rate = o.rate(0.02);
    try (Dataset train = task.train(o.device());
        Dataset validation = task.validation(o.device());
        RatingModel model = new RatingModel(task.users(), task.items(), DIM)) {
      model.on(o.device(), o.seed());
      report.printf(
          Locale.ROOT,
          "%s on %s (%s), seed %d%n%,d ratings of %,d items by %,d users: %,d to learn from, %,d"
              + " held out.%nA bias and a vector of %d numbers for each user and each item: %,d"
              + " weights.%n",
          name(),
          o.device(),
          o.device().describe(),
          o.seed(),
          task.ratings().size(),
          task.items(),
          task.users(),
          train.size(),
          validation.size(),
          DIM,
          (DIM + 1L) * (task.users() + task.items()));
      report.printf(
          Locale.ROOT,
          "%nLearn: %d epochs of %d steps with adam, rate %s falling to 0.%n",
          epochs,
          perEpoch,
          rate);
      report.flush();
      Trainer.Options options =
          Trainer.Options.DEFAULTS
              .withEpochs(epochs)
              .withBatchSize(batch)
              .withSteps(o.count(JobOption.STEPS, Integer.MAX_VALUE))
              .withSeed(o.seed());
      History history;
      try (Adam adam =
          new Adam(
              model.parameters(),
              Adam.Options.DEFAULT.withLr(rate).withWeightDecay(PULL / examples))) {
        Scheduler scheduler = new Scheduler(adam, Schedule.cosine(epochs * perEpoch, 0));
        history =
            new Trainer(model, adam, scheduler, Loss::mse, Loss::l1, options)
                .fit(train, validation, progress);
      }

      folder.clear();
      folder.config(config(o, epochs, batch, rate));
      folder.metrics(
          history,
          "mean squared error, of ratings with spread 1",
          "mae",
          task.scale().std(),
          "Learning curve of " + name());
      folder.model(
          model.state(),
          Map.of(
              "job", name(),
              "format", "1",
              "rating_mean", Double.toString(task.scale().mean()),
              "rating_std", Double.toString(task.scale().std())));

      double rmse = Math.sqrt(history.last().validationLoss()) * task.scale().std();
      judge(task, rmse, report);
      Tastes tastes = model.tastes(task.scale());
      if (task.films() != null) {
        lookAtGenres(task.films(), tastes, report);
      }
      ThumbsDown thumbsDown = ThumbsDown.give(model, task, tastes);
      thumbsDown.explain(report);
      folder.picture(ThumbsDown.PICTURE, thumbsDown.plots());
      report.printf("Run folder: %s%n", o.out());
      History.Epoch last = history.last();
      return JobResult.of(
          this,
          o,
          history,
          new JobResult.Metric("rmse", rmse),
          last.step() * (double) examples / perEpoch);
    }
  }

  private static void judge(RatingTask task, double rmse, PrintStream report) {
    TextTable table =
        new TextTable("who answers", "error")
            .row("always the mean of all ratings", error(task.errorOfTheMean()))
            .row("the item's mean rating", error(task.errorOfItemMeans()))
            .row("this network", error(rmse));
    Films films = task.films();
    double floor = films == null ? 0 : films.noiseFloor(task.split().validation());
    if (films != null) {
      table.row("who knows everything but the noise", error(floor));
    }
    report.printf("%nJudge. The root of the mean squared error on held-out ratings:%n%s", table);
    if (films != null) {
      report.printf(
          Locale.ROOT,
          "  Nobody can beat the noise: the network is at %.3f times that floor.%n",
          rmse / floor);
    }
  }

  private static String error(double rmse) {
    return String.format(Locale.ROOT, "%.4f", rmse);
  }

  private static void lookAtGenres(Films films, Tastes tastes, PrintStream report) {
    double same =
        IntStream.range(0, films.ratings().items().size())
            .flatMap(
                i ->
                    IntStream.of(tastes.neighbours(i, 5))
                        .map(j -> films.genre(i) == films.genre(j) ? 1 : 0))
            .average()
            .orElseThrow();
    report.printf(
        Locale.ROOT,
        "%nLook. Nobody told the network the genres, but of the 5 films nearest to a film %.0f %%"
            + " are of its genre; by chance%nit would be %.0f %%.%n",
        100 * same,
        100.0 / Films.GENRES.size());
  }

  private Map<String, Object> config(JobOptions o, int epochs, int batch, double rate) {
    Map<String, Object> c = o.config(this);
    c.put("held_out", RatingTask.HELD_OUT);
    c.put("dim", DIM);
    c.put("epochs", epochs);
    c.put("batch_size", batch);
    c.put("lr", rate);
    return c;
  }
}

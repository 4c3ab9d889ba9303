package dev.downhill.jobs.language;

import dev.downhill.data.Dataset;
import dev.downhill.jobs.Job;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.jobs.RunFolder;
import dev.downhill.optim.Optimizer;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Accuracy;
import dev.downhill.train.History;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Map;
import java.util.Set;

/**
 * A small GPT learns to write: it predicts the next character, or the next of GPT-2's byte pairs,
 * of a text, and then goes on with a text by predicting again and again.
 */
public final class Language implements Job {
  static final String NAME = "language";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String about() {
    return "a small GPT that learns to write like a text, character by character";
  }

  @Override
  public Set<JobOption> takes() {
    return Set.of(
        JobOption.DATA,
        JobOption.TOKENIZER,
        JobOption.BATCH_SIZE,
        JobOption.ACCUMULATE,
        JobOption.LR,
        JobOption.STEPS);
  }

  @Override
  public boolean resumes() {
    return true;
  }

  @Override
  public JobResult run(JobOptions o, PrintStream report, Trainer.Listener progress) {
    RunFolder folder = new RunFolder(o.out());
    LanguageRecipe recipe = LanguageRecipe.of(o);
    int context = recipe.sizes().context();
    Corpus corpus = new Corpus(o, context);
    try (Dataset train = corpus.trainingSet(o.device());
        Dataset validation = corpus.validationSet(o.device());
        LanguageModel model =
            new LanguageModel(corpus.tokenizer(), recipe.sizes(), o.device(), o.seed());
        Optimizer adamW = recipe.optimizer(model.network().parameters())) {
      LanguageReport words = new LanguageReport(corpus, model, o, report);
      words.begin(recipe, recipe.perStep(train.size()));
      Trainer trainer =
          new Trainer(
              model.network(),
              adamW,
              recipe.scheduler(adamW),
              Language::loss,
              Accuracy::ofClasses,
              recipe.options(train.size(), o.seed()));
      if (o.resume()) {
        trainer.resume(folder.state());
      } else {
        folder.clear();
      }
      folder.config(config(o, recipe));
      History history =
          trainer.checkpoint(folder.state()).fit(train, validation, words.listener(progress));

      folder.metrics(
          history,
          "nats a " + corpus.tokenizer().unit(),
          "accuracy",
          1,
          "Learning curve of " + NAME);
      folder.model(model.network().state(), model.metadata());
      words.end(history);
      History.Epoch last = history.last();
      double tokens = (double) last.step() * recipe.perStep(train.size()) * context;
      return JobResult.of(
          this, o, history, new JobResult.Metric("loss", last.validationLoss()), tokens);
    }
  }

  /** The mean cross-entropy, in nats a token: scores (N, T, vocabulary), next (N, T). */
  static Tensor loss(Tensor scores, Tensor next) {
    return Loss.crossEntropy(scores.reshape(-1, scores.size(2)), next.reshape(-1));
  }

  private Map<String, Object> config(JobOptions o, LanguageRecipe r) {
    Map<String, Object> c = o.config(this);
    c.put("context", r.sizes().context());
    c.put("width", r.sizes().width());
    c.put("layers", r.sizes().layers());
    c.put("heads", r.sizes().heads());
    c.put("held_out", Corpus.HELD_OUT);
    c.put("steps", r.steps());
    c.put("batch_size", r.batch());
    c.put("accumulate", r.accumulate());
    c.put("lr", r.rate());
    return c;
  }
}

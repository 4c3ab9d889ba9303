package dev.downhill.jobs.language;

import dev.downhill.data.Primer;
import dev.downhill.data.Tokenizer;
import dev.downhill.explain.TextTable;
import dev.downhill.jobs.JobOptions;
import dev.downhill.train.History;
import dev.downhill.train.Progress;
import dev.downhill.train.Trainer;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What a {@link Language} run tells a person. */
final class LanguageReport {
  private static final Sampling LIKELIEST = new Sampling(0, 0);
  private static final Sampling LIVELY = new Sampling(0.8, 0);
  private static final int PROMPT = 12;
  private static final int SAMPLE = 40;
  private static final int LAST_SAMPLE = 160;

  /** What the generated text can teach to answer. */
  private static final List<String> QUESTIONS =
      List.of("the owl says", "after sunday comes", "three plus four is", "five plus five is");

  private final Corpus corpus;
  private final LanguageModel model;
  private final JobOptions options;
  private final PrintStream report;
  private final Tokenizer tokenizer;
  private final String prompt;
  private final TextTable epochs;

  LanguageReport(Corpus corpus, LanguageModel model, JobOptions options, PrintStream report) {
    this.corpus = corpus;
    this.model = model;
    this.options = options;
    this.report = report;
    tokenizer = corpus.tokenizer();
    prompt = tokenizer.decode(Arrays.copyOf(corpus.validation(), PROMPT));
    epochs =
        new TextTable(
            "step",
            "loss",
            "held out",
            "guessed",
            "goes on with \"%s\" by".formatted(line(prompt)));
  }

  private static String line(String text) {
    return text.replace("\n", "/").replace("\r", "").replace("\t", " ");
  }

  /**
   * The text and the network.
   *
   * @param examples how many a step sees
   */
  void begin(LanguageRecipe recipe, long examples) {
    String unit = tokenizer.unit();
    report.printf(
        Locale.ROOT,
        "%s on %s (%s), seed %d%n",
        Language.NAME,
        options.device(),
        options.device().describe(),
        options.seed());
    report.printf(
        Locale.ROOT,
        "%s: %,d %ss to learn from, the last %,d held out; %,d different ones.%n",
        corpus.source(),
        corpus.train().length,
        unit,
        corpus.validation().length,
        tokenizer.size());
    report.printf(
        Locale.ROOT,
        "Network: %d layers of %d features and %d heads, %,d weights, that see %d %ss at most.%n",
        recipe.sizes().layers(),
        recipe.sizes().width(),
        recipe.sizes().heads(),
        model.parameters(),
        recipe.sizes().context(),
        unit);
    report.printf(
        Locale.ROOT,
        "%,d steps of AdamW on %d x %d %ss, with a rate that rises to %s and falls again.%n",
        recipe.steps(),
        examples,
        recipe.sizes().context(),
        unit,
        recipe.rate());
    report.flush();
  }

  /** Notes after each epoch what the network writes by then. */
  Trainer.Listener listener(Trainer.Listener progress) {
    return new Trainer.Listener() {
      @Override
      public int every() {
        return progress.every();
      }

      @Override
      public void progress(Progress p) {
        progress.progress(p);
      }

      @Override
      public void epoch(History.Epoch e) {
        progress.epoch(e);
        epochs.row(
            String.format(Locale.ROOT, "%,d", e.step()),
            String.format(Locale.ROOT, "%.3f", e.loss()),
            String.format(Locale.ROOT, "%.3f", e.validationLoss()),
            String.format(Locale.ROOT, "%.1f %%", 100 * e.metric()),
            line(model.goOn(prompt, SAMPLE, LIVELY, options.seed())));
      }
    };
  }

  /** How well it went. */
  void end(History history) {
    String unit = tokenizer.unit();
    double loss = history.last().validationLoss();
    double bits = loss / corpus.charactersPerToken() / StrictMath.log(2);
    report.printf("%n%s", epochs);
    report.printf(
        Locale.ROOT,
        "%nUntrained, every %s is about as likely as any other: loss %.3f, and ln %d is %.3f.%n",
        unit,
        history.lossFirst(),
        tokenizer.size(),
        StrictMath.log(tokenizer.size()));
    report.printf(
        Locale.ROOT,
        "Trained, the loss on the held-out text is %.4f nats a %s, a perplexity of %.2f: as unsure"
            + " as of %.2f equally likely ones. That is %.3f bits a character.%n",
        loss,
        unit,
        StrictMath.exp(loss),
        StrictMath.exp(loss),
        bits);
    if (corpus.generated()) {
      compare(bits * StrictMath.log(2));
    }
    report.printf(Locale.ROOT, "%nGoing on with \"%s\":%n%n", line(prompt));
    report.println(prompt + model.goOn(prompt, LAST_SAMPLE, LIVELY, options.seed()));
    report.printf(Locale.ROOT, "%nRun folder: %s%n", options.out());
    report.printf(Locale.ROOT, "More: ./downhill generate %s --prompt \"...\"%n", options.out());
  }

  /** The generated text has a known entropy, and questions with known answers. */
  private void compare(double loss) {
    double floor = Primer.entropy();
    report.printf(
        Locale.ROOT,
        "Nobody can be below %.4f nats a character, the entropy of these sentences: the network is"
            + " at %.2f times that.%n%nAsked:%n",
        floor,
        loss / floor);
    for (String question : QUESTIONS) {
      String answer = model.goOn(question, 10, LIKELIEST, 0);
      report.printf(Locale.ROOT, "  %s%s%n", question, answer.lines().findFirst().orElse(""));
    }
  }
}

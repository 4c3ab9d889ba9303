package dev.downhill.jobs;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An option that some jobs take; which ones, {@link Job#takes} tells. */
public enum JobOption {
  DATA(Kind.TEXT, "PATH", "A file or folder of your own."),
  TARGET(Kind.TEXT, "COLUMN", "The column of the data to predict."),
  MODEL(Kind.TEXT, "NAME", "Which network."),
  TOKENIZER(Kind.TEXT, "DIR", "A folder with GPT-2's encoder.json and vocab.bpe."),
  CURVE(
      Kind.TEXT,
      "FORMULA",
      "A curve such as \"x^4 - 3x^2 + x\", or the name of one; a wrong name lists them."),
  START(Kind.NUMBER, "X", "Where a walk down a curve starts."),
  EPOCHS(Kind.COUNT, "N", "How often all examples are seen."),
  BATCH_SIZE(Kind.COUNT, "N", "Examples a batch."),
  ACCUMULATE(Kind.COUNT, "N", "Batches whose gradients are added up before a step."),
  LR(Kind.RATE, "X", "The learning rate."),
  OPTIMIZER(
      List.of("sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad"), "How weights are nudged."),
  SCHEDULE(List.of("constant", "cosine", "step", "exponential", "linear"), "How the rate changes."),
  STEPS(Kind.COUNT, "N", "Stop after so many steps."),
  WALK(Kind.COUNT, "N", "Walk held-out example N through the trained network.");

  private enum Kind {
    TEXT,
    COUNT,
    RATE,
    NUMBER
  }

  /** The highest learning rate that is accepted. */
  public static final double HIGHEST_RATE = 1e6;

  private static final double HIGHEST_NUMBER = 1e6;

  private final Kind kind;
  private final List<String> choices;
  private final String label;
  private final String description;

  JobOption(Kind kind, String label, String description) {
    this(kind, List.of(), label, description);
  }

  JobOption(List<String> choices, String description) {
    this(Kind.TEXT, choices, "NAME", description);
  }

  JobOption(Kind kind, List<String> choices, String label, String description) {
    this.kind = kind;
    this.choices = choices;
    this.label = label;
    this.description = description;
  }

  /** The name on the command line, such as {@code --batch-size}. */
  public String flag() {
    return "--" + name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The name in {@code config.json}, such as {@code batch_size}. */
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What stands for the value in the help. */
  public String label() {
    return label;
  }

  /** What it is for, in one sentence, with the values there are. */
  public String description() {
    return choices.isEmpty()
        ? description
        : description.substring(0, description.length() - 1)
            + ": "
            + String.join(", ", choices)
            + ".";
  }

  /** What is wrong with a value, or null. */
  @Nullable String problem(String value) {
    String expected =
        switch (kind) {
          case COUNT -> isCount(value) ? null : "a whole number of 1 or more";
          case NUMBER -> isNumber(value) ? null : "a number from -1000000 to 1000000";
          case RATE -> isRate(value) ? null : "a number above 0, at most 1000000";
          case TEXT -> {
            if (!choices.isEmpty()) {
              yield choices.contains(value) ? null : "one of " + String.join(", ", choices);
            }
            yield value.isBlank() ? label : null;
          }
        };
    return expected == null ? null : "%s: expected %s, got '%s'".formatted(flag(), expected, value);
  }

  private static boolean isCount(String value) {
    try {
      return Integer.parseInt(value) >= 1;
    } catch (NumberFormatException _) {
      return false;
    }
  }

  private static boolean isNumber(String value) {
    try {
      return Math.abs(Double.parseDouble(value)) <= HIGHEST_NUMBER;
    } catch (NumberFormatException _) {
      return false;
    }
  }

  private static boolean isRate(String value) {
    try {
      double rate = Double.parseDouble(value);
      return rate > 0 && rate <= HIGHEST_RATE;
    } catch (NumberFormatException _) {
      return false;
    }
  }
}

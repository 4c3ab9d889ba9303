package dev.downhill.jobs.language;

import dev.downhill.backend.Device;
import dev.downhill.data.BytePairs;
import dev.downhill.data.Characters;
import dev.downhill.data.DataException;
import dev.downhill.data.Dataset;
import dev.downhill.data.Primer;
import dev.downhill.data.TextFile;
import dev.downhill.data.Tokenizer;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;

/** The text of a {@link Language} run as tokens, its last tenth held out. */
final class Corpus {
  static final double HELD_OUT = 0.1;
  static final int SENTENCES = 6_000;

  private final String source;
  private final boolean generated;
  private final int context;
  private final Tokenizer tokenizer;
  private final int[] train;
  private final int[] validation;
  private final int heldOut;

  /**
   * The text that the options name.
   *
   * @param context how many tokens an example has
   * @throws DataException if the text or the tokenizer cannot be used
   */
  Corpus(JobOptions o, int context) {
    Path file = o.data();
    String folder = o.text(JobOption.TOKENIZER);
    this.source = file == null ? "a made-up primer" : file.toString();
    this.generated = file == null;
    this.context = context;
    String text = file == null ? Primer.text(SENTENCES, o.seed()) : TextFile.read(file);
    this.tokenizer = folder == null ? Characters.of(text) : BytePairs.open(Path.of(folder));
    int length = text.codePointCount(0, text.length());
    this.heldOut = (int) (length * HELD_OUT);
    int cut = text.offsetByCodePoints(0, length - heldOut);
    this.train = tokenizer.encode(text.substring(0, cut));
    this.validation = tokenizer.encode(text.substring(cut));
    int shorter = Math.min(train.length, validation.length);
    if (shorter <= context) {
      throw new DataException(
          "%s: expected a text long enough for more than %s tokens in the tenth that is held out, got %s"
              .formatted(source, context, shorter));
    }
  }

  /** What the text is called in messages. */
  String source() {
    return source;
  }

  /** Whether it is {@link Primer}'s. */
  boolean generated() {
    return generated;
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  /** The tokens to learn from. */
  int[] train() {
    return train;
  }

  /** The tokens held out. */
  int[] validation() {
    return validation;
  }

  /** What there is to learn from: an example starts at every {@code context / 2} tokens. */
  Dataset trainingSet(Device device) {
    return examples(device, train, context / 2);
  }

  /** What is held out: each example starts where the one before ended. */
  Dataset validationSet(Device device) {
    return examples(device, validation, context);
  }

  /** x are {@code context} tokens, y those one place further on; views of one tensor. */
  private Dataset examples(Device device, int[] tokens, int step) {
    long[] text = Arrays.stream(tokens).asLongStream().toArray();
    try (Tensor all = Tensor.of(device, text, text.length);
        Tensor here = all.narrow(0, 0, text.length - 1);
        Tensor next = all.narrow(0, 1, text.length - 1)) {
      return new Dataset(here.unfold(0, context, step), next.unfold(0, context, step));
    }
  }

  /** How many characters of the held-out text a token stands for. */
  double charactersPerToken() {
    return (double) heldOut / validation.length;
  }
}

package dev.downhill.jobs.language;

import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.optim.Adam;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Trainer;
import java.util.List;

/**
 * All that decides about the numbers of a {@link Language} run besides the text.
 *
 * @param sizes of the network
 * @param steps of the optimiser, over which the rate rises and falls
 * @param batch examples a batch
 * @param accumulate batches a step
 * @param rate the highest learning rate
 */
record LanguageRecipe(
    LanguageModel.Sizes sizes, int steps, int batch, int accumulate, double rate) {
  private static final LanguageModel.Sizes SMALL = new LanguageModel.Sizes(128, 64, 2, 4);
  private static final LanguageModel.Sizes USUAL = new LanguageModel.Sizes(128, 128, 4, 4);
  private static final double WEIGHT_DECAY = 0.1;
  private static final double CLIP_NORM = 1;

  static LanguageRecipe of(JobOptions o) {
    boolean small = o.data() == null;
    return new LanguageRecipe(
        small ? SMALL : USUAL,
        o.count(JobOption.STEPS, small ? 4_000 : 5_000),
        o.count(JobOption.BATCH_SIZE, small ? 8 : 16),
        o.count(JobOption.ACCUMULATE, 1),
        o.rate(small ? 3e-3 : 1e-3));
  }

  /** How many of so many examples a step sees. */
  long perStep(long examples) {
    return Math.min((long) batch * accumulate, examples);
  }

  /** For so many examples, in whole epochs of which the last may be cut short. */
  Trainer.Options options(long examples, long seed) {
    long perEpoch = Math.ceilDiv(Math.ceilDiv(examples, batch), accumulate);
    return Trainer.Options.DEFAULTS
        .withEpochs(Math.toIntExact(Math.ceilDiv(steps, perEpoch)))
        .withBatchSize(batch)
        .withAccumulate(accumulate)
        .withClipNorm(CLIP_NORM)
        .withSteps(steps)
        .withSeed(seed);
  }

  /** Weights and tables decay, gains and biases do not. */
  Optimizer optimizer(List<Tensor> parameters) {
    Adam.Options plain = AdamW.DEFAULT.withLr(rate).withBetas(0.9, 0.99).withWeightDecay(0);
    return new AdamW(
        List.of(
            new Optimizer.Group<>(
                parameters.stream().filter(p -> p.dim() > 1).toList(),
                plain.withWeightDecay(WEIGHT_DECAY)),
            new Optimizer.Group<>(parameters.stream().filter(p -> p.dim() == 1).toList(), plain)));
  }

  /** Rises for a twentieth of the steps, then falls as a cosine to a tenth. */
  Scheduler scheduler(Optimizer of) {
    long rising = Math.ceilDiv(steps, 20);
    return new Scheduler(
        of, Schedule.cosine(steps - rising + 1, 0.1 * rate).withWarmup(rising, 1.0 / rising));
  }
}

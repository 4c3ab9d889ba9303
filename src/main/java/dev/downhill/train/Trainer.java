package dev.downhill.train;

import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.nn.Layer;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.Scheduler;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Owner;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The training loop. With no accumulation and no clipping it is this, to the last bit:
 *
 * <pre>{@code
 * for (int epoch = 0; epoch < epochs; epoch++) {
 *   for (var b : data.batches(batchSize, seed, epoch)) {
 *     try (var scope = Scope.open()) {
 *       var loss = Loss.mse(model.forward(b.x()), b.y());
 *       optimizer.zeroGrad();
 *       loss.backward();
 *       optimizer.step();
 *       scheduler.step();
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>With accumulation, several batches make one step: the loss of each is weighted by its share of
 * the examples of the window, so that the gradient is that of the whole window at once, also for
 * the short window at the end of an epoch.
 */
public final class Trainer {
  /**
   * What a run does.
   *
   * @param epochs how often all examples are seen, at least 1
   * @param batchSize examples a batch
   * @param accumulate batches a step
   * @param clipNorm the largest global norm of the gradient; infinite for no limit
   * @param steps stop after so many steps; 0 for no limit
   * @param seed of the order of examples
   */
  public record Options(
      int epochs, int batchSize, int accumulate, double clipNorm, long steps, long seed) {
    /** 10 epochs of batches of 256, no accumulation, no clipping, seed 0. */
    public static final Options DEFAULTS = new Options(10, 256, 1, Double.POSITIVE_INFINITY, 0, 0);

    /** Checks the ranges. */
    public Options {
      if (epochs < 1 || batchSize < 1 || accumulate < 1 || !(clipNorm > 0) || steps < 0) {
        throw new IllegalArgumentException(
            "train: expected epochs, batch size and accumulation of 1 or more, a clip norm above 0 and steps of 0 or more, got %s, %s, %s, %s and %s"
                .formatted(epochs, batchSize, accumulate, clipNorm, steps));
      }
    }

    /** With another number of epochs. */
    public Options withEpochs(int n) {
      return new Options(n, batchSize, accumulate, clipNorm, steps, seed);
    }

    /** With another batch size. */
    public Options withBatchSize(int n) {
      return new Options(epochs, n, accumulate, clipNorm, steps, seed);
    }

    /** With so many batches a step. */
    public Options withAccumulate(int n) {
      return new Options(epochs, batchSize, n, clipNorm, steps, seed);
    }

    /** With a limit of the global gradient norm. */
    public Options withClipNorm(double max) {
      return new Options(epochs, batchSize, accumulate, max, steps, seed);
    }

    /** With a limit of the number of steps. */
    public Options withSteps(long n) {
      return new Options(epochs, batchSize, accumulate, clipNorm, n, seed);
    }

    /** With another seed. */
    public Options withSeed(long s) {
      return new Options(epochs, batchSize, accumulate, clipNorm, steps, s);
    }
  }

  /** Hears how a run goes. */
  public interface Listener {
    /**
     * After how many steps progress is to be told: reading the loss waits for the device, so that
     * every step would be too often for speed.
     */
    default int every() {
      return 20;
    }

    /** Called after the first step, every few steps, and after the last of an epoch. */
    default void progress(Progress progress) {}

    /** Called after each epoch. */
    default void epoch(History.Epoch epoch) {}
  }

  private record Window(boolean first, boolean last) {}

  private final Layer model;
  private final Optimizer optimizer;
  private final @Nullable Scheduler scheduler;
  private final BinaryOperator<Tensor> loss;
  private final BinaryOperator<Tensor> metric;
  private final Options options;
  private @Nullable Path checkpoint;

  // The run so far.
  private final List<History.Epoch> epochs = new ArrayList<>();
  private double lossFirst = Double.NaN;
  private double lastRate;
  private long step;
  private Window window = new Window(true, true);

  /**
   * A loop over a model.
   *
   * @param scheduler sets the rate after each step; null leaves it
   * @param loss from prediction and target to a mean over the batch
   * @param metric the same, for people; measured on the validation set
   */
  public Trainer(
      Layer model,
      Optimizer optimizer,
      @Nullable Scheduler scheduler,
      BinaryOperator<Tensor> loss,
      BinaryOperator<Tensor> metric,
      Options options) {
    this.model = model;
    this.optimizer = optimizer;
    this.scheduler = scheduler;
    this.loss = loss;
    this.metric = metric;
    this.options = options;
  }

  private Tensor body(List<Tensor> in) {
    Tensor l = loss.apply(model.forward(in.get(0)), in.get(1));
    if (window.first) {
      optimizer.zeroGrad();
    }
    l.mul(in.get(2)).backward();
    if (window.last) {
      if (Double.isFinite(options.clipNorm)) {
        optimizer.clipGradNorm(options.clipNorm);
      }
      optimizer.step();
    }
    return l;
  }

  /**
   * Saves after each epoch all that is needed to go on from there; the file is the old state or the
   * new one, never a mixture.
   *
   * @return this
   */
  public Trainer checkpoint(Path file) {
    checkpoint = file;
    return this;
  }

  /**
   * Goes on where {@link #checkpoint} saved last: the result has the same bits as that of a run
   * that was never interrupted.
   *
   * @return this
   * @throws dev.downhill.checkpoint.CheckpointException if the file cannot be read
   * @throws IllegalArgumentException if it belongs to another model or optimiser
   */
  public Trainer resume(Path file) {
    History before = state().load(file);
    lossFirst = before.lossFirst();
    epochs.clear();
    epochs.addAll(before.epochs());
    step = epochs.isEmpty() ? 0 : before.last().step();
    return this;
  }

  private RunState state() {
    return new RunState(model, optimizer, scheduler);
  }

  /**
   * Trains, in training mode, all but what is {@linkplain dev.downhill.nn.Module#freeze frozen}.
   *
   * @throws NumericException as soon as the loss is seen to be NaN or infinite
   */
  public History fit(Dataset train, Dataset validation, Listener listener) {
    long perEpoch = Math.ceilDiv(Math.ceilDiv(train.size(), options.batchSize), options.accumulate);
    long all = perEpoch * options.epochs;
    long steps = options.steps == 0 ? all : Math.min(options.steps, all);
    Clock clock = new Clock(step, epochs.isEmpty() ? 0 : epochs.getLast().seconds());
    model.train();
    try (Step run = Step.ofList(this::body);
        Owner owner = new Owner()) {
      Tensor sum = owner.own(Tensor.zeros(train.x().device(), DType.F64));
      for (int epoch = epochs.size(); epoch < options.epochs && step < steps; epoch++) {
        double mean = epoch(epoch, steps, train, run, sum, clock, listener);
        clock.pause();
        double[] held =
            Evaluation.means(model, validation, options.batchSize, List.of(loss, metric));
        History.Epoch done =
            new History.Epoch(epoch + 1, step, lastRate, mean, held[0], held[1], clock.total());
        clock.proceed();
        epochs.add(done);
        if (checkpoint != null) {
          state().save(checkpoint, new History(lossFirst, epochs));
        }
        listener.epoch(done);
      }
    }
    return new History(lossFirst, epochs);
  }

  /** One epoch, or what is left of it until {@code steps}; returns its mean loss. */
  private double epoch(
      int epoch, long steps, Dataset train, Step run, Tensor sum, Clock clock, Listener listener) {
    long batches = Math.ceilDiv(train.size(), options.batchSize);
    long windowSize = 0;
    long examples = 0;
    double mean = Double.NaN;
    long k = 0;
    sum.fill(0);
    // Not that of the examples, which may be the numbers of tokens.
    DType lossType = model.parameters().getFirst().dtype();
    for (Batch b : train.batches(options.batchSize, options.seed, epoch)) {
      boolean first = k % options.accumulate == 0;
      boolean last = (k + 1) % options.accumulate == 0 || k == batches - 1;
      if (first) {
        long from = k * options.batchSize;
        long to = from + (long) options.batchSize * options.accumulate;
        windowSize = Math.min(to, train.size()) - from;
      }
      window = new Window(first, last);
      lastRate = optimizer.rate();
      try (Scope _ = Scope.open()) {
        double share = (double) b.size() / windowSize;
        Tensor weight = Tensor.full(b.x().device(), lossType, share);
        Tensor l = run.runAs(window, b.x(), b.y(), weight);
        sum.addInPlace(l.to(DType.F64).mul((double) b.size()));
      }
      examples += b.size();
      k++;
      if (!last) {
        continue;
      }
      step++;
      if (scheduler != null) {
        scheduler.step();
      }
      boolean end = step == steps || k == batches;
      if (step == 1 || step % listener.every() == 0 || end) {
        mean = sum.item() / examples;
        check(mean, epoch);
        lossFirst = step == 1 ? mean : lossFirst;
        double perStep = clock.seconds() / (step - clock.firstStep);
        double perSecond = examples / (k * 1.0 / options.accumulate) / perStep;
        listener.progress(
            new Progress(
                epoch + 1, options.epochs, step, steps, mean, perSecond, perStep * (steps - step)));
      }
      if (end) {
        break;
      }
    }
    return mean;
  }

  private void check(double mean, int epoch) {
    if (!Double.isFinite(mean)) {
      throw new NumericException(
          "train: the loss became %s by step %s (epoch %s, learning rate %s); try a lower rate or clipping"
              .formatted(mean, step, epoch + 1, lastRate));
    }
  }

  /** The time a run takes, with and without its pauses for validation. */
  private static final class Clock {
    final long firstStep;
    private final double before;
    private final long start = System.nanoTime();
    private long pauses;
    private long pausedAt;

    Clock(long firstStep, double before) {
      this.firstStep = firstStep;
      this.before = before;
    }

    void pause() {
      pausedAt = System.nanoTime();
    }

    void proceed() {
      pauses += System.nanoTime() - pausedAt;
    }

    /** Of training, since this part of the run began. */
    double seconds() {
      return (System.nanoTime() - start - pauses) * 1e-9;
    }

    /** Of everything, earlier parts of the run included. */
    double total() {
      return before + (System.nanoTime() - start) * 1e-9;
    }
  }
}

package dev.downhill.optim;

import dev.downhill.tensor.Clip;
import dev.downhill.tensor.FusedUpdate;
import dev.downhill.tensor.State;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Moves parameters against their gradients, all of them in one launch. Parameters come in groups
 * with options of their own.
 *
 * <p>A parameter without a gradient is left alone, and so is its state, its count of steps
 * included. The gradients lie side by side in memory that the optimiser owns; a parameter belongs
 * to one optimiser at a time. What the optimiser owns belongs to no scope and ends when it is
 * closed.
 */
public abstract class Optimizer implements AutoCloseable {
  private static final String RATE = "lr";

  /**
   * Parameters with options of their own.
   *
   * @param parameters leaves that require a gradient
   * @param options how they are moved
   * @param <O> the options of the optimiser
   */
  public record Group<O>(List<Tensor> parameters, O options) {
    /** Copies the list. */
    public Group {
      parameters = List.copyOf(parameters);
    }
  }

  /** The limits of an optimiser's numbers; {@code prefix} goes before their names. */
  @FunctionalInterface
  interface Limits<O> {
    void check(Hyperparameters h, String prefix, O options);
  }

  private final String name;
  private final FusedUpdate update;
  private final List<Double> baseRates = new ArrayList<>();

  <O> Optimizer(
      String name,
      List<Group<O>> groups,
      Limits<O> limits,
      Function<O, Map<String, Double>> scalars,
      Function<List<FusedUpdate.Group>, FusedUpdate> update) {
    this.name = name;
    Hyperparameters h = new Hyperparameters(name);
    for (int g = 0; g < groups.size(); g++) {
      limits.check(h, groups.size() == 1 ? "" : "group " + g + " ", groups.get(g).options());
    }
    h.report();
    this.update =
        update.apply(
            groups.stream()
                .map(g -> new FusedUpdate.Group(g.parameters(), scalars.apply(g.options())))
                .toList());
    for (int g = 0; g < groups.size(); g++) {
      baseRates.add(rate(g));
    }
  }

  // Steps

  /** Moves every parameter that has a gradient. */
  public void step() {
    update.step(null);
  }

  /**
   * Moves every parameter that has a gradient, or nothing at all, counts included.
   *
   * @param skip one truth value on the device: where true, nothing changes
   */
  public void step(Tensor skip) {
    update.step(skip);
  }

  /** Forgets all gradients, so that the next backward pass starts anew; nothing is written. */
  public void zeroGrad() {
    update.zeroGrad();
  }

  /** The parameters of all groups, in order. */
  public List<Tensor> parameters() {
    return update.parameters();
  }

  // Clipping, between backward and step

  /**
   * Scales all gradients so that their 2-norm as one vector is at most {@code max}; see {@link
   * #clipGradNorm(double, double)}.
   */
  public Tensor clipGradNorm(double max) {
    return clipGradNorm(max, 2);
  }

  /**
   * Multiplies all gradients by min(1, max / (total + 1e-6)), where total is their p-norm as one
   * vector, as {@code torch.nn.utils.clip_grad_norm_}. Does not wait for the device.
   *
   * @param max the largest norm, 0 or more
   * @param p 1, 2 or infinity
   * @return the total before, 0-d; 0 without gradients
   */
  public Tensor clipGradNorm(double max, double p) {
    List<Tensor> gradients = update.gradients();
    if (gradients.isEmpty()) {
      Tensor first = parameters().get(0);
      return Tensor.zeros(first.device(), first.dtype());
    }
    Tensor total = Clip.totalNorm(update.gradientBlocks(), p);
    Clip.scale(gradients, max, total);
    return total;
  }

  /** Limits each element of the gradients to ±limit, as {@code torch.nn.utils.clip_grad_value_}. */
  public void clipGradValue(double limit) {
    Clip.value(update.gradients(), limit);
  }

  // Learning rate

  /** The number of groups. */
  public int groups() {
    return baseRates.size();
  }

  /** The learning rate of the first group. */
  public double rate() {
    return rate(0);
  }

  /** The learning rate of a group. */
  public double rate(int group) {
    return update.get(group, RATE);
  }

  /**
   * Sets the learning rate of a group for the following steps.
   *
   * @throws IllegalArgumentException if it is not a number from 0 to 10^6
   * @throws IllegalStateException inside the body of a {@link dev.downhill.tensor.Step}
   */
  public void rate(int group, double value) {
    new Hyperparameters(name).amount(RATE, value).report();
    update.set(group, RATE, value);
  }

  /** The learning rate that a group was made with: what a {@link Scheduler} starts from. */
  public double baseRate(int group) {
    if (group < 0 || group >= groups()) {
      throw new IllegalArgumentException(
          "%s: expected a group of 0 to %s, got %s".formatted(name, groups() - 1, group));
    }
    return baseRates.get(group);
  }

  // Saving and resuming

  /**
   * The tensors to save: for parameter i {@code i.} and PyTorch's name, such as {@code 0.exp_avg},
   * and the counts of steps. They are the live tensors.
   */
  public Map<String, Tensor> state() {
    return update.state();
  }

  /** The learning rates of all groups, to be saved with the state. */
  public List<Double> rates() {
    return IntStream.range(0, groups()).mapToObj(this::rate).toList();
  }

  /**
   * Continues from what was saved by an optimiser of the same parameters and groups.
   *
   * @throws IllegalArgumentException listing what is missing, unexpected, different or out of
   *     range; then nothing was changed
   */
  public void load(Map<String, Tensor> state, List<Double> rates) {
    Hyperparameters h =
        new Hyperparameters(name)
            .check(rates.size() == groups(), "rates", groups() + " of them", rates);
    rates.forEach(rate -> h.amount(RATE, rate));
    h.report();
    State.copy(name, state, state());
    for (int g = 0; g < groups(); g++) {
      rate(g, rates.get(g));
    }
  }

  /** Ends the state and the gradients; the parameters stay. */
  @Override
  public void close() {
    update.close();
  }
}

package dev.downhill.backend;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The arithmetic of an optimiser step. The scalars of a group lie in one row of the {@code f64}
 * group block, in the order given by {@link #scalars}; each parameter has {@link #states} tensors
 * of its own shape and a row of {@link #counters} {@code f64} numbers that outlive the step. All
 * begin with {@code g = maximize ? -g : g} and, unless decoupled, {@code g += weight_decay p}.
 */
public enum Update {
  /**
   * {@code b = first ? g : momentum b + (1 - dampening) g; p -= lr (nesterov ? g + momentum b :
   * momentum != 0 ? b : g)}. Counter: steps taken.
   */
  SGD(
      List.of(State.of("momentum_buffer")),
      new double[] {0},
      "lr",
      "momentum",
      "dampening",
      "weight_decay",
      "nesterov",
      "maximize"),
  /**
   * {@code decoupled: p -= lr weight_decay p; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 -
   * beta2) g^2; w = amsgrad ? max(w, v) : v; p -= lr / (1 - beta1^t) m / (sqrt(w) / sqrt(1 -
   * beta2^t) + eps)}. Counters: steps taken, beta1^t, beta2^t as running products.
   */
  ADAM(
      List.of(State.of("exp_avg"), State.of("exp_avg_sq"), new State("max_exp_avg_sq", "amsgrad")),
      new double[] {0, 1, 1},
      "lr",
      "beta1",
      "beta2",
      "eps",
      "weight_decay",
      "decoupled",
      "maximize",
      "amsgrad"),
  /**
   * {@code v = alpha v + (1 - alpha) g^2; a = alpha a + (1 - alpha) g; d = sqrt(centered ? v - a^2
   * : v) + eps; b = momentum b + g / d; p -= lr (momentum != 0 ? b : g / d)}. Counter: steps taken.
   */
  RMSPROP(
      List.of(
          State.of("square_avg"),
          new State("grad_avg", "centered"),
          new State("momentum_buffer", "momentum")),
      new double[] {0},
      "lr",
      "alpha",
      "eps",
      "weight_decay",
      "momentum",
      "centered",
      "maximize"),
  /**
   * {@code s += g^2; p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)}. Counter: steps taken.
   */
  ADAGRAD(
      List.of(State.of("sum")),
      new double[] {0},
      "lr",
      "lr_decay",
      "eps",
      "weight_decay",
      "maximize"),
  /**
   * {@code decoupled: p -= lr weight_decay p; mu(t) = beta1 (1 - momentum_factor^t / 2); M *=
   * mu(t); m and v as for ADAM; d = sqrt(v) / sqrt(1 - beta2^t) + eps; p -= (lr (1 - mu(t)) / (1 -
   * M) g + lr mu(t+1) / (1 - M mu(t+1)) m) / d}. Counters: steps taken, beta2^t, momentum_factor^t
   * and M as running products.
   */
  NADAM(
      List.of(State.of("exp_avg"), State.of("exp_avg_sq")),
      new double[] {0, 1, 1, 1},
      "lr",
      "beta1",
      "beta2",
      "eps",
      "weight_decay",
      "decoupled",
      "maximize",
      "momentum_factor");

  /** A tensor that each parameter keeps, if a scalar of its group is not 0. */
  private record State(String name, @Nullable String scalar) {
    static State of(String name) {
      return new State(name, null);
    }
  }

  private final List<State> states;
  private final double[] firstCounters;
  private final String[] scalars;

  Update(List<State> states, double[] firstCounters, String... scalars) {
    this.states = states;
    this.firstCounters = firstCounters;
    this.scalars = scalars;
  }

  /** How many tensors of the parameter's shape a parameter keeps at most. */
  public int states() {
    return states.size();
  }

  /** PyTorch's name of a state. */
  public String state(int i) {
    return states.get(i).name;
  }

  /**
   * Whether parameters of a group with these scalars keep state {@code i}. A view of a state that
   * is not kept has no elements, and is neither read nor written.
   */
  public boolean keeps(int i, double[] groupScalars) {
    String scalar = states.get(i).scalar;
    return scalar == null || groupScalars[Arrays.asList(scalars).indexOf(scalar)] != 0;
  }

  /** How many {@code f64} counters a parameter keeps. */
  public int counters() {
    return firstCounters.length;
  }

  /** What the counters start with. */
  public double[] firstCounters() {
    return firstCounters.clone();
  }

  /** The names of the group scalars, in the order of the group block's columns. */
  public String[] scalars() {
    return scalars.clone();
  }
}

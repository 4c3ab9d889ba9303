package dev.downhill.backend;

/**
 * The arithmetic of an optimiser step. The scalars of a group lie in one row of the {@code f64}
 * group block, in the order given by {@link #scalars}; each parameter has {@link #states} tensors
 * of its own shape and a row of {@link #counters} {@code f64} numbers that outlive the step.
 */
public enum Update {
  /**
   * {@code g = maximize ? -g : g; g += decay p; b = first ? g : momentum b + (1 - dampening) g; p
   * -= lr (nesterov ? g + momentum b : momentum != 0 ? b : g)}. Counter: steps taken.
   */
  SGD(1, 1, "lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"),
  /**
   * {@code g = maximize ? -g : g; decoupled ? p -= lr decay p : g += decay p; m = beta1 m + (1 -
   * beta1) g; v = beta2 v + (1 - beta2) g^2; p -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 -
   * beta2^t) + eps)}. Counters: steps taken, beta1^t, beta2^t as running products.
   */
  ADAM(2, 3, "lr", "beta1", "beta2", "eps", "weight_decay", "decoupled", "maximize");

  private final int states;
  private final int counters;
  private final String[] scalars;

  Update(int states, int counters, String... scalars) {
    this.states = states;
    this.counters = counters;
    this.scalars = scalars;
  }

  /** How many tensors of the parameter's shape a parameter keeps. */
  public int states() {
    return states;
  }

  /** How many {@code f64} counters a parameter keeps; they start at 0 (products at 1). */
  public int counters() {
    return counters;
  }

  /** The names of the group scalars, in the order of the group block's columns. */
  public String[] scalars() {
    return scalars.clone();
  }
}

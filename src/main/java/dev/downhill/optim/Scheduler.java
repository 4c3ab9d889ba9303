package dev.downhill.optim;

/**
 * Writes a {@link Schedule} to an optimiser: counts the steps taken, and sets the rate of every
 * group before the next.
 *
 * <pre>{@code
 * var scheduler = new Scheduler(adam, Schedule.cosine(10_000, 0).withWarmup(500, 0.01));
 * for (var b : batches) {
 *   step.run(b.x(), b.y());
 *   scheduler.step();
 * }
 * }</pre>
 */
public final class Scheduler {
  private final Optimizer optimizer;
  private final Schedule schedule;
  private long steps;

  /** Sets the rates of step 0. */
  public Scheduler(Optimizer optimizer, Schedule schedule) {
    this.optimizer = optimizer;
    this.schedule = schedule;
    seek(0);
  }

  /**
   * Counts a step of the optimiser. Call it once for each step that was taken and not for one that
   * was skipped, after it and outside of {@link dev.downhill.tensor.Step} bodies.
   *
   * @throws IllegalStateException inside the body of a step; nothing is counted
   */
  public void step() {
    seek(steps + 1);
  }

  /** How many steps were counted. */
  public long steps() {
    return steps;
  }

  /** Continues after so many steps, for resuming. */
  public void seek(long taken) {
    if (taken < 0) {
      throw new IllegalArgumentException("seek: expected 0 or more steps, got " + taken);
    }
    for (int g = 0; g < optimizer.groups(); g++) {
      optimizer.rate(g, schedule.rate(taken, optimizer.baseRate(g)));
    }
    steps = taken;
  }
}

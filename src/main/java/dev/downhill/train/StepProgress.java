package dev.downhill.train;

import java.util.function.DoubleSupplier;

/** Tells a listener how far a loop of steps is that is written out rather than left to Trainer. */
public final class StepProgress {
  private final Trainer.Listener listener;
  private final int parts;
  private final long steps;
  private final long start = System.nanoTime();
  private long taken;
  private long examples;

  /**
   * At the beginning.
   *
   * @param parts how many parts the loop has, such as epochs or descents
   * @param steps of all of them
   */
  public StepProgress(Trainer.Listener listener, int parts, long steps) {
    this.listener = listener;
    this.parts = parts;
    this.steps = steps;
  }

  /**
   * After a step.
   *
   * @param part which part it belongs to, counted from 1
   * @param batch examples that it learned from
   * @param loss asked for now and then only
   */
  public void step(int part, int batch, DoubleSupplier loss) {
    taken++;
    examples += batch;
    if (taken == 1 || taken % listener.every() == 0 || taken == steps) {
      double seconds = seconds();
      listener.progress(
          new Progress(
              part,
              parts,
              taken,
              steps,
              loss.getAsDouble(),
              examples / seconds,
              seconds / taken * (steps - taken)));
    }
  }

  /** Steps so far. */
  public long taken() {
    return taken;
  }

  /** Examples so far. */
  public long examples() {
    return examples;
  }

  /** Time since the beginning. */
  public double seconds() {
    return (System.nanoTime() - start) * 1e-9;
  }
}

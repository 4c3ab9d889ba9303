package dev.downhill.jobs.noise;

import dev.downhill.tensor.Tensor;
import dev.downhill.train.Progress;
import dev.downhill.train.Trainer;

/** Tells how far several descents are, taken together. */
final class DescentProgress {
  private final Trainer.Listener listener;
  private final int descents;
  private final long steps;
  private final long start = System.nanoTime();
  private long taken;
  private long examples;

  /**
   * At the beginning.
   *
   * @param descents how many there will be
   * @param steps of all of them
   */
  DescentProgress(Trainer.Listener listener, int descents, long steps) {
    this.listener = listener;
    this.descents = descents;
    this.steps = steps;
  }

  /** After a step of a descent, counted from 1, with the loss of its batch. */
  void step(int descent, int batch, Tensor loss) {
    taken++;
    examples += batch;
    if (taken == 1 || taken % listener.every() == 0 || taken == steps) {
      double perStep = seconds() / taken;
      listener.progress(
          new Progress(
              descent,
              descents,
              taken,
              steps,
              loss.item(),
              examples / seconds(),
              perStep * (steps - taken)));
    }
  }

  long taken() {
    return taken;
  }

  double seconds() {
    return (System.nanoTime() - start) * 1e-9;
  }

  long examples() {
    return examples;
  }
}

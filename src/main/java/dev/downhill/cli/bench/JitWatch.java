package dev.downhill.cli.bench;

import java.util.function.LongSupplier;

/** Looks again and again whether the JIT compiler is done with what runs. */
final class JitWatch {
  /** The part of the time that it may still take of what runs steadily. */
  private static final double QUIET = 0.03;

  private final long period;
  private final LongSupplier compiler;
  private long since = System.nanoTime();
  private long before;
  private boolean quiet;

  /**
   * Begins to look.
   *
   * @param period over which it is looked at, in nanoseconds
   * @param compiler for how many milliseconds it has worked so far
   */
  JitWatch(long period, LongSupplier compiler) {
    this.period = period;
    this.compiler = compiler;
    this.before = compiler.getAsLong();
  }

  /** Whether it did next to nothing in the last period that is over. */
  boolean isQuiet() {
    long now = System.nanoTime();
    if (now - since >= period) {
      long millis = compiler.getAsLong();
      quiet = (millis - before) * 1e6 < QUIET * (now - since);
      since = now;
      before = millis;
    }
    return quiet;
  }
}

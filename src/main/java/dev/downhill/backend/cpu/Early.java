package dev.downhill.backend.cpu;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Says how long a kind of work is done by plain loops, before vectors take over. Until the last
 * stage of the JIT compiler a vector is an object, and an operation on it takes a microsecond and
 * more; a plain loop with the same bits is compiled within milliseconds. So a first step need not
 * wait for vectors, and a short program never does: the first step of a network of three layers
 * takes 0.5 s less.
 *
 * <p>It goes by the work done, not by time, and the threads count together.
 */
final class Early {
  private final long enough;
  private final AtomicLong done = new AtomicLong();

  // A thread that sees it late does a little more by plain loops.
  private boolean over;

  /**
   * From the beginning.
   *
   * @param enough the work after which vectors take over
   */
  Early(long enough) {
    this.enough = enough;
  }

  /**
   * From the beginning, unless {@link Simd#FIRST} wants vectors from the start.
   *
   * @param enough the work after which vectors take over: what plain loops do in some 10 ms, which
   *     is little beside the time that it takes until vectors are compiled
   */
  static Early until(long enough) {
    return new Early(Simd.FIRST ? 0 : enough);
  }

  /** Whether this work shall still be done by plain loops; counts it. */
  boolean is(long work) {
    if (over) {
      return false;
    }
    over = done.addAndGet(work) > enough;
    return !over;
  }
}

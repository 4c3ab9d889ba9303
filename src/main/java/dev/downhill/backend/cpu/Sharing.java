package dev.downhill.backend.cpu;

/**
 * Whether a program that runs again and again is faster with all threads or with one, by trial:
 * what another thread costs depends on where the system puts it. A small training step takes 58 us
 * with two processors that share a cache and 83 us with one, but 125 us with two that do not; and a
 * virtual machine moves from one to the other every few seconds.
 *
 * <p>Runs are timed in rounds, of which the fastest run counts. After some rounds of one kind comes
 * a trial round of the other; what is clearly faster stays. Trials are soon repeated after a
 * change, and then ever more seldom. Both kinds compute the same bits.
 */
final class Sharing {
  /** Runs of a round, enough to wake threads that sleep and to fill their caches. */
  static final int ROUND = 16;

  /** Rounds before a trial, at first. */
  static final int SOON = 8;

  /** And at most: a quarter of a second of such steps. */
  static final int LATE = 256;

  /** A run that takes longer is shared in any case: what threads cost is little beside it. */
  static final long SHORT_NANOS = 500_000;

  private boolean shared = true;
  private boolean trial;
  private int runs;
  private int rounds;
  private int pause = SOON;
  private long fastest = Long.MAX_VALUE;
  private long usual = Long.MAX_VALUE;

  /** Whether the next run is to be shared. */
  boolean isWanted() {
    return shared != trial;
  }

  /** Takes the time of a run. */
  void took(long nanos) {
    fastest = Math.min(fastest, nanos);
    if (++runs < ROUND) {
      return;
    }
    if (trial) {
      judge();
    } else {
      usual = fastest;
      trial = ++rounds >= pause && (usual < SHORT_NANOS || !shared);
    }
    runs = 0;
    fastest = Long.MAX_VALUE;
  }

  private void judge() {
    if (fastest < usual - usual / 16) {
      shared = !shared;
      pause = SOON;
    } else {
      pause = Math.min(2 * pause, LATE);
    }
    rounds = 0;
    trial = false;
  }
}

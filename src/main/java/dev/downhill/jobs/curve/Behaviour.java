package dev.downhill.jobs.curve;

import java.util.stream.IntStream;

/** What a {@link Descent} did, told by its places, heights and slopes alone. */
enum Behaviour {
  /** The slope at the start is 0. */
  STAYS("it stays: the slope is 0"),
  /** Still on the way, from one side, when the steps were over. */
  CRAWLS("it crawls"),
  /** Arrived. */
  CONVERGES("it converges"),
  /** Jumps over the minimum, but comes closer. */
  OSCILLATES("it oscillates, closer every time"),
  /** Jumps to and fro, as far at the end as before. */
  BOUNCES("it bounces for ever"),
  /** Jumps to and fro, further every time, but is no higher yet than at the start. */
  SWINGS("it oscillates, further every time"),
  /** Ever higher, or beyond all numbers. */
  DIVERGES("it diverges"),
  /** Arrived where the slope is 0, but not in the valley of the start. */
  LOSES_ITS_WAY("it ends outside its valley"),
  /** Downhill without end. */
  RUNS_AWAY("it runs downhill without end"),
  /** Reached a place where the curve is no number. */
  LEAVES("it leaves the curve"),
  /** None of these. */
  WANDERS("it jumps about");

  /** The slope, as a share of the steepest seen, from which a walk has arrived. */
  private static final double ARRIVED = 1e-3;

  /** By how much jumps have to grow or shrink in the second half of a walk to be told apart. */
  private static final double SAME = 0.02;

  /** A place beyond which nobody looks for an edge of the curve. */
  private static final double FAR = 1e6;

  final String text;

  Behaviour(String text) {
    this.text = text;
  }

  /** What a walk did. */
  static Behaviour of(Descent d, Landscape land) {
    int n = d.steps();
    double end = d.end();
    if (!Double.isFinite(d.height()[n]) || !Double.isFinite(d.slope()[n])) {
      boolean edge = Math.abs(end) <= FAR && d.height()[n] != Double.POSITIVE_INFINITY;
      return edge ? LEAVES : DIVERGES;
    }
    boolean lower = d.height()[n] < d.height()[0];
    boolean outside = Math.abs(end) > land.reach();
    if (outside && lower) {
      return RUNS_AWAY;
    }
    double steepest =
        IntStream.rangeClosed(0, n).mapToDouble(i -> Math.abs(d.slope()[i])).max().orElse(0);
    if (steepest == 0) {
      return STAYS;
    }
    int arrival = n + 1;
    while (arrival > 0 && Math.abs(d.slope()[arrival - 1]) <= ARRIVED * steepest) {
      arrival--;
    }
    if (arrival <= n) {
      if (end < land.hillLeft() || end > land.hillRight()) {
        return LOSES_ITS_WAY;
      }
      long turns = turns(d, 0, arrival);
      return turns >= 3 && 2 * turns >= arrival - 1 ? OSCILLATES : CONVERGES;
    }
    long turns = turns(d, n / 2, n);
    if (turns == 0) {
      return lower ? CRAWLS : outside ? DIVERGES : WANDERS;
    }
    if (turns < n - n / 2 - 1) {
      return WANDERS;
    }
    double growth = Math.abs(d.step(n - 1) / d.step(n / 2));
    if (growth > 1 + SAME) {
      return lower ? SWINGS : DIVERGES;
    }
    return growth < 1 - SAME ? OSCILLATES : BOUNCES;
  }

  /** How many steps of those from place {@code from} to place {@code to} turn back. */
  private static long turns(Descent d, int from, int to) {
    return IntStream.range(from + 1, to).filter(i -> d.step(i) * d.step(i - 1) < 0).count();
  }
}

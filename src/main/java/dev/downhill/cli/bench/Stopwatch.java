package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.util.Arrays;

/** Times what is done again and again. */
final class Stopwatch {
  /** How long steps of a GPU are timed together: each alone would wait for the device. */
  private static final long ROUND_NANOS = 10_000_000;

  /**
   * What it measured.
   *
   * @param steps that were timed
   * @param medianMicros the median of their times
   * @param wallSeconds that they took together
   */
  record Time(long steps, double medianMicros, double wallSeconds) {}

  private Stopwatch() {}

  /**
   * Does something for a while to warm up, and then for as long again with a stopwatch.
   *
   * @param warmUp the fewest runs before
   */
  static Time steady(Device device, double seconds, int warmUp, Runnable run) {
    long enough = (long) (seconds * 1e9);
    long runs = 0;
    long begin = System.nanoTime();
    while (runs < warmUp || System.nanoTime() - begin < enough) {
      run.run();
      runs++;
    }
    device.synchronize();
    long each = (System.nanoTime() - begin) / runs;
    int size = device.name().startsWith("cpu") ? 1 : (int) (ROUND_NANOS / each + 1);

    long[] nanos = new long[1024];
    int rounds = 0;
    long start = System.nanoTime();
    long before = start;
    while (rounds < 3 || before - start < enough) {
      for (int i = 0; i < size; i++) {
        run.run();
      }
      if (size > 1) {
        device.synchronize();
      }
      long now = System.nanoTime();
      if (rounds == nanos.length) {
        nanos = Arrays.copyOf(nanos, 2 * rounds);
      }
      nanos[rounds++] = now - before;
      before = now;
    }
    return new Time(
        (long) rounds * size,
        median(Arrays.copyOf(nanos, rounds)) / 1e3 / size,
        (before - start) / 1e9);
  }

  private static double median(long[] values) {
    Arrays.sort(values);
    int n = values.length;
    return (values[(n - 1) / 2] + values[n / 2]) / 2.0;
  }
}

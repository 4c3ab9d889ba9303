package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.util.Arrays;

/** Times the steps of a workload. */
public final class Measurement {
  /** How long steps of a GPU are timed together: each alone would wait for the device. */
  private static final long ROUND_NANOS = 10_000_000;

  private Measurement() {}

  /**
   * Trains for a while to warm up, and then for as long again, or longer, with a stopwatch.
   *
   * @param threads what the CPU works with, for the result
   * @param seconds of steady steps; as many before them
   * @return also with the time that the first step took from the start of the process: so this
   *     wants a process of its own
   */
  public static Result of(Workload workload, Device device, int threads, double seconds) {
    workload.check(device);
    long enough = (long) (seconds * 1e9);
    try (Training training = workload.start().apply(device)) {
      double lossFirst = training.step(0).item();
      double firstStepMillis = ProcessFacts.aliveMillis();
      long next = 1;

      long begin = System.nanoTime();
      while (next < 2 * Training.BATCHES || System.nanoTime() - begin < enough) {
        training.step(next++);
      }
      device.synchronize();
      long stepNanos = (System.nanoTime() - begin) / (next - 1);
      int round = device.name().startsWith("cpu") ? 1 : (int) (ROUND_NANOS / stepNanos + 1);

      long[] nanos = new long[1024];
      int rounds = 0;
      long start = System.nanoTime();
      long before = start;
      while (rounds < 3 || before - start < enough) {
        for (int i = 0; i < round; i++) {
          training.step(next++);
        }
        if (round > 1) {
          device.synchronize();
        }
        long now = System.nanoTime();
        if (rounds == nanos.length) {
          nanos = Arrays.copyOf(nanos, 2 * rounds);
        }
        nanos[rounds++] = now - before;
        before = now;
      }
      double lossLast = training.step(next).item();

      double median = median(Arrays.copyOf(nanos, rounds)) / 1e3 / round;
      return new Result(
          workload.id(),
          "downhill",
          ProcessFacts.version(),
          device.name(),
          threads,
          (long) rounds * round,
          median,
          workload.items() * 1e6 / median,
          ProcessFacts.peakBytes(device),
          firstStepMillis,
          (before - start) / 1e9,
          lossFirst,
          lossLast);
    }
  }

  private static double median(long[] values) {
    Arrays.sort(values);
    int n = values.length;
    return (values[(n - 1) / 2] + values[n / 2]) / 2.0;
  }
}

package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Times what is done again and again. */
public final class Stopwatch {
  /** How long steps of a GPU are timed together: each alone would wait for the device. */
  private static final long ROUND_NANOS = 10_000_000;

  /** Null where all is interpreted. */
  private static final @Nullable CompilationMXBean COMPILER =
      ManagementFactory.getCompilationMXBean();

  /** Warm-ups of the wanted length after which the JIT compiler is not waited for any more. */
  private static final int MOST_WARM_UPS = 5;

  /**
   * What it measured.
   *
   * @param steps that were timed
   * @param medianMicros the median of their times
   * @param wallSeconds that they took together
   */
  public record Time(long steps, double medianMicros, double wallSeconds) {}

  private Stopwatch() {}

  /**
   * Does something to warm up, and then again with a stopwatch. The warm-up takes as long as is
   * measured, and goes on until the JIT compiler is done with what runs: that can take 5 s and
   * more, in which steps are up to twice as slow.
   *
   * @param seconds that are measured
   * @param warmUp the fewest runs before
   * @param run something that is done when it returns
   */
  public static Time steady(double seconds, int warmUp, Runnable run) {
    return steady(seconds, warmUp, run, () -> {}, 0);
  }

  /** The same on a device, which may still be at work when {@code run} returns. */
  static Time steady(Device device, double seconds, int warmUp, Runnable run) {
    return device.name().startsWith("cpu")
        ? steady(seconds, warmUp, run)
        : steady(seconds, warmUp, run, device::synchronize, ROUND_NANOS);
  }

  /** The same in rounds of this length; {@code wait} returns when all that was begun is done. */
  static Time steady(double seconds, int warmUp, Runnable run, Runnable wait, long roundNanos) {
    long enough = (long) (seconds * 1e9);
    long runs = 0;
    long begin = System.nanoTime();
    JitWatch jit = new JitWatch(enough / 3, Stopwatch::compileMillis);
    while (runs < warmUp
        || System.nanoTime() - begin < enough
        || (!jit.isQuiet() && System.nanoTime() - begin < MOST_WARM_UPS * enough)) {
      run.run();
      runs++;
    }
    wait.run();
    long each = (System.nanoTime() - begin) / runs;
    int size = (int) (roundNanos / each + 1);

    long[] nanos = new long[1024];
    int rounds = 0;
    long start = System.nanoTime();
    long before = start;
    while (rounds < 3 || before - start < enough) {
      for (int i = 0; i < size; i++) {
        run.run();
      }
      wait.run();
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

  private static long compileMillis() {
    return COMPILER == null ? 0 : COMPILER.getTotalCompilationTime();
  }

  private static double median(long[] values) {
    Arrays.sort(values);
    int n = values.length;
    return (values[(n - 1) / 2] + values[n / 2]) / 2.0;
  }
}

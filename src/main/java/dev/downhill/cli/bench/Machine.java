package dev.downhill.cli.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** What the processor can do at most, measured: the floor under the time of a {@link Cost}. */
public final class Machine {
  private static final int RUNS = 1 << 8;
  static final long LARGEST = 1L << 29;
  private static final long SMALLEST = 1L << 16;
  private static final double SECONDS = 0.5;

  private final int threads;
  private final double flopsPerSecond;
  private final Map<Long, Double> copies = new HashMap<>();

  /** With so many threads; takes a second or two. */
  public Machine(int threads) {
    this.threads = threads;
    // Alone first: the JIT compiler needs a processor too.
    fastest(1, _ -> MultiplyAdds.run(RUNS));
    this.flopsPerSecond =
        threads * MultiplyAdds.flops(RUNS) / fastest(threads, _ -> MultiplyAdds.run(RUNS));
  }

  /** {@code float32} multiply-adds in registers; both operations count. */
  public double flopsPerSecond() {
    return flopsPerSecond;
  }

  /**
   * A copy, read and write counted, whose source and target take so many bytes together: what fits
   * into a cache is copied faster.
   */
  public double bytesPerSecond(double bytes) {
    long size = Long.highestOneBit((long) Math.clamp(bytes, SMALLEST, LARGEST));
    return copies.computeIfAbsent(size, this::copy);
  }

  private double copy(long size) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment from = arena.allocate(size / 2, 64);
      MemorySegment to = arena.allocate(size / 2, 64);
      long share = size / 2 / threads;
      // A thread does so much that starting it is nothing.
      long times = Math.max(1, LARGEST / 8 / size);
      double seconds =
          fastest(
              threads,
              t -> {
                for (long i = 0; i < times; i++) {
                  MemorySegment.copy(from, t * share, to, t * share, share);
                }
              });
      return 2.0 * share * threads * times / seconds;
    }
  }

  /**
   * The shortest time in seconds in which all threads did the task, each its part: the task is
   * repeated until it has not become faster for a while, as it does when the JIT has compiled it.
   */
  private static double fastest(int threads, IntConsumer part) {
    double least = Double.MAX_VALUE;
    long improved = System.nanoTime();
    long now = improved;
    while (now - improved < SECONDS * 1e9) {
      long begin = now;
      List<Thread> others =
          IntStream.range(1, threads)
              .mapToObj(t -> Thread.ofPlatform().start(() -> part.accept(t)))
              .toList();
      part.accept(0);
      others.forEach(Machine::join);
      now = System.nanoTime();
      double seconds = (now - begin) / 1e9;
      if (seconds < 0.9 * least) {
        improved = now;
      }
      least = Math.min(least, seconds);
    }
    return least;
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

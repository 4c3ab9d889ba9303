package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Measures on one device.
 *
 * @param device where
 * @param threads what a CPU works with, to be told in the results
 * @param seconds of steady steps; at least as many before them to warm up
 */
public record Measurement(Device device, int threads, double seconds) {
  private static final double MICROS = 1e6;

  /**
   * Trains. The process should be fresh: the line tells the time from its start to the end of the
   * first step, and the most memory that it had.
   *
   * @return the fields of a line of {@code bench --json}
   */
  public Map<String, Object> of(Workload workload) {
    workload.check(device);
    try (Training training = workload.start(device)) {
      double lossFirst = training.step(0).item();
      double firstStepMillis = ProcessFacts.aliveMillis();
      long[] next = {1};
      Stopwatch.Time time =
          Stopwatch.steady(device, seconds, 2 * Training.BATCHES, () -> training.step(next[0]++));
      double lossLast = training.step(next[0]).item();

      Map<String, Object> line = line("workload", workload.id());
      line.put("steps", time.steps());
      line.put("median_us", rounded(time.medianMicros(), 100));
      line.put("items_per_s", Math.round(workload.items() * MICROS / time.medianMicros()));
      line.put("peak_bytes", ProcessFacts.peakBytes(device));
      line.put("first_step_ms", Math.round(firstStepMillis));
      line.put("wall_s", rounded(time.wallSeconds(), 1000));
      line.put("loss_first", lossFirst);
      line.put("loss_last", lossLast);
      return line;
    }
  }

  /** Runs the cases of a kernel, and gives a line for each. */
  public void of(Kernel kernel, Consumer<Map<String, Object>> lines) {
    kernel.check(device);
    for (Kernel.Case one : kernel.cases()) {
      Stopwatch.Time time;
      try (Kernel.Run run = one.prepare().on(device)) {
        time = Stopwatch.steady(device, seconds, 3, run.once());
      }
      Map<String, Object> line = line("kernel", kernel.id());
      line.put("case", one.name());
      line.put("steps", time.steps());
      line.put("median_us", rounded(time.medianMicros(), 100));
      line.put(one.unit(), rounded(one.amount() / 1e3 / time.medianMicros(), 100));
      line.put("wall_s", rounded(time.wallSeconds(), 1000));
      lines.accept(line);
    }
  }

  private Map<String, Object> line(String kind, String id) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put(kind, id);
    line.put("peer", "downhill");
    line.put("version", ProcessFacts.version());
    line.put("device", device.name());
    line.put("threads", threads);
    return line;
  }

  private static double rounded(double value, double parts) {
    return Math.round(value * parts) / parts;
  }
}

package dev.downhill.cli.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What came out of a workload, a line of {@code bench --json}.
 *
 * @param workload its id
 * @param peer what computed it: downhill, pytorch, jax
 * @param version of the peer
 * @param steps that were timed
 * @param medianMicros the median of their times
 * @param itemsPerSecond at that time
 * @param peakBytes the most memory the process had on a CPU, the device on a GPU
 * @param firstStepMillis from the start of the process to the end of the first step
 * @param wallSeconds that the timed steps took together
 * @param lossFirst of the first step of all
 * @param lossLast of the last step
 */
public record Result(
    String workload,
    String peer,
    String version,
    String device,
    int threads,
    long steps,
    double medianMicros,
    double itemsPerSecond,
    long peakBytes,
    double firstStepMillis,
    double wallSeconds,
    double lossFirst,
    double lossLast) {

  /** The fields in the order and under the names of the line. */
  public Map<String, Object> toMap() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("workload", workload);
    fields.put("peer", peer);
    fields.put("version", version);
    fields.put("device", device);
    fields.put("threads", threads);
    fields.put("steps", steps);
    fields.put("median_us", rounded(medianMicros, 100));
    fields.put("items_per_s", Math.round(itemsPerSecond));
    fields.put("peak_bytes", peakBytes);
    fields.put("first_step_ms", rounded(firstStepMillis, 1));
    fields.put("wall_s", rounded(wallSeconds, 1000));
    fields.put("loss_first", lossFirst);
    fields.put("loss_last", lossLast);
    return fields;
  }

  private static double rounded(double value, double parts) {
    return Math.round(value * parts) / parts;
  }
}

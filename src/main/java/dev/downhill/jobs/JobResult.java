package dev.downhill.jobs;

import dev.downhill.train.History;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a job ended, for programs.
 *
 * @param job its name
 * @param device where it ran
 * @param steps optimiser steps taken
 * @param epochs epochs begun
 * @param lossFirst the training loss before the first step
 * @param lossLast the training loss at the end
 * @param metric the figure people look at
 * @param seconds of training
 * @param itemsPerSecond examples trained on a second
 * @param out the run folder
 */
public record JobResult(
    String job,
    String device,
    long steps,
    int epochs,
    double lossFirst,
    double lossLast,
    Metric metric,
    double seconds,
    double itemsPerSecond,
    Path out) {

  /**
   * A figure with its name.
   *
   * @param name such as {@code mae_eur}
   * @param value its value
   */
  public record Metric(String name, double value) {}

  /**
   * How a job ended that left its training to a {@link dev.downhill.train.Trainer}.
   *
   * @param items trained on in all
   */
  public static JobResult of(
      Job job, JobOptions options, History history, Metric metric, double items) {
    History.Epoch last = history.last();
    return new JobResult(
        job.name(),
        options.device().name(),
        last.step(),
        last.epoch(),
        history.lossFirst(),
        last.loss(),
        metric,
        last.seconds(),
        items / last.seconds(),
        options.out());
  }

  /** The result under the names that programs read, in their order; null for what is not finite. */
  public Map<String, @Nullable Object> toMap() {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    map.put("job", job);
    map.put("device", device);
    map.put("steps", steps);
    map.put("epochs", epochs);
    map.put("loss_first", finite(lossFirst));
    map.put("loss_last", finite(lossLast));
    Map<String, @Nullable Object> figure = new LinkedHashMap<>();
    figure.put("name", metric.name);
    figure.put("value", finite(metric.value));
    map.put("metric", figure);
    map.put("seconds", seconds);
    map.put("items_per_s", itemsPerSecond);
    map.put("out", out.toString());
    return map;
  }

  // JSON has no number for what is not finite.
  private static @Nullable Double finite(double v) {
    return Double.isFinite(v) ? v : null;
  }
}

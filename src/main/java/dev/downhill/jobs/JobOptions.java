package dev.downhill.jobs;

import dev.downhill.backend.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What the user asked of a job; null stands for the job's own choice.
 *
 * @param device where to train
 * @param data a file of the user's own
 * @param target the column of that file to predict
 * @param epochs how often all examples are seen
 * @param batchSize examples a batch
 * @param lr the learning rate
 * @param optimizer one of {@link #OPTIMIZERS}
 * @param schedule one of {@link #SCHEDULES}
 * @param steps stop after so many optimiser steps
 * @param seed of all that is random
 * @param out the run folder to make, or to go on with
 * @param resume whether to go on with a run from what it saved last
 */
public record JobOptions(
    Device device,
    @Nullable Path data,
    @Nullable String target,
    @Nullable Integer epochs,
    @Nullable Integer batchSize,
    @Nullable Double lr,
    @Nullable String optimizer,
    @Nullable String schedule,
    @Nullable Long steps,
    long seed,
    Path out,
    boolean resume) {

  /** The highest learning rate that is accepted. */
  static final double HIGHEST_RATE = 1e6;

  /** The optimisers by name. */
  public static final List<String> OPTIMIZERS =
      List.of("sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad");

  /** The schedules by name. */
  public static final List<String> SCHEDULES =
      List.of("constant", "cosine", "step", "exponential", "linear");

  /**
   * Checks what can be checked without any data, all at once.
   *
   * @throws IllegalArgumentException naming every option that is wrong, what was expected and found
   */
  public JobOptions {
    List<String> problems = new ArrayList<>();
    require(problems, epochs == null || epochs >= 1, "--epochs", "1 or more", epochs);
    require(problems, batchSize == null || batchSize >= 1, "--batch-size", "1 or more", batchSize);
    require(problems, steps == null || steps >= 1, "--steps", "1 or more", steps);
    require(
        problems,
        lr == null || (lr > 0 && lr <= HIGHEST_RATE),
        "--lr",
        "a number above 0, at most 1000000",
        lr);
    require(problems, !out.toString().isBlank(), "--out", "the path of a folder", out.toString());
    require(
        problems,
        data == null || !data.toString().isBlank(),
        "--data",
        "the path of a CSV file",
        String.valueOf(data));
    require(
        problems,
        optimizer == null || OPTIMIZERS.contains(optimizer),
        "--optimizer",
        "one of " + String.join(", ", OPTIMIZERS),
        optimizer);
    require(
        problems,
        schedule == null || SCHEDULES.contains(schedule),
        "--schedule",
        "one of " + String.join(", ", SCHEDULES),
        schedule);
    require(
        problems,
        target == null || data != null,
        "--target",
        "it together with --data FILE.csv",
        target);
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", problems));
    }
  }

  private static void require(
      List<String> problems, boolean ok, String option, String expected, @Nullable Object found) {
    if (!ok) {
      String got = found instanceof String ? "'" + found + "'" : String.valueOf(found);
      problems.add("%s: expected %s, got %s".formatted(option, expected, got));
    }
  }

  /** The job of a run that is to be resumed; the exceptions are those of {@link #resume}. */
  public static String job(Path folder) {
    return RunFolder.config(folder).get("job").asString();
  }

  /**
   * The options of a run that is to be resumed, as its {@code config.json} has them.
   *
   * @param folder the run folder
   * @throws dev.downhill.checkpoint.CheckpointException if it has no such file, or one that cannot
   *     be read
   */
  public static JobOptions resume(Path folder, Device device) {
    JsonNode c = RunFolder.config(folder);
    boolean own = !c.path("data").asString("generated").equals("generated");
    return new JobOptions(
        device,
        own ? Path.of(c.path("data").asString()) : null,
        own ? c.path("target").asString() : null,
        c.has("epochs") ? c.get("epochs").asInt() : null,
        c.has("batch_size") ? c.get("batch_size").asInt() : null,
        c.has("lr") ? c.get("lr").asDouble() : null,
        c.path("optimizer").asString(null),
        c.path("schedule").asString(null),
        c.has("steps") ? c.get("steps").asLong() : null,
        c.path("seed").asLong(0),
        folder,
        true);
  }

  /** Refuses options that a job has no use for. */
  void refuse(String job, String option, @Nullable Object value) {
    if (value != null) {
      throw new IllegalArgumentException(
          "%s: the job %s has no such option, got %s".formatted(option, job, value));
    }
  }
}

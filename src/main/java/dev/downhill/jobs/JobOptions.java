package dev.downhill.jobs;

import dev.downhill.backend.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What the user asked of a job.
 *
 * @param device where to train
 * @param seed of all that is random
 * @param out the run folder to make, or to go on with
 * @param resume whether to go on with a run from what it saved last
 * @param given the options that were given, as text; for the others the job chooses
 */
public record JobOptions(
    Device device, long seed, Path out, boolean resume, Map<JobOption, String> given) {

  /**
   * Checks what can be checked without any data, all at once.
   *
   * @throws IllegalArgumentException naming every option that is wrong, what was expected and found
   */
  public JobOptions {
    given = Collections.unmodifiableMap(new TreeMap<>(given));
    List<String> problems = new ArrayList<>();
    for (Map.Entry<JobOption, String> e : given.entrySet()) {
      String problem = e.getKey().problem(e.getValue());
      if (problem != null) {
        problems.add(problem);
      }
    }
    if (out.toString().isBlank()) {
      problems.add("--out: expected the path of a folder, got '" + out + "'");
    }
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", problems));
    }
  }

  /** The value of an option, or null. */
  public @Nullable String text(JobOption option) {
    return given.get(option);
  }

  /** The value of an option, or the job's own choice. */
  public String text(JobOption option, String otherwise) {
    return given.getOrDefault(option, otherwise);
  }

  /**
   * The value of an option that has to be one of a few.
   *
   * @param choices what it can be; the first is the job's own choice
   * @throws IllegalArgumentException if it is none of them
   */
  public String oneOf(JobOption option, String... choices) {
    String value = text(option, choices[0]);
    if (!List.of(choices).contains(value)) {
      throw new IllegalArgumentException(
          "%s: expected one of %s, got '%s'"
              .formatted(option.flag(), String.join(", ", choices), value));
    }
    return value;
  }

  /** The value of an option that counts something, or the job's own choice. */
  public int count(JobOption option, int otherwise) {
    String value = given.get(option);
    return value == null ? otherwise : Integer.parseInt(value);
  }

  /** The value of an option that is a number of any sign, or the job's own choice. */
  public double number(JobOption option, double otherwise) {
    String value = given.get(option);
    return value == null ? otherwise : Double.parseDouble(value);
  }

  /** The learning rate, or the job's own choice. */
  public double rate(double otherwise) {
    String value = given.get(JobOption.LR);
    return value == null ? otherwise : Double.parseDouble(value);
  }

  /** {@code --data}, or null. */
  public @Nullable Path data() {
    String value = given.get(JobOption.DATA);
    return value == null ? null : Path.of(value);
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
    JsonNode config = RunFolder.config(folder);
    Map<JobOption, String> given = new EnumMap<>(JobOption.class);
    for (JobOption option : JobOption.values()) {
      if (config.has(option.key())) {
        given.put(option, config.get(option.key()).asString());
      }
    }
    return new JobOptions(device, config.path("seed").asLong(0), folder, true, given);
  }

  /**
   * What {@code config.json} says first: the job, the device, the seed and the options given. The
   * job adds what it chose itself, under the {@linkplain JobOption#key keys} of the options, so
   * that a resumed run has the same.
   */
  public Map<String, Object> config(Job job) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("job", job.name());
    config.put("device", device.name());
    config.put("seed", seed);
    given.forEach((option, value) -> config.put(option.key(), value));
    return config;
  }
}

package dev.downhill.cli.verify;

import dev.downhill.backend.Device;
import dev.downhill.backend.DeviceException;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.data.DataException;
import dev.downhill.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A run of all cases of a folder on one device. */
public final class Verification {
  private final Map<String, Replay> replays =
      Map.of(
          "op", new OpReplay(),
          "optimizer", new OptimizerReplay(),
          "schedule", new ScheduleReplay(),
          "model", new ModelReplay());

  /** Hears of every case that fails. */
  @FunctionalInterface
  public interface Listener {
    /**
     * A case failed.
     *
     * @param name of the case
     * @param what tensor, index, expected, got and error, in one line
     */
    void failed(String name, String what);
  }

  /**
   * Cases that could not be run.
   *
   * @param op their operator, optimiser, schedule or model
   * @param reason what the runtime lacks
   * @param names of the cases
   */
  public record Skipped(String op, String reason, List<String> names) {}

  /**
   * What came of a run.
   *
   * @param comparisons tensors compared with their expectation
   */
  public record Report(
      int files, int cases, int passed, int failed, List<Skipped> skipped, long comparisons) {
    /** How many cases could not be run. */
    public int skippedCases() {
      return skipped.stream().mapToInt(s -> s.names().size()).sum();
    }
  }

  private record Lack(String op, String reason) {}

  private final Device device;
  private final Listener listener;
  private int cases;
  private int passed;
  private int failed;
  private long comparisons;
  private final Map<Lack, List<String>> lacks = new LinkedHashMap<>();

  private Verification(Device device, Listener listener) {
    this.device = device;
    this.listener = listener;
  }

  /**
   * Runs the cases of all safetensors files of a folder, in the order of their names.
   *
   * @throws IllegalArgumentException if there is no such folder
   * @throws DataException if it has no safetensors file
   * @throws CheckpointException if a file is broken or not one of cases
   * @throws DeviceException if the device fails
   */
  public static Report run(Path folder, Device device, Listener listener) {
    List<Path> files = files(folder);
    Verification run = new Verification(device, listener);
    for (Path file : files) {
      try (CaseFile open = CaseFile.open(file)) {
        open.cases().forEach(run::run);
      }
    }
    List<Skipped> skipped = new ArrayList<>();
    run.lacks.forEach((lack, names) -> skipped.add(new Skipped(lack.op, lack.reason, names)));
    return new Report(files.size(), run.cases, run.passed, run.failed, skipped, run.comparisons);
  }

  private static List<Path> files(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "verify: expected a folder of cases, got none at " + folder);
    }
    List<Path> files;
    try (Stream<Path> list = Files.list(folder)) {
      files = list.filter(f -> f.toString().endsWith(".safetensors")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (files.isEmpty()) {
      throw new DataException(
          "verify: expected *.safetensors files of cases in %s, got none".formatted(folder));
    }
    return files;
  }

  private void run(Case c) {
    cases++;
    Checks checks = new Checks(c);
    String failure;
    try (Scope _ = Scope.open()) {
      Replay replay = replays.get(c.kind());
      if (replay == null) {
        throw new Unsupported("no kind " + c.kind());
      }
      replay.run(c, device, checks);
      failure = checks.failure();
    } catch (Unsupported e) {
      lacks.computeIfAbsent(new Lack(c.op(), e.reason()), _ -> new ArrayList<>()).add(c.name());
      return;
    } catch (CheckpointException | DeviceException | OutOfMemoryException e) {
      throw e;
    } catch (RuntimeException | AssertionError e) {
      // The operator's own fault is a failed case like any other.
      failure = String.valueOf(e).replaceAll("\\s+", " ");
    }
    comparisons += checks.comparisons();
    report(c, failure);
  }

  private void report(Case c, @Nullable String failure) {
    if (failure == null) {
      passed++;
    } else {
      failed++;
      listener.failed(c.name(), failure);
    }
  }
}

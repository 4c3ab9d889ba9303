package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/** What this process knows of itself. */
public final class ProcessFacts {
  private static final Path PROC = Path.of("/proc");

  private ProcessFacts() {}

  /**
   * Milliseconds since the process was started, the launcher's share included. Linux keeps the
   * moment in hundredths of a second since the machine started.
   */
  public static double aliveMillis() {
    if (!Files.exists(PROC)) {
      Instant started = ProcessHandle.current().info().startInstant().orElseThrow();
      return Duration.between(started, Instant.now()).toMillis();
    }
    String stat = read("self/stat");
    // The name of the program, which may hold anything, ends with the last bracket.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    double uptime = Double.parseDouble(read("uptime").split(" ", -1)[0]);
    return 1e3 * uptime - 10 * Double.parseDouble(fields[19]);
  }

  /** The most memory this process had resident; 0 where the system does not tell. */
  public static long peakBytes() {
    return Files.exists(PROC)
        ? read("self/status")
            .lines()
            .filter(line -> line.startsWith("VmHWM:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
            .findFirst()
            .orElse(0)
        : 0;
  }

  /** The same for a CPU; for a GPU the most that tensors took there. */
  static long peakBytes(Device device) {
    if (device.name().startsWith("cpu")) {
      return peakBytes();
    }
    Device.Memory memory = device.memory();
    return Math.max(memory.peakBytes(), memory.bytes() + memory.heldBytes());
  }

  /** Downhill's version, from the manifest of the jar. */
  static String version() {
    String version = ProcessFacts.class.getPackage().getImplementationVersion();
    return Objects.requireNonNullElse(version, "(not from a jar)");
  }

  private static String read(String file) {
    try {
      return Files.readString(PROC.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException("/proc/" + file + ": cannot be read", e);
    }
  }
}

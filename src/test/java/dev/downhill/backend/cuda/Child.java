package dev.downhill.backend.cuda;

import dev.downhill.cli.Downhill;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A {@code downhill} command in a JVM of its own, whose environment is only what the test says: no
 * driver and no cuBLAS but those in its folder {@code lib}, a home of its own, and an empty path.
 */
final class Child {
  /** How it ended. */
  record Outcome(int code, String out, String err) {
    /** The lines of Downhill on stderr, without those of the JVM. */
    List<String> messages() {
      return err.lines().filter(line -> line.startsWith("downhill: ")).toList();
    }
  }

  private static final Path EMULATOR = Path.of("target/emulator/plain");

  final Path folder;
  final Path lib;
  final Path home;
  final Map<String, String> environment = new HashMap<>();
  final List<String> flags = new ArrayList<>();
  private String classPath = System.getProperty("java.class.path");

  /**
   * A child that has nothing.
   *
   * @param folder where it may write
   */
  Child(Path folder) throws IOException {
    this.folder = folder.toRealPath();
    lib = Files.createDirectories(this.folder.resolve("lib"));
    home = Files.createDirectories(this.folder.resolve("home"));
    environment.put("LD_LIBRARY_PATH", lib.toString());
    environment.put("HOME", home.toString());
    // Nothing but what is in lib: a machine may have a cuBLAS in a usual place.
    environment.put(CublasSearch.VARIABLE, lib.toString());
    flags.addAll(
        List.of(
            "-XX:TieredStopAtLevel=1",
            "-Xmx512m",
            "-Djava.awt.headless=true",
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED"));
  }

  /** Whether there is a double of the driver to copy from. */
  static boolean hasEmulator() {
    return Files.exists(EMULATOR.resolve("libcuda.so.1"));
  }

  /** Puts libraries of the double into {@code lib}. */
  Child with(String... libraries) throws IOException {
    for (String library : libraries) {
      Files.copy(EMULATOR.resolve(library), lib.resolve(library));
    }
    return this;
  }

  /** Takes the jars whose name contains a text from the class path. */
  Child without(String jar) {
    classPath =
        Arrays.stream(classPath.split(File.pathSeparator))
            .filter(entry -> !Path.of(entry).getFileName().toString().contains(jar))
            .collect(Collectors.joining(File.pathSeparator));
    return this;
  }

  /** Runs a command to its end. */
  Outcome run(String... command) throws IOException, InterruptedException {
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    List<String> words =
        Stream.of(
                Stream.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()),
                flags.stream(),
                Stream.of("-cp", classPath, Downhill.class.getName()),
                Stream.of(command))
            .flatMap(each -> each)
            .toList();
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    int code = builder.start().waitFor();
    return new Outcome(
        code,
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  /** Trains two steps on a device. */
  Outcome train(String device) throws IOException, InterruptedException {
    return run(
        "train",
        "one-weight",
        "--steps=2",
        "--device=" + device,
        "--out=" + Files.createTempDirectory(folder, "run").resolve("run"));
  }
}

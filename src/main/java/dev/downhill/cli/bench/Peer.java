package dev.downhill.cli.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Another library that does the same work, by a script for Python.
 *
 * @param name of the library, as in its lines
 * @param python the interpreter that has it
 * @param bench the script that runs the workloads and kernels
 */
public record Peer(String name, String python, Path bench) {
  private static final String PYTHON = "DOWNHILL_PYTHON";

  /** The module of Python that a name needs. */
  private static final Map<String, String> MODULES = Map.of("pytorch", "torch", "jax", "jax");

  /**
   * The peer of a name, with an interpreter that has it.
   *
   * @throws IllegalArgumentException if there is none, saying what to do
   */
  public static Peer named(String name) {
    String module = MODULES.get(name);
    if (module == null) {
      throw new IllegalArgumentException(
          "--compare: expected some of pytorch,jax, got '%s'".formatted(name));
    }
    String python = Objects.requireNonNullElse(System.getenv(PYTHON), "python3");
    StringBuilder missing = new StringBuilder();
    int exit =
        Child.run(
            List.of(
                python,
                "-c",
                "from importlib.util import find_spec as f; print(*[m for m in"
                    + " ['%s', 'numpy', 'safetensors'] if not f(m)])".formatted(module)),
            missing::append);
    if (exit != 0 || !missing.isEmpty()) {
      throw new IllegalArgumentException(
          "--compare: %s needs a Python with %s, numpy and safetensors, got %s; name one in %s"
              .formatted(
                  name,
                  module,
                  exit == 0 ? "%s without %s".formatted(python, missing) : "no " + python,
                  PYTHON));
    }
    return new Peer(name, python, scripts().resolve(name + "_bench.py"));
  }

  private static Path scripts() {
    Path folder = Path.of(System.getProperty("downhill.home", ""), "benchmarks", "peers");
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "--compare: expected the folder %s, got none; run the downhill of a source tree"
              .formatted(folder.toAbsolutePath()));
    }
    return folder;
  }

  /** The command that repeats the loss curve of a {@link Dump}; empty where no script does. */
  List<String> replay(Path dump) {
    Path script = bench.resolveSibling("replay_" + name + ".py");
    return Files.exists(script) ? List.of(python, script.toString(), dump.toString()) : List.of();
  }

  /** The command that prints the lines of a subject, on what a {@link Dump} wrote. */
  List<String> command(Subject subject, Path dump, Measurement settings) {
    List<String> command = new ArrayList<>(List.of(python, bench.toString()));
    command.addAll(List.of(subject.option(), subject.id(), "--data", dump.toString()));
    command.addAll(List.of("--device", settings.device().name()));
    command.addAll(List.of("--threads", Integer.toString(settings.threads())));
    command.addAll(List.of("--seconds", Double.toString(settings.seconds())));
    return command;
  }
}

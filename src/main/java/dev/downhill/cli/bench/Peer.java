package dev.downhill.cli.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Another library that does the same work, in a process of its own.
 *
 * @param name of the library, as in its lines
 * @param bench the command that runs workloads and kernels; options follow
 * @param replay the command that repeats the loss curve of a {@link Dump}, whose folder follows;
 *     empty where there is none
 */
public record Peer(String name, List<String> bench, List<String> replay) {
  private static final String PYTHON = "DOWNHILL_PYTHON";

  /**
   * The peer of a name, with what it needs.
   *
   * @throws IllegalArgumentException if there is none, saying what to do
   */
  public static Peer named(String name) {
    return switch (name) {
      case "pytorch" -> python(name, "torch");
      case "jax" -> python(name, "jax");
      case "djl", "nd4j" -> jvm(name);
      default ->
          throw new IllegalArgumentException(
              "--compare: expected some of pytorch,jax,djl,nd4j, got '%s'".formatted(name));
    };
  }

  private static Peer python(String name, String module) {
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
    Path scripts = benchmarks().resolve("peers");
    Path replay = scripts.resolve("replay_" + name + ".py");
    return new Peer(
        name,
        List.of(python, scripts.resolve(name + "_bench.py").toString()),
        Files.exists(replay) ? List.of(python, replay.toString()) : List.of());
  }

  private static Peer jvm(String name) {
    Path jar = benchmarks().resolve("target/jvm-peers/jvm-peers.jar");
    if (!Files.exists(jar)) {
      throw new IllegalArgumentException(
          "--compare: %s needs %s, got none; make it with: mvn install -DskipTests && mvn -f"
                  .formatted(name, jar)
              + " benchmarks -P jvm-peers package");
    }
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    List<String> bench =
        List.of(java, "--sun-misc-unsafe-memory-access=allow", "-jar", jar.toString(), name);
    return new Peer(name, bench, Stream.concat(bench.stream(), Stream.of("--replay")).toList());
  }

  private static Path benchmarks() {
    Path folder = Path.of(System.getProperty("downhill.home", ""), "benchmarks");
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "--compare: expected the folder %s, got none; run the downhill of a source tree"
              .formatted(folder.toAbsolutePath()));
    }
    return folder;
  }

  /** The command that repeats the loss curve of a {@link Dump}; empty where none does. */
  List<String> replay(Path dump) {
    return replay.isEmpty()
        ? replay
        : Stream.concat(replay.stream(), Stream.of(dump.toString())).toList();
  }

  /** The command that prints the lines of a subject, on what a {@link Dump} wrote. */
  List<String> command(Subject subject, Path dump, Measurement settings) {
    List<String> command = new ArrayList<>(bench);
    command.addAll(List.of(subject.option(), subject.id(), "--data", dump.toString()));
    command.addAll(List.of("--device", settings.device().name()));
    command.addAll(List.of("--threads", Integer.toString(settings.threads())));
    command.addAll(List.of("--seconds", Double.toString(settings.seconds())));
    return command;
  }
}

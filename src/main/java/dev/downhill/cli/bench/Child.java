package dev.downhill.cli.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Another process, whose messages go to this one's stderr. */
public final class Child {
  private static final int NOT_FOUND = 127;

  private Child() {}

  /** The command of another Java program of this class path, with this process's options. */
  public static List<String> java(String main) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
    return command;
  }

  /**
   * Runs a command to its end.
   *
   * @param lines what it prints on stdout, as it comes
   * @return its exit code, or 127 if there is no such program
   */
  public static int run(List<String> command, Consumer<String> lines) {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    } catch (IOException _) {
      return NOT_FOUND;
    }
    try (BufferedReader output = process.inputReader()) {
      output.lines().forEach(lines);
      return process.waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException("bench: the output of %s was lost".formatted(command), e);
    } catch (InterruptedException _) {
      process.destroy();
      Thread.currentThread().interrupt();
      return 1;
    }
  }
}

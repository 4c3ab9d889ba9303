package dev.downhill;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs of the tests in processes of their own. */
public final class OwnProcess {
  private static final int ATTEMPTS = 4;

  private OwnProcess() {}

  /**
   * What a program that counts bytes on the Java heap prints, run again until it is what is
   * expected. In a process of its own other tests do not keep the JIT compiler from its work. Which
   * calls it inlines still depends on when it gets to them: in some processes a loop goes on boxing
   * its vectors. What the code itself allocated would show in all of them.
   */
  public static String printing(String expected, Class<?> program)
      throws IOException, InterruptedException {
    String printed = "";
    for (int attempt = 0; attempt < ATTEMPTS && !printed.equals(expected); attempt++) {
      printed =
          output(program, "--add-modules=jdk.incubator.vector", "-Ddownhill.vector.first=true");
    }
    return printed;
  }

  /** What a program prints, with the options of its JVM; it has to end well. */
  public static String output(Class<?> program, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return output.strip();
  }
}

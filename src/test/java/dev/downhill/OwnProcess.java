package dev.downhill;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Programs that count bytes on the Java heap, in processes of their own. */
public final class OwnProcess {
  private static final int ATTEMPTS = 8;

  private OwnProcess() {}

  /**
   * What a program prints, run again until it is what is expected. In a process of its own other
   * tests do not keep the JIT compiler from its work. Which calls it inlines still depends on when
   * it gets to them: in some processes a loop goes on boxing its vectors. What the code itself
   * allocated would show in all of them.
   */
  public static String printing(String expected, Class<?> program)
      throws IOException, InterruptedException {
    String printed = "";
    for (int attempt = 0; attempt < ATTEMPTS && !printed.equals(expected); attempt++) {
      printed = run(program);
    }
    return printed;
  }

  private static String run(Class<?> program) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "-Ddownhill.vector.first=true",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return output.strip();
  }
}

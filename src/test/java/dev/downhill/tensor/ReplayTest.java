package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Steps that are replayed on the CPU. */
final class ReplayTest extends Replays {
  ReplayTest() {
    super(Device.of("cpu:2"));
  }

  /**
   * In processes of their own, where other tests do not keep the compiler from its work. Which
   * calls it inlines depends on when it gets to them: in some processes a loop goes on boxing its
   * vectors. What the step itself allocated would show in all of them.
   */
  @Test
  void aReplayAllocatesNothingOnTheHeap() throws IOException, InterruptedException {
    String bytes = "";
    for (int attempt = 0; attempt < 8 && !bytes.equals("0"); attempt++) {
      bytes = allocated();
    }
    assertThat(bytes).isEqualTo("0");
  }

  private static String allocated() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                System.getProperty("java.class.path"),
                ReplayAllocation.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return output.strip();
  }
}

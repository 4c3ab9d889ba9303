package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** After an error that breaks the context the program is told so, again and again, and goes on. */
@Tag("cuda")
final class LostDeviceTest {
  @TempDir Path folder;

  private List<String> run(String option) throws Exception {
    Path out = folder.resolve("out");
    ProcessBuilder program =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            option,
            "-cp",
            System.getProperty("java.class.path"),
            LostDevice.class.getName());
    // What the double of the driver finds here is meant to be found.
    program.environment().put("DH_EMU_LOG", folder.resolve("findings").toString());
    Process process =
        program.redirectOutput(out.toFile()).redirectError(folder.resolve("err").toFile()).start();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(folder.resolve("err"))).isZero();
    return Files.readAllLines(out);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-Ddownhill.cuda.pool=none", "-Ddownhill.poison=true"})
  void everyCallSaysSo_andMemoryCanBeGivenBack(String option) throws Exception {
    List<String> lines = run(option);
    assertThat(lines).hasSize(5);
    assertThat(lines.get(1))
        .startsWith("device cuda:0: cu")
        .contains(" failed: CUDA_ERROR_ILLEGAL_ADDRESS (700): ", "downhill.cuda.sync");
    assertThat(lines.subList(2, 4))
        .allSatisfy(
            line ->
                assertThat(line)
                    .startsWith("device cuda:0: no longer usable after an earlier error;")
                    .contains("CUDA_ERROR_ILLEGAL_ADDRESS"));
    assertThat(lines.get(4)).isEqualTo("done");
  }

  @Test
  void failedLaunches_areNamed() throws Exception {
    String arguments = "arguments (0x0, 7.0, a struct of %d bytes)".formatted(Walk.bytes(1));
    List<String> lines = run("-Ddownhill.cuda.sync=true");
    assertThat(lines.get(0))
        .isEqualTo(
            "device cuda:0: kernel fill_u8 on grid (2, 1), block (4096, 1), 8 bytes shared, %s"
                    .formatted(arguments)
                + " failed: CUDA_ERROR_INVALID_VALUE (1): invalid argument");
    assertThat(lines.get(1))
        .startsWith(
            "device cuda:0: kernel fill_u8 on grid (1, 1), block (32, 1), 0 bytes shared, %s"
                    .formatted(arguments)
                + " failed: CUDA_ERROR_ILLEGAL_ADDRESS (700): ");
  }
}

package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Without a driver that works, {@code auto} says why in one line and trains on the CPU, and {@code
 * cuda} ends with that reason and the exit code of a missing device.
 */
class NoCudaTest {
  @TempDir Path folder;
  private Child child;

  @BeforeEach
  void aChild() throws IOException {
    child = new Child(folder);
  }

  private void assertFallsBack(String reason) throws IOException, InterruptedException {
    Fallback.assertFallsBack(child, reason);
  }

  private static void assumeNoDriver() {
    assumeThat(
            Stream.of("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/wsl/lib")
                .map(folder -> Path.of(folder, "libcuda.so.1")))
        .as("a machine without an NVIDIA driver")
        .noneMatch(Files::exists);
  }

  @Test
  void noDriver() throws Exception {
    assumeNoDriver();
    assertFallsBack(
        "no NVIDIA driver: libcuda.so.1 was not found; a driver of version 525 (CUDA 12.0) or"
            + " newer is needed; install it, or use --device cpu");
  }

  @Test
  void driverThatIsNoLibrary() throws Exception {
    Files.writeString(child.lib.resolve("libcuda.so.1"), "not a library at all");
    assertFallsBack(
        "an NVIDIA driver that cannot be loaded: %s/libcuda.so.1: file too short; a driver of"
                .formatted(child.lib)
            + " version 525 (CUDA 12.0) or newer is needed; install it again, or use --device cpu");
  }

  @Test
  void driverThatIsAnotherLibrary() throws Exception {
    // The library of this process that holds the JVM's launcher: small, and always there.
    Path other = Path.of(System.getProperty("java.home"), "lib", "libjsig.so");
    Files.copy(other, child.lib.resolve("libcuda.so.1"));
    assertFallsBack(
        "an NVIDIA driver that cannot be loaded: it has no function cuDriverGetVersion; ");
  }

  @Test
  void nativeAccessDenied() throws Exception {
    child.flags.remove("--enable-native-access=ALL-UNNAMED");
    child.flags.add("--illegal-native-access=deny");
    assertFallsBack("native access denied to Downhill");
  }

  @Test
  void doctor_saysWhatToDo_andThatTheCpuWorks() throws Exception {
    assumeNoDriver();
    Child.Outcome outcome = child.run("doctor");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out())
        .contains(
            "cpu:0 self-test: a sum and a matrix product are right",
            "! driver: found no NVIDIA driver: libcuda.so.1 was not found, needed a driver of"
                + " version 525 (CUDA 12.0) or newer, do: install it\n",
            "! cuBLAS: found no cuBLAS that can be used: %s: a folder without libcublas.so.12 or"
                    .formatted(child.lib)
                + " libcublas.so.13, needed cuBLAS 12 or 13, do: install it");
    Child.Outcome json = child.run("doctor", "--json");
    assertThat(json.code()).isZero();
    assertThat(json.out())
        .hasLineCount(1)
        .startsWith("{\"ok\":true,")
        .contains("\"what\":\"driver\",\"ok\":false,\"found\":\"no NVIDIA driver");
  }
}

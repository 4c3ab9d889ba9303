package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A driver is there, and something else is not as it should be: the reason is one line, {@code
 * auto} trains on the CPU, and {@code cuda} ends with the exit code of a missing device. What can
 * be mended is mended. On the double of the driver, whose age and size can be chosen.
 */
@Tag("cuda")
class BrokenCudaTest {
  private static final String JUNK = "not a library at all";

  @TempDir Path folder;
  private Child child;

  @BeforeEach
  void aChildWithADriver() throws Exception {
    assumeTrue(Child.hasEmulator(), "the double of the driver is built");
    child = new Child(folder).with("libcuda.so.1");
  }

  private void assertFallsBack(String reason) throws Exception {
    Fallback.assertFallsBack(child, reason);
  }

  /** Asserts that a kernel and cuBLAS both compute, and that nothing is amiss. */
  private void assertWorks() throws Exception {
    Child.Outcome outcome = child.run("doctor");
    assertThat(outcome.out())
        .contains("cuda:0 self-test: a sum and a matrix product are right")
        .doesNotContain("!");
    assertThat(outcome.code()).isZero();
  }

  private Path unpacked() {
    return child.home.resolve(".cache/downhill/natives");
  }

  // The driver and its devices

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          DH_EMU_DRIVER=11080 | a driver of CUDA 11.8 at LIB/libcuda.so.1; a driver of version 525 (CUDA 12.0) or newer is needed; install a newer driver, or use --device cpu
          DH_EMU_NO_DEVICE=1  | no CUDA device: the driver sees none; an NVIDIA GPU is needed; look at nvidia-smi, and in a container give it the GPU, or use --device cpu
          DH_EMU_CC=6.1       | compute capability 7.5 or newer is needed; use another GPU (Turing, 2018, or newer), or use --device cpu
          DH_EMU_CC=7.0       | compute capability 7.0
          DH_EMU_PTX=7.5      | CUDA_ERROR_UNSUPPORTED_PTX_VERSION
          DH_EMU_MEMORY=1     | no room in its memory to begin with
          """)
  void driverOrDevice(String setting, String reason) throws Exception {
    child.with("libcublas.so.12");
    String[] parts = setting.split("=");
    child.environment.put(parts[0], parts[1]);
    assertFallsBack(reason.replace("LIB", child.lib.toString()));
  }

  @Test
  void noVisibleDevice_namesTheVariable() throws Exception {
    child.with("libcublas.so.12");
    child.environment.put("DH_EMU_NO_DEVICE", "1");
    child.environment.put("CUDA_VISIBLE_DEVICES", "");
    assertFallsBack("the driver sees none, with CUDA_VISIBLE_DEVICES=''; ");
  }

  @Test
  void deviceBeyondTheLast_saysHowManyThereAre() throws Exception {
    child.with("libcublas.so.12");
    child.environment.put("DH_EMU_DEVICES", "2");
    Child.Outcome outcome = child.train("cuda:2");
    assertThat(outcome.messages())
        .singleElement()
        .asString()
        .contains("device cuda:2: expected cuda:0 to cuda:1", "2 devices");
    assertThat(outcome.code()).isEqualTo(4);
  }

  // cuBLAS

  @Test
  void cublasMissing() throws Exception {
    assertFallsBack(
        "no cuBLAS that can be used: %s: a folder without libcublas.so.12 or libcublas.so.13;"
                .formatted(child.lib)
            + " cuBLAS 12 or 13 is needed; install it");
  }

  @Test
  void cublasJunk() throws Exception {
    Files.writeString(child.lib.resolve("libcublas.so.12"), JUNK);
    assertFallsBack("libcublas.so.12: file too short; cuBLAS 12 or 13 is needed");
  }

  @Test
  void cublasThatIsAnotherLibrary() throws Exception {
    Files.copy(child.lib.resolve("libcuda.so.1"), child.lib.resolve("libcublas.so.12"));
    assertFallsBack("libcublas.so.12: it has no function cublas");
  }

  @Test
  void cublasOfAnotherVersion() throws Exception {
    Files.writeString(child.lib.resolve("libcublas.so.11"), JUNK);
    assertFallsBack("libcublas.so.11: not version 12 or 13; cuBLAS 12 or 13 is needed");
  }

  @Test
  void cublasVariableNamesNothing() throws Exception {
    child.with("libcublas.so.12");
    child.environment.put("DOWNHILL_CUBLAS", "/nowhere/libcublas.so.12");
    assertFallsBack("no cuBLAS that can be used: /nowhere/libcublas.so.12: not found; ");
  }

  @Test
  void cublas13_needsADriverOfItsTime() throws Exception {
    child.with("libcublas.so.13");
    child.environment.put("DH_EMU_DRIVER", "12080");
    assertFallsBack("version 13 needs a driver of version 580 (CUDA 13.0) or newer");
  }

  @ParameterizedTest
  @ValueSource(strings = {"libcublas.so.12", "libcublas.so.13"})
  void cublasOfEitherVersion_isUsed(String library) throws Exception {
    child.with(library);
    assertWorks();
  }

  @Test
  void cublasOfAPythonPackage_isUsed() throws Exception {
    Path wheel = child.folder.resolve("venv/lib/python3.12/site-packages/nvidia/cublas/lib");
    Files.createDirectories(wheel);
    child.with("libcublas.so.12");
    Files.move(child.lib.resolve("libcublas.so.12"), wheel.resolve("libcublas.so.12"));
    child.environment.remove("DOWNHILL_CUBLAS");
    child.environment.put("VIRTUAL_ENV", child.folder.resolve("venv").toString());
    Child.Outcome outcome = child.run("doctor");
    assumeTrue(outcome.out().contains(wheel.toString()), "a machine without a cuBLAS of its own");
    assertThat(outcome.out()).contains("  cuBLAS: 12.").contains("cuda:0 self-test: a sum and");
    assertThat(outcome.code()).isZero();
  }

  // JCuda's own libraries

  @ParameterizedTest
  @CsvSource({
    "jcuda-natives-, the class path has no lib/libJCudaDriver-12.6.0-linux-x86_64.so; JCuda 12.6.0",
    "jcublas-natives-, the class path has no lib/libJCublas2-12.6.0-linux-x86_64.so; JCuda 12.6.0",
    "jcublas-1, NoClassDefFoundError: jcuda/jcublas/JCublas2; JCuda 12.6.0 is needed"
  })
  void jarMissing(String jar, String reason) throws Exception {
    child.with("libcublas.so.12").without(jar);
    assertFallsBack(reason);
  }

  @Test
  void junkInTheUnpackFolder_isReplaced() throws Exception {
    child.with("libcublas.so.12");
    assertWorks();
    List<Path> files;
    try (var all = Files.walk(unpacked())) {
      files = all.filter(Files::isRegularFile).toList();
    }
    assertThat(files).hasSize(2);
    for (Path file : files) {
      Files.writeString(file, JUNK);
    }
    assertWorks();
    assertThat(files).allSatisfy(file -> assertThat(Files.size(file)).isGreaterThan(1_000_000));
  }

  @Test
  void unpackFolderThatOthersCanWrite() throws Exception {
    child.with("libcublas.so.12");
    Files.createDirectories(unpacked());
    Files.setPosixFilePermissions(unpacked(), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertFallsBack(
        "no place to unpack JCuda's libraries: %s can be written by others; a folder that only you"
                .formatted(unpacked())
            + " can write is needed; set XDG_CACHE_HOME to one, or use --device cpu");
  }

  @Test
  void unpackFolderThatIsALink() throws Exception {
    child.with("libcublas.so.12");
    Files.createDirectories(unpacked().getParent());
    Files.createSymbolicLink(unpacked(), Files.createDirectory(folder.resolve("elsewhere")));
    assertFallsBack(unpacked() + " is a symbolic link; ");
    assertThat(folder.resolve("elsewhere")).isEmptyDirectory();
  }

  @Test
  void unpackFolderThatCannotBeWritten() throws Exception {
    child.with("libcublas.so.12");
    Files.createDirectories(unpacked().getParent());
    Files.writeString(unpacked(), JUNK);
    assertFallsBack(unpacked() + " is not a folder; ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"HOME", "XDG_CACHE_HOME"})
  void homeThatCannotBeWritten(String variable) throws Exception {
    child.with("libcublas.so.12");
    child.environment.put(variable, "/proc/none");
    assertFallsBack("no place to unpack JCuda's libraries: /proc/none cannot be made or written");
  }

  @Test
  void manyProcessesAtOnce_allFindTheirLibraries() throws Exception {
    child.with("libcublas.so.13");
    List<Future<Child.Outcome>> outcomes = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
      Callable<Child.Outcome> examine = () -> child.run("doctor");
      for (int i = 0; i < 8; i++) {
        outcomes.add(pool.submit(examine));
      }
      for (Future<Child.Outcome> outcome : outcomes) {
        assertThat(outcome.get().code()).as(outcome.get().out()).isZero();
      }
    }
    try (var files = Files.walk(unpacked()).filter(Files::isRegularFile)) {
      assertThat(files).hasSize(2);
    }
  }

  // The doctor

  @Test
  void doctor_aDeviceThatDoesNot_hasAnExitCode_andEveryReasonIsTold() throws Exception {
    child.environment.put("DH_EMU_DRIVER", "11080");
    Child.Outcome outcome = child.run("doctor");
    assertThat(outcome.out())
        .contains("! driver: found a driver of CUDA 11.8", "! cuBLAS: found no cuBLAS")
        .contains("! cuda:0 self-test: found device cuda:0: ");
    assertThat(outcome.code()).isEqualTo(4);
  }
}

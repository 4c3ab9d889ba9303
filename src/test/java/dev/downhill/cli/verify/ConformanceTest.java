package dev.downhill.cli.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.downhill.Emulator;
import dev.downhill.backend.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What PyTorch computed, on both backends. */
class ConformanceTest {
  private static final Path FOLDER = Path.of("../shared/conformance");

  private static void replay(Path cases, Device device) {
    List<String> failures = new ArrayList<>();
    Verification.Report report =
        Verification.run(cases, device, (name, what) -> failures.add(name + ": " + what));
    System.out.printf(
        "conformance on %s: %d cases: %d passed, %d failed, %d skipped (%d comparisons)%n",
        device,
        report.cases(),
        report.passed(),
        report.failed(),
        report.skippedCases(),
        report.comparisons());
    assertThat(failures).isEmpty();
    assertThat(report.failed()).isZero();
    assertThat(report.passed()).isPositive();
    assertThat(report.passed() + report.skippedCases()).isEqualTo(report.cases());
  }

  @Test
  void packedCases_passOnTheCpu() {
    try (PackedCases packed = new PackedCases()) {
      replay(packed.folder(), Device.cpu());
      assertThat(packed.folder()).isDirectoryContaining("glob:**/linear.safetensors");
    }
  }

  @Test
  void packedCases_leaveNoFolderBehind() {
    PackedCases packed = new PackedCases();
    packed.close();
    assertThat(packed.folder()).doesNotExist();
  }

  @Test
  @Tag("cuda")
  void packedCases_passOnCuda() {
    long launches = Emulator.count("launches");
    try (PackedCases packed = new PackedCases()) {
      replay(packed.folder(), Device.of("cuda"));
    }
    if (Emulator.isThere()) {
      assertThat(Emulator.count("launches")).isGreaterThan(launches);
    }
  }

  /** A training of each kind: ten losses, the output and the state after them. */
  private static void trainings(Path cases, Device device) {
    for (String model : List.of("residual", "decoder", "lstm_classifier", "recommender")) {
      try (CaseFile file = CaseFile.open(cases.resolve(model + ".safetensors"))) {
        for (Case c : file.cases()) {
          assertThat(c.values("out.losses").shape().numel()).isGreaterThanOrEqualTo(10);
          Checks checks = new Checks(c);
          new ModelReplay().run(c, device, checks);
          assertThat(checks.failure()).as("%s on %s", c.name(), device).isNull();
          assertThat(checks.comparisons()).isGreaterThan(2);
        }
      }
    }
  }

  @Test
  void trainings_haveTheLossesOfPyTorchOnTheCpu() {
    try (PackedCases packed = new PackedCases()) {
      trainings(packed.folder(), Device.cpu());
    }
  }

  @Test
  @Tag("cuda")
  void trainings_haveTheLossesOfPyTorchOnCuda() {
    try (PackedCases packed = new PackedCases()) {
      trainings(packed.folder(), Device.of("cuda"));
    }
  }

  @Test
  void casesBesideTheProject_pass() {
    assumeTrue(Files.isDirectory(FOLDER), "no conformance cases at " + FOLDER);
    replay(FOLDER, Device.cpu());
  }
}

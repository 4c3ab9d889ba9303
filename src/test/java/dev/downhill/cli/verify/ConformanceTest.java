package dev.downhill.cli.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.downhill.backend.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The whole set of cases, where it lies beside the project. */
class ConformanceTest {
  private static final Path CASES = Path.of("../shared/conformance");

  @Test
  void noCaseFails() {
    assumeTrue(Files.isDirectory(CASES), "no conformance cases at " + CASES);
    List<String> failures = new ArrayList<>();
    Verification.Report report =
        Verification.run(CASES, Device.cpu(), (name, what) -> failures.add(name + ": " + what));
    System.out.printf(
        "conformance: %d cases: %d passed, %d failed, %d skipped (%d comparisons)%n",
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
}

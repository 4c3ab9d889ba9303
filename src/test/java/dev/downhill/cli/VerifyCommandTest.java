package dev.downhill.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.checkpoint.SafetensorsWriter;
import dev.downhill.cli.verify.CaseWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class VerifyCommandTest {
  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final CaseWriter cases = new CaseWriter();

  private int verify(String... args) {
    CommandLine line = new CommandLine(new Downhill());
    line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    List<String> all = new ArrayList<>(List.of("verify"));
    all.addAll(List.of(args));
    if (!all.contains("--device")) {
      all.addAll(List.of("--device", "cpu"));
    }
    return Downhill.run(line, all.toArray(String[]::new));
  }

  private int verifyFolder(String... args) {
    cases.write(folder.resolve("ops.safetensors"));
    List<String> all = new ArrayList<>(List.of("--cases", folder.toString()));
    all.addAll(List.of(args));
    return verify(all.toArray(String[]::new));
  }

  private String lastLine() {
    return out.toString().lines().reduce("", (_, line) -> line);
  }

  private void givenAdd(String name, double expected, double expectedGradient) {
    cases
        .op(name, "add", "{\"alpha\": 2}", "input other")
        .with("in.input", 1, 2)
        .with("in.other", 3)
        .with("out.output", 7, expected)
        .with("dout.output", 10, 100)
        .with("din.input", 10, 100)
        .with("din.other", expectedGradient);
  }

  @Test
  void allPassing() {
    givenAdd("add/one/float64", 8, 220);
    givenAdd("add/two/float64", 8, 220);
    assertThat(verifyFolder()).isZero();
    assertThat(out.toString())
        .isEqualTo("cpu:0: 1 files, 2 cases: 2 passed, 0 failed, 0 skipped (6 comparisons)\n");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void wrongOutputIsOneLine() {
    givenAdd("add/fine/float64", 8, 220);
    givenAdd("add/wrong/float64", 9, 220);
    assertThat(verifyFolder()).isEqualTo(1);
    assertThat(out.toString())
        .startsWith(
            "failed add/wrong/float64: out.output[1]: expected 9.0, got 8.0, error 1.00, 1 of 2"
                + " differ\n")
        .hasLineCount(2);
  }

  @Test
  void wrongGradientFails() {
    givenAdd("add/wrong/float64", 8, 221);
    assertThat(verifyFolder()).isEqualTo(1);
    assertThat(out.toString())
        .startsWith("failed add/wrong/float64: din.other[0]: expected 221.0, got 220.0");
  }

  @Test
  void operatorThatThrowsIsAFailedCase() {
    cases
        .op("add/shapes/float64", "add", "{\"alpha\": 1.0}", "input other")
        .with("in.input", 1, 2)
        .with("in.other", 3, 4, 5)
        .with("out.output", 1);
    assertThat(verifyFolder()).isEqualTo(1);
    assertThat(out.toString())
        .startsWith("failed add/shapes/float64: dev.downhill.shape.ShapeException: add: ")
        .hasLineCount(2);
  }

  @Test
  void whatCannotRunIsSkippedByName() {
    givenAdd("add/fine/float64", 8, 220);
    cases
        .op("frobnicate/a/float64", "frobnicate", "{}", "input")
        .with("in.input", 1)
        .with("out.output", 1);
    cases
        .op("frobnicate/b/float64", "frobnicate", "{}", "input")
        .with("in.input", 1)
        .with("out.output", 1);
    cases
        .op("neg/colour/float64", "neg", "{\"colour\": \"red\"}", "input")
        .with("in.input", 1)
        .with("out.output", -1);
    cases
        .op("neg/two/float64", "neg", "{}", "input scale")
        .with("in.input", 1)
        .with("in.scale", 1)
        .with("out.output", -1);
    cases
        .op("neg/layout/float64", "neg", "{\"layout\": {\"input\": \"spiral\"}}", "input")
        .with("in.input", 1)
        .with("out.output", -1);
    assertThat(verifyFolder()).isZero();
    assertThat(out.toString().lines())
        .containsExactly(
            "skipped frobnicate: 2 cases, no such operator yet: frobnicate/a/float64,"
                + " frobnicate/b/float64",
            "skipped neg: 1 cases, no attribute colour: neg/colour/float64",
            "skipped neg: 1 cases, no input scale: neg/two/float64",
            "skipped neg: 1 cases, no layout spiral: neg/layout/float64",
            "cpu:0: 1 files, 6 cases: 1 passed, 0 failed, 5 skipped (3 comparisons)");
  }

  @Test
  void jsonIsTheLastLine() {
    givenAdd("add/fine/float64", 8, 220);
    givenAdd("add/wrong/float64", 9, 220);
    cases.op("frobnicate/a/float64", "frobnicate", "{}", "").with("out.output", 1);
    assertThat(verifyFolder("--json")).isEqualTo(1);
    assertThat(lastLine())
        .isEqualTo(
            "{\"device\":\"cpu:0\",\"files\":1,\"cases\":3,\"passed\":1,\"failed\":1,\"skipped\":1,"
                + "\"comparisons\":6,\"launches\":0,\"kernels\":0,\"copies_to_host\":0}");
  }

  @Test
  void nothingComparedIsAFailure() {
    cases.op("frobnicate/a/float64", "frobnicate", "{}", "").with("out.output", 1);
    assertThat(verifyFolder("--json")).isEqualTo(1);
    assertThat(lastLine()).contains("\"skipped\":1,\"comparisons\":0");
    assertThat(err.toString()).isEqualTo("downhill: verify: nothing was compared\n");
  }

  @Test
  void folderOfNoCasesIsAFailure() {
    assertThat(verifyFolder()).isEqualTo(1);
    assertThat(err.toString()).contains("nothing was compared");
  }

  @Test
  void withoutAFolderThePackedCasesAreReplayed() {
    assertThat(verify("--json")).isZero();
    assertThat(lastLine()).contains("\"failed\":0").doesNotContain("\"files\":0");
  }

  @Test
  void missingFolderIsAUsageError() {
    assertThat(verify("--cases", folder.resolve("none").toString())).isEqualTo(2);
    assertThat(err.toString()).contains("expected a folder", "none").hasLineCount(1);
  }

  @Test
  void folderWithoutFilesIsAnErrorOfTheData() throws IOException {
    Files.writeString(folder.resolve("README.md"), "cases");
    assertThat(verify("--cases", folder.toString())).isEqualTo(3);
    assertThat(err.toString()).contains("*.safetensors", folder.toString()).hasLineCount(1);
  }

  @Test
  void brokenFileIsNamed() throws IOException {
    Files.write(folder.resolve("conv2d.safetensors"), new byte[] {1, 2, 3});
    assertThat(verify("--cases", folder.toString())).isEqualTo(6);
    assertThat(err.toString()).contains("conv2d.safetensors: too short").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{}",
        "[1]",
        "[{\"name\": \"a\"}]",
        "[{\"name\": \"a\", \"name\": \"b\"}]",
        "[{\"name\": \"a\", \"kind\": \"op\", \"op\": \"neg\", \"attrs\": [], \"inputs\": [],"
            + " \"outputs\": [], \"rtol\": 0, \"atol\": 0}]",
        "[{\"name\": \"a\", \"kind\": \"op\", \"op\": \"neg\", \"attrs\": {}, \"inputs\":"
            + " [\"input\"], \"outputs\": [], \"rtol\": 0, \"atol\": 0}]",
      })
  void descriptionThatIsNoneIsAnError(String json) {
    new SafetensorsWriter().metadata("cases", json).write(folder.resolve("neg.safetensors"));
    assertThat(verify("--cases", folder.toString())).isEqualTo(6);
    assertThat(err.toString()).contains("neg.safetensors: ").hasLineCount(1);
  }

  @Test
  void deviceThatIsNotThereHasItsOwnCode() {
    givenAdd("add/fine/float64", 8, 220);
    assertThat(verifyFolder("--device", "cpu:99")).isEqualTo(4);
    assertThat(err.toString()).contains("cpu:99").hasLineCount(1);
  }
}

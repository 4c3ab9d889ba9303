package dev.downhill.jobs.spreadsheet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.train.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpreadsheetTest {
  @TempDir Path folder;

  private record Run(JobResult result, String text) {}

  private Run run(Map<JobOption, String> given) {
    JobOptions options = new JobOptions(Device.cpu(), 1, folder.resolve("run"), false, given);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new Spreadsheet()
            .run(
                options,
                new PrintStream(text, true, StandardCharsets.UTF_8),
                new Trainer.Listener() {});
    return new Run(result, text.toString(StandardCharsets.UTF_8));
  }

  @Test
  void everyCell_isTheSameByHandAndByTheEngine() throws IOException {
    Run run = run(Map.of());
    assertThat(run.text).contains("Every number by hand equals the engine's to the last bit.");
    List<String> lines = Files.readAllLines(folder.resolve("run/spreadsheet.csv"));
    assertThat(lines).hasSize(1 + 9 + 5 + 8 + 9 + 5 + 5);
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",");
      assertThat(cells[4]).as(line).isEqualTo(cells[5]);
    }
  }

  // The loss as a function of one weight, written out again, and its slope by differences.
  @ParameterizedTest
  @CsvSource({"0, dL/dw1", "1, dL/dw2", "2, dL/db", "3, dL/dv", "4, dL/dc"})
  void theDerivatives_areSlopesOfTheLoss(int weight, String cell) {
    double[] w = {0.8, -0.5, 0.15, 0.9, 0.1};
    double slope = UnitByHand.step(w.clone(), 0.5).value(cell);
    double h = 1e-5;
    w[weight] += h;
    double above = loss(w);
    w[weight] -= 2 * h;
    double below = loss(w);
    assertThat(slope).isCloseTo((above - below) / (2 * h), within(1e-9));
  }

  private static double loss(double[] w) {
    double hidden = 1 / (1 + Math.exp(-(w[0] * 0.5 + w[1] * 0.3 + w[2])));
    return Math.pow(w[3] * hidden + w[4] - 1, 2);
  }

  @Test
  void theLossAfterTheStep_isThatOfTheNudgedWeights() {
    Sheet sheet = UnitByHand.step(new double[] {0.8, -0.5, 0.15, 0.9, 0.1}, 0.5);
    double[] nudged = Spreadsheet.WEIGHTS.stream().mapToDouble(w -> sheet.value(w + "'")).toArray();
    assertThat(sheet.value("L'")).isCloseTo(loss(nudged), within(1e-15));
    JobResult result = run(Map.of()).result;
    assertThat(result.lossFirst()).isEqualTo(sheet.value("L"));
    assertThat(result.lossLast()).isEqualTo(sheet.value("L'")).isLessThan(result.lossFirst());
  }

  @Test
  void aFormula_hasNumbersInPlaceOfNames() {
    Sheet sheet = new Sheet();
    sheet.given("x1", 0.5);
    sheet.given("w1'", -0.25);
    sheet.given("dL/dz", 1.23456e-7);
    sheet.cell("z", "w1'*x1 - dL/dz*exp(x1) + x10", 0);
    assertThat(sheet.withNumbers("z")).isEqualTo("(-0.25)*0.5 - 1.235e-07*exp(0.5) + x10");
    assertThat(sheet.csv(Map.of())).contains("=G3*G2 - G4*EXP(G2) + X10\n");
  }

  @Test
  void aCellThatIsNotThere_isNamed() {
    assertThatThrownBy(() -> new Sheet().value("q"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("sheet: expected one of [], got 'q'");
  }

  @Test
  void moreSteps_eachAgree() {
    Run run = run(Map.of(JobOption.STEPS, "40", JobOption.LR, "0.3"));
    assertThat(run.text).contains("Step 40: loss ", "to the last bit");
    assertThat(run.result.steps()).isEqualTo(40);
    assertThat(run.result.lossLast()).isLessThan(1e-12);
  }

  @ParameterizedTest
  @CsvSource({"4, 60", "100, 60", "1e6, 60"})
  void aRateThatIsTooHigh_staysTheSameInBoth(String rate, String steps) {
    Run run = run(Map.of(JobOption.STEPS, steps, JobOption.LR, rate));
    assertThat(run.text).contains("to the last bit");
  }
}

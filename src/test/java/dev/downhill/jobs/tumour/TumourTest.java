package dev.downhill.jobs.tumour;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.downhill.backend.Device;
import dev.downhill.data.DataException;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.tensor.HostRandom;
import dev.downhill.train.Trainer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TumourTest {
  @TempDir Path folder;

  private record Run(JobResult result, String text) {}

  private Run run(String out, Map<JobOption, String> given) {
    JobOptions options = new JobOptions(Device.cpu(), 1, folder.resolve(out), false, given);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new Tumour()
            .run(
                options,
                new PrintStream(text, true, StandardCharsets.UTF_8),
                new Trainer.Listener() {});
    return new Run(result, text.toString(StandardCharsets.UTF_8));
  }

  /** Two overlapping clouds of points, {@code rows} of class M and as many of class B. */
  private Path table(int rows) throws IOException {
    StringBuilder csv = new StringBuilder("diagnosis,a,b,c\n");
    HostRandom random = new HostRandom(1, "table");
    for (int i = 0; i < 2 * rows; i++) {
      double shift = i % 2 == 0 ? 1.5 : -1.5;
      csv.append(i % 2 == 0 ? "M" : "B").append(',').append(shift + random.normal());
      csv.append(',').append(100 * random.normal()).append(',');
      csv.append(shift + random.normal()).append('\n');
    }
    return Files.writeString(folder.resolve("own.csv"), csv);
  }

  @Test
  void aShortRun_leavesItsFolder_withThePlacesDrawn() throws IOException {
    Run run = run("run", Map.of(JobOption.STEPS, "3"));
    assertThat(run.result.steps()).isEqualTo(3);
    assertThat(run.result.metric().name()).isEqualTo("accuracy");
    assertThat(run.text).contains("8,000 scans of 48 x 48 pixels", "AUROC", "by lot");
    assertThat(folder.resolve("run"))
        .isDirectoryContaining(
            "glob:**/{config.json,metrics.csv,curve.png,model.safetensors,tumour.png}");
    byte[] png = Files.readAllBytes(folder.resolve("run/tumour.png"));
    assertThat(ImageIO.read(new ByteArrayInputStream(png)).getWidth()).isEqualTo(12 + 6 * 156);
  }

  @Test
  void aTable_isCrossValidated_withTheSameBitsAgain() throws IOException {
    String csv = table(100).toString();
    Map<JobOption, String> given = Map.of(JobOption.DATA, csv, JobOption.TARGET, "diagnosis");
    Run run = run("one", given);
    assertThat(run.result.metric().value()).isBetween(0.93, 1.0);
    assertThat(run.text).contains("200 rows: 100 B, 100 M.", "told right", "AUROC");
    run("two", given);
    assertThat(folder.resolve("one/held-out.csv"))
        .hasSameBinaryContentAs(folder.resolve("two/held-out.csv"));
    assertThat(Files.readAllLines(folder.resolve("one/held-out.csv"))).hasSize(201);
  }

  @Test
  void steps_endEveryFold() throws IOException {
    Run run =
        run(
            "run",
            Map.of(
                JobOption.DATA,
                table(50).toString(),
                JobOption.TARGET,
                "diagnosis",
                JobOption.STEPS,
                "2"));
    assertThat(run.result.steps()).isEqualTo(20);
  }

  @Test
  void theBreastCancerTable_isToldRight() {
    Path csv = Path.of("../shared/data/sklearn/breast_cancer.csv");
    assumeThat(csv).exists();
    Run run = run("run", Map.of(JobOption.DATA, csv.toString()));
    assertThat(run.text).contains("569 rows: 357 benign, 212 malignant.");
    assertThat(run.result.metric().value()).isGreaterThanOrEqualTo(0.97);
  }

  @Test
  void aTargetWithoutTwoClasses_isRefused_beforeAnythingIsWritten() throws IOException {
    String many = table(20).toString();
    assertThatThrownBy(() -> run("x", Map.of(JobOption.DATA, many)))
        .isInstanceOf(DataException.class)
        .hasMessageMatching(
            "own.csv: column \"c\": expected two classes to tell apart, got 40: .*, \\.\\.\\.");
    Path file = folder.resolve("own.csv");
    Files.writeString(file, "a,target,b\n1,yes,2\n2,yes,3\n");
    assertThatThrownBy(() -> run("x", Map.of(JobOption.DATA, many)))
        .hasMessage("own.csv: column \"target\": expected two classes to tell apart, got 1: yes");
    Files.writeString(file, "a,b\n1,0\n2,1\n3,1\n");
    assertThatThrownBy(() -> run("x", Map.of(JobOption.DATA, many)))
        .hasMessage("own.csv: column \"b\": expected at least 10 rows of each class, got 1 of 0");
    Files.writeString(file, "a,b\n1,0\n2,\n3,1\n");
    assertThatThrownBy(() -> run("x", Map.of(JobOption.DATA, many)))
        .hasMessage(
            "own.csv: column \"b\": expected a class in every row, got an empty cell in row 2");
    assertThatThrownBy(() -> run("x", Map.of(JobOption.DATA, folder + "/none.csv")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no such file");
    assertThat(folder.resolve("x")).doesNotExist();
  }

  @Test
  void aTargetWithoutData_isRefused() {
    assertThatThrownBy(() -> run("x", Map.of(JobOption.TARGET, "y")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("--target: expected it together with --data FILE.csv, got 'y'");
    assertThat(folder.resolve("x")).doesNotExist();
  }
}

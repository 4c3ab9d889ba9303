package dev.downhill.jobs.curve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.train.Progress;
import dev.downhill.train.Trainer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CurveTest {
  @TempDir Path folder;

  private record Run(JobResult result, String text, List<Long> steps) {}

  private Run run(Map<JobOption, String> given) {
    JobOptions options = new JobOptions(Device.cpu(), 1, folder.resolve("run"), false, given);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    List<Long> steps = new ArrayList<>();
    Trainer.Listener listener =
        new Trainer.Listener() {
          @Override
          public void progress(Progress progress) {
            steps.add(progress.step());
          }
        };
    JobResult result =
        new Curve().run(options, new PrintStream(text, true, StandardCharsets.UTF_8), listener);
    return new Run(result, text.toString(StandardCharsets.UTF_8), steps);
  }

  @Test
  void theDefault_showsCrawlingConvergingOscillatingAndDiverging() throws IOException {
    Run run = run(Map.of());
    assertThat(run.text)
        .contains(
            "The curve is x^4 - 3x^2 + x",
            "at x = -1.3008, where the curve is -3.5139 and its curvature, by autograd twice,"
                + " 14.3062.",
            "it crawls: rate x curvature is 0.0200, far below 1",
            "it converges: rate x curvature at the minimum is 1.00",
            "it oscillates, closer every time: rate x curvature at the minimum is 1.90, between 1"
                + " and 2",
            "it diverges: rate x curvature at the minimum is 4.95, above 2");
    assertThat(run.result.lossLast()).isCloseTo(-3.513905, within(1e-6));
    assertThat(run.steps).first().isEqualTo(1L);
    byte[] png = Files.readAllBytes(folder.resolve("run/curve-paths.png"));
    assertThat(ImageIO.read(new ByteArrayInputStream(png)).getHeight()).isEqualTo(3 * 440);
    assertThat(folder.resolve("run/path.csv")).content().startsWith("rate,step,x,height,slope\n");
    String again = run(Map.of()).text;
    assertThat(again).isEqualTo(run.text);
  }

  @ParameterizedTest
  @EnumSource
  void everyNamedCurve_hasItsFourRates(CurvePreset preset) {
    String name = preset.name().toLowerCase(Locale.ROOT).replace('_', '-');
    String text = run(Map.of(JobOption.CURVE, name)).text;
    assertThat(text.lines().filter(l -> l.startsWith("At rate "))).hasSize(4);
    assertThat(text).contains("it crawls").doesNotContain("null");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          x^2          | -1.5 | 0.5   | it converges: rate x curvature at the minimum is 1.00: there a step leaves 0.00 of the distance
          x^2          | 1    | 0.01  | it crawls: rate x curvature is 0.0200
          x^2          | 1    | 0.9   | it oscillates, closer every time: rate x curvature at the minimum is 1.80
          x^2          | 1    | 1     | it bounces for ever
          x^2          | 1    | 1.25  | it diverges: rate x curvature at the minimum is 2.50, above 2: there a step ends on the other side, 1.50 times
          x^2          | 0    | 1     | it stays: the slope is 0: a step is rate x slope, and the slope at the start is 0
          x^2          | 300  | 0.5   | it converges
          x^4/4        | 1    | 0.5   | it crawls: a step is rate x slope, and the slope fades
          abs(x)       | 1.5  | 1     | it bounces for ever: the slope does not fade towards the minimum: it is 1.00 right beside it
          abs(x)       | 2    | 1     | it converges: by luck
          x - log(x)   | 3    | 6     | it leaves the curve: step 1, rate x slope = 6.00 x 0.667, carried it from x = 3.000 to -1.000, where the curve is not a number
          log(x)       | 1    | 0.4   | it leaves the curve
          -x^2         | 0.1  | 0.5   | it runs downhill without end: the curve goes on falling
          x            | 0    | 1     | it runs downhill without end
          x^4 - 3x^2 + x | -1.9 | 0.14 | it ends outside its valley: step 1, rate x slope = 0.140 x -15.0, carried it from x = -1.900 to 0.2050, and its valley ends at 0.1700
          exp(-4x) + x | 3    | 0.505 | it oscillates, closer every time: rate x curvature is 2.02 at the minimum
          1 - exp(-x^2)| 3    | 0.5   | it crawls: a step is rate x slope, and the slope is hardly there
          x^2/10 + sin(3x) | 0 | 1.5  | it jumps about: rate x curvature was up to
          sqrt(x)      | 0    | 1     | it leaves the curve: at the start, x = 0.000, its slope is no finite number
          """)
  void whatARateDoes_isSeenAndExplained(String curve, String start, String rate, String words) {
    String text =
        run(Map.of(JobOption.CURVE, curve, JobOption.START, start, JobOption.LR, rate)).text;
    assertThat(text.lines().filter(l -> l.startsWith("At your rate ")).toList())
        .hasSize(1)
        .first()
        .asString()
        .contains(words);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          wel       | 1  | --curve: expected a number, x, pi
          wel       | 1  | got 'wel'; or one of the curves double-well, bowl, flat, corner, ripples, plateau, cliff, edge
          log(x)    | -1 | --start: expected a place where log(x) is a number, got -1.0, where it is NaN
          1/x       | 0  | --start: expected a place where 1/x is a number, got 0.0, where it is Infinity
          x         | up | --start: expected a number from -1000000 to 1000000, got 'up'
          x         | NaN | --start: expected a number from -1000000 to 1000000, got 'NaN'
          """)
  void whatCannotBeWalked_isRefused_beforeAnythingIsWritten(
      String curve, String start, String message) {
    assertThatThrownBy(() -> run(Map.of(JobOption.CURVE, curve, JobOption.START, start)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
    assertThat(folder.resolve("run")).doesNotExist();
  }

  @Test
  void aCurveThatIsNowhereANumber_isRefused() {
    assertThatThrownBy(() -> run(Map.of(JobOption.CURVE, "log(-x^2 - 1)")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "--curve: expected a curve that is a number somewhere from -10 to 10, got"
                + " log(-x^2 - 1)");
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "3", "500"})
  void anyNumberOfSteps_isWalkedAndDrawn(String steps) {
    Run run = run(Map.of(JobOption.STEPS, steps, JobOption.CURVE, "bowl"));
    assertThat(run.text).contains("it converges");
    assertThat(folder.resolve("run/curve-paths.png")).isNotEmptyFile();
  }
}

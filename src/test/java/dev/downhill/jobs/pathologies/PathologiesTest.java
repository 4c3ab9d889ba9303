package dev.downhill.jobs.pathologies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.data.Dataset;
import dev.downhill.data.Spirals;
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
import java.util.Map;
import java.util.Objects;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathologiesTest {
  @TempDir Path folder;

  private static Course course(Therapy therapy, int steps) {
    try (Dataset train = Spirals.dataset(Device.cpu(), 128, 1);
        Dataset heldOut = Spirals.dataset(Device.cpu(), 64, 2)) {
      return Course.of(therapy, train, heldOut, steps, 1, _ -> {});
    }
  }

  private static Therapy remedy(Therapy.Illness illness, String name) {
    return Objects.requireNonNull(illness.remedies().get(name));
  }

  @Test
  void sigmoids_leaveAboutAQuarterOfAGradient_ALayer() {
    Course ill = course(Therapy.Illness.VANISHING.untreated, 1);
    assertThat(ill.start().perLayer()).isBetween(0.18, 0.27);
    assertThat(ill.start().first() / ill.start().last()).isLessThan(1e-6);
    // He and LeCun: with the right variance nothing is lost.
    Course relu = course(remedy(Therapy.Illness.VANISHING, "He init, ReLU"), 1);
    assertThat(relu.start().perLayer()).isCloseTo(1, within(0.2));
    Course norm = course(remedy(Therapy.Illness.VANISHING, "layer norm"), 1);
    assertThat(norm.start().perLayer()).isGreaterThan(1.3 * ill.start().perLayer());
  }

  @Test
  void largeWeights_growByFourALayer_andEndInNaN() {
    Course ill = course(Therapy.Illness.EXPLODING.untreated, 20);
    assertThat(Math.pow(ill.outputs().get(10) / ill.outputs().get(1), 1.0 / 9)).isBetween(3.2, 4.8);
    assertThat(ill.steps()).hasSize(2);
    assertThat(ill.end().loss()).isNaN();
    assertThat(ill.verdict()).isEqualTo("the loss is NaN at step 2");
    assertThat(course(remedy(Therapy.Illness.EXPLODING, "He init"), 20).steps()).hasSize(20);
    assertThat(course(remedy(Therapy.Illness.EXPLODING, "clipping"), 20).end().loss()).isFinite();
  }

  @Test
  void aRemedyThatIsThereAlready_isLeftOut() {
    assertThat(Therapy.Illness.VANISHING.remedies().keySet())
        .containsExactly(
            "none", "He init", "He init, ReLU", "residual", "layer norm", "clipping", "rate 5.0");
    assertThat(Therapy.Illness.OVERSHOOTING.remedies().keySet())
        .containsExactly("none", "residual", "layer norm", "clipping", "rate 0.10");
  }

  private int width(String picture) throws IOException {
    byte[] png = Files.readAllBytes(folder.resolve("run").resolve(picture));
    return ImageIO.read(new ByteArrayInputStream(png)).getWidth();
  }

  @Test
  void aShortRun_leavesItsFolder_andTellsEveryStep() throws IOException {
    List<Double> told = new ArrayList<>();
    Trainer.Listener listener =
        new Trainer.Listener() {
          @Override
          public int every() {
            return 1;
          }

          @Override
          public void progress(Progress p) {
            assertThat(p.step()).isLessThanOrEqualTo(p.steps());
            told.add(p.loss());
          }
        };
    JobOptions options =
        new JobOptions(Device.cpu(), 1, folder.resolve("run"), false, Map.of(JobOption.STEPS, "3"));
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new Pathologies()
            .run(options, new PrintStream(text, true, StandardCharsets.UTF_8), listener);
    assertThat(told).hasSize((int) result.steps()).contains(Double.NaN);
    assertThat(result.lossLast()).isFinite();
    assertThat(text.toString(StandardCharsets.UTF_8))
        .contains("1. Sigmoids", "2. Weights of N(0, 1)", "3. A rate too high", "4. All remedies")
        .contains("the loss is NaN at step 2");
    assertThat(width("gradients.png")).isEqualTo(2 * 720);
    assertThat(width("losses.png")).isEqualTo(3 * 720);
    assertThat(width("along.png")).isEqualTo(3 * 720);
    assertThat(Files.readAllLines(folder.resolve("run/courses.csv")).getFirst())
        .startsWith("course,step,loss,gradient_1,")
        .endsWith(",gradient_12");
  }
}

package dev.downhill.jobs.oneweight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.train.Trainer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OneWeightTest {
  @TempDir Path folder;

  private record Run(JobResult result, String text) {}

  private Run run(@Nullable Double lr, @Nullable Long steps) {
    Map<JobOption, String> given = new EnumMap<>(JobOption.class);
    if (lr != null) {
      given.put(JobOption.LR, lr.toString());
    }
    if (steps != null) {
      given.put(JobOption.STEPS, steps.toString());
    }
    JobOptions options = new JobOptions(Device.cpu(), 1, folder.resolve("run"), false, given);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new OneWeight()
            .run(
                options,
                new PrintStream(text, true, StandardCharsets.UTF_8),
                new Trainer.Listener() {});
    return new Run(result, text.toString(StandardCharsets.UTF_8));
  }

  @Test
  void trace_isTheKnownOne() throws IOException {
    Run run = run(null, 4L);
    double[] w = {2.4, 2.88, 2.976, 2.9952};
    double[] loss = {36, 1.44, 0.0576, 0.002304};
    String[] lines = run.text.lines().filter(l -> l.matches(" +\\d+ +.*")).toArray(String[]::new);
    assertThat(lines).hasSize(4);
    for (int i = 0; i < 4; i++) {
      String[] cells = lines[i].strip().split(" +");
      assertThat(cells[1]).isEqualTo(cells[2]);
      assertThat(cells[3]).isEqualTo(cells[4]);
      assertThat(Double.parseDouble(cells[1])).isCloseTo(loss[i], within(1e-12));
      assertThat(Double.parseDouble(cells[3])).isCloseTo(w[i], within(1e-12));
    }
    assertThat(run.result.lossFirst()).isEqualTo(36);
    assertThat(run.result.steps()).isEqualTo(4);
    byte[] png = Files.readAllBytes(folder.resolve("run/one-weight.png"));
    assertThat(ImageIO.read(new ByteArrayInputStream(png)).getWidth()).isEqualTo(1440);
    assertThat(folder.resolve("run/config.json")).content().contains("\"lr\" : 0.1");
  }

  @ParameterizedTest
  @CsvSource({
    "0.1, approaches the solution from one side",
    "0.125, lands on the solution in one step",
    "0.2, it oscillates and converges",
    "0.25, it bounces for ever",
    "0.3, it diverges",
    "1e-5, approaches the solution from one side"
  })
  void regime_isTold(double lr, String words) {
    assertThat(run(lr, 6L).text).contains(words);
  }

  @Test
  void aDivergingRun_isDrawnAsFarAsItIsFinite() {
    assertThat(run(10.0, 400L).text).contains("it diverges");
    assertThat(folder.resolve("run/one-weight.png")).isNotEmptyFile();
  }

  @Test
  void optionsItHasNoUseFor_areRefused() {
    assertThatThrownBy(() -> new OneWeight().check(Set.of(JobOption.EPOCHS, JobOption.LR)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("--epochs: the job one-weight has no such option, it takes --lr, --steps");
  }
}

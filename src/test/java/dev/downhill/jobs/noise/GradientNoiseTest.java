package dev.downhill.jobs.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.data.Dataset;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.nn.Sequential;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Loss;
import dev.downhill.train.NumericException;
import dev.downhill.train.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GradientNoiseTest {
  private static final NoiseTask TASK = new NoiseTask(Device.cpu(), 1);

  @TempDir Path folder;

  private record Run(JobResult result, String text) {}

  private Run run(String rate, int steps, String out) {
    Map<JobOption, String> given = new EnumMap<>(JobOption.class);
    given.put(JobOption.STEPS, Integer.toString(steps));
    given.put(JobOption.LR, rate);
    JobOptions options = new JobOptions(Device.cpu(), 1, folder.resolve(out), false, given);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new GradientNoise()
            .run(
                options,
                new PrintStream(text, true, StandardCharsets.UTF_8),
                new Trainer.Listener() {});
    return new Run(result, text.toString(StandardCharsets.UTF_8));
  }

  @Test
  void theSpread_fallsWithTheRootOfTheBatch_twiceInTheSameWords() throws IOException {
    Run run = run("0.05", 40, "a");
    assertThat(run.result.metric().name()).isEqualTo("exponent");
    assertThat(run.result.metric().value()).isCloseTo(-0.5, within(0.03));
    assertThat(run.result.steps()).isEqualTo(4 * 40);
    assertThat(run.text).contains("Over 400 batches", "3. After 40 steps with batches of 32");
    assertThat(folder.resolve("a"))
        .isDirectoryContaining("glob:**/{config.json,noise.png,descent.png,gradients.csv}");
    // 97 weights, 5 sizes, at the start and at the end, and a header.
    assertThat(Files.readAllLines(folder.resolve("a/gradients.csv"))).hasSize(97 * 5 * 2 + 1);
    assertThat(run("0.05", 40, "b").text.replace("b\n", "a\n")).isEqualTo(run.text);
  }

  @Test
  void aRateThatDiverges_endsTheRun_andNoFolderIsMade() {
    assertThatThrownBy(() -> run("1000000", 60, "x"))
        .isInstanceOf(NumericException.class)
        .hasMessageStartingWith("noise: the loss became ")
        .hasMessageEndingWith("learning rate 1000000.0); try a lower rate");
    assertThat(folder.resolve("x")).doesNotExist();
  }

  @Test
  void samples_areTheGradientsOfTheEngine_andTheirMeanIsTheFullOne() {
    try (Dataset data = TASK.houses(DType.F64);
        Sequential model = TASK.model(DType.F64)) {
      int all = NoiseTask.EXAMPLES;
      GradientSamples full = GradientSamples.draw(model, data, all, 2, 1);
      model.parameters().forEach(p -> p.zeroGrad());
      Loss.mse(model.forward(data.x()), data.y()).backward();
      double[] truth = NoiseTask.gradient(model);
      // One pass in batches of 256.
      GradientSamples parts = GradientSamples.draw(model, data, 256, all / 256, 1);
      assertThat(truth).hasSize(NoiseTask.weights().size());
      for (int w = 0; w < truth.length; w++) {
        assertThat(full.mean(w)).isCloseTo(truth[w], within(1e-14));
        assertThat(full.spread(w)).isLessThan(1e-14);
        assertThat(parts.mean(w)).isCloseTo(truth[w], within(1e-14));
        assertThat(parts.spread(w)).isGreaterThan(1e-4);
      }
    }
  }

  @Test
  void statistics_areThoseOfTheirFormulas() {
    GradientSamples s = new GradientSamples(1, new double[][] {{1, -1}, {3, -3}, {5, 7}});
    assertThat(s.mean(0)).isEqualTo(3);
    assertThat(s.spread(0)).isEqualTo(2);
    assertThat(s.mean(1)).isEqualTo(1);
    assertThat(s.spread(1)).isCloseTo(Math.sqrt(28), within(1e-12));
    assertThat(s.rightSign(new double[] {2, -2})).isCloseTo(5.0 / 6, within(1e-12));
    assertThat(s.medianSpread()).isCloseTo((2 + Math.sqrt(28)) / 2, within(1e-12));
    assertThat(s.medianTrust(new double[] {-4, 0})).isEqualTo(1);
    assertThat(GradientSamples.median(new double[] {9, 1, 4})).isEqualTo(4);
  }

  @Test
  void theExponent_isTheSlopeOfTheLogarithms() {
    List<GradientSamples> sizes = new ArrayList<>();
    for (int batch : new int[] {1, 8, 32, 256}) {
      double spread = 3 * Math.pow(batch, -0.7);
      sizes.add(new GradientSamples(batch, new double[][] {{spread}, {-spread}}));
    }
    TrustTable table = new TrustTable(sizes, sizes.getLast());
    assertThat(table.exponent(0)).isCloseTo(-0.7, within(1e-12));
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64"})
  void accumulation_differsByRoundingOnly(DType dtype) {
    Accumulation a = Accumulation.measure(TASK, dtype);
    assertThat(a.largest()).isBetween(0.0, dtype == DType.F32 ? 1e-7 : 1e-15);
    assertThat(a.share()).isLessThan(1);
  }

  @Test
  void looks_endWithTheLastStep_andHoldThoseAskedFor() {
    assertThat(Descent.looks(400, 77, 500, 0)).contains(1L, 2L, 77L).endsWith(400L);
    assertThat(Descent.looks(1)).containsExactly(1L);
  }

  @Test
  void aDescent_isThatOfTheTrainer() {
    try (Dataset data = TASK.houses(DType.F32);
        Sequential a = TASK.model(DType.F32);
        Sequential b = TASK.model(DType.F32);
        var sgd = new dev.downhill.optim.Sgd(b.parameters(), 0.05)) {
      List<Double> heard = new ArrayList<>();
      Descent d =
          Descent.run(
              a, data, 256, 0.05, 1, new TreeSet<>(List.of(10L, 40L)), l -> heard.add(l.item()));
      new Trainer(
              b,
              sgd,
              null,
              Loss::mse,
              Loss::l1,
              Trainer.Options.DEFAULTS.withBatchSize(256).withSteps(40).withSeed(1))
          .fit(data, data, new Trainer.Listener() {});
      assertThat(heard).hasSize(40);
      assertThat(d.losses()).containsOnlyKeys(0L, 10L, 40L);
      assertThat(d.after(39)).isEqualTo(d.losses().get(10L));
      for (int i = 0; i < 4; i++) {
        assertThat(a.parameters().get(i).toFloats()).isEqualTo(b.parameters().get(i).toFloats());
      }
    }
  }
}

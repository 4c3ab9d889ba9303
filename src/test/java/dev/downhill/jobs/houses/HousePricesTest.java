package dev.downhill.jobs.houses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.checkpoint.Checkpoint;
import dev.downhill.checkpoint.Safetensors;
import dev.downhill.data.DataException;
import dev.downhill.data.Encoder;
import dev.downhill.data.Houses;
import dev.downhill.explain.BlameTable;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.nn.Sequential;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HousePricesTest {
  private static final Trainer.Listener SILENT = new Trainer.Listener() {};

  @TempDir Path folder;

  private static JobOptions options(
      Device device, @Nullable Path data, @Nullable String target, long steps, Path out) {
    Map<JobOption, String> given = new EnumMap<>(JobOption.class);
    given.put(JobOption.STEPS, Long.toString(steps));
    if (data != null) {
      given.put(JobOption.DATA, data.toString());
    }
    if (target != null) {
      given.put(JobOption.TARGET, target);
    }
    return new JobOptions(device, 1, out, false, given);
  }

  private static String run(JobOptions o) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    new HousePrices().run(o, new PrintStream(text, true, StandardCharsets.UTF_8), SILENT);
    return text.toString(StandardCharsets.UTF_8);
  }

  @Test
  void theTables_showTheRunsOwnFirstStep() {
    JobOptions o = options(Device.cpu(), null, null, 1, folder.resolve("run"));
    String text = run(o);
    PriceTask task = PriceTask.of(o);
    Recipe recipe = Recipe.of(o, task);
    try (var train = task.train(o.device());
        Sequential model = recipe.model(o.device())) {
      var batch = train.batches(recipe.batch(), o.seed()).iterator().next();
      Tensor loss = Loss.mse(model.forward(batch.x()), batch.y());
      loss.backward();
      assertThat(text)
          .contains(String.format(Locale.ROOT, "is %.4f: the mean squared", loss.item()));
      BlameTable blame = BlameTable.of(model.parameters().get(0), task.encoder().featureNames());
      assertThat(text).contains(blame.toString());
      // The run's own first step starts from the same loss.
      assertThat(text).contains("1. Predict.", "4. Nudge.", "5. Choose a rate.", "6. Repeat.");
    }
  }

  @Test
  void theRunFolder_holdsAModelThatPredictsAgain() throws IOException {
    Path out = folder.resolve("run");
    JobOptions o = options(Device.cpu(), null, null, 400, out);
    String text = run(o);
    assertThat(out)
        .isDirectoryContaining("glob:**/{config.json,metrics.csv,curve.png,model.safetensors}");
    assertThat(Files.readAllLines(out.resolve("metrics.csv")))
        .hasSize(3)
        .first()
        .isEqualTo("epoch,step,learning_rate,loss,validation_loss,mae,seconds");
    PriceTask task = PriceTask.of(o);
    try (Safetensors file = Safetensors.open(out.resolve("model.safetensors"));
        Sequential model = Recipe.of(o, task).model(o.device());
        Autograd.Mode _ = Autograd.noGrad()) {
      model.load(Checkpoint.load(out.resolve("model.safetensors"), o.device()));
      Encoder encoder = Encoder.fromJson(Objects.requireNonNull(file.metadata().get("encoder")));
      float[] house = encoder.encode(Houses.REFERENCE.table());
      double price =
          encoder
              .targetScale()
              .denormalize(model.forward(Tensor.of(o.device(), house, 1, 4)).item());
      assertThat(text).contains("now says " + task.amount(price));
    }
  }

  @Test
  void theModel_hasTheSameBits_withOneThreadAndWithThree() throws IOException {
    // Devices are opened once with the number of threads that is set then.
    String before = System.getProperty("downhill.threads");
    try {
      System.setProperty("downhill.threads", "1");
      Device one = Device.of("cpu:41");
      System.setProperty("downhill.threads", "3");
      Device three = Device.of("cpu:43");
      run(options(one, null, null, 60, folder.resolve("one")));
      run(options(three, null, null, 60, folder.resolve("three")));
    } finally {
      if (before == null) {
        System.clearProperty("downhill.threads");
      } else {
        System.setProperty("downhill.threads", before);
      }
    }
    assertThat(Files.readAllBytes(folder.resolve("one/model.safetensors")))
        .isEqualTo(Files.readAllBytes(folder.resolve("three/model.safetensors")));
  }

  @Test
  void aTableOfOnesOwn_needsATarget_andGivesR2() throws IOException {
    Path csv = folder.resolve("own.csv");
    StringBuilder text = new StringBuilder("a,kind,b,y\n");
    for (int i = 0; i < 300; i++) {
      double a = Math.sin(i);
      text.append(a).append(i % 3 == 0 ? ",red," : ",blue,");
      text.append(i % 7 == 0 ? "" : i % 5).append(',').append(3 * a + i % 3).append('\n');
    }
    Files.writeString(csv, text);
    assertThatThrownBy(() -> run(options(Device.cpu(), csv, null, 5, folder.resolve("x"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("--target: expected the column to predict, one of a, kind, b, y");
    assertThatThrownBy(() -> run(options(Device.cpu(), csv, "z", 5, folder.resolve("x"))))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("z");
    assertThat(folder.resolve("x")).doesNotExist();
    JobResult result =
        new HousePrices()
            .run(
                options(Device.cpu(), csv, "y", 600, folder.resolve("own")),
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                SILENT);
    assertThat(result.metric().name()).isEqualTo("r2");
    assertThat(result.metric().value()).isGreaterThan(0.9);
  }
}

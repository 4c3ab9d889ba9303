package dev.downhill.jobs.digits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.data.DataException;
import dev.downhill.data.Dataset;
import dev.downhill.data.DigitImages;
import dev.downhill.data.DrawnDigits;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.nn.Sequential;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Progress;
import dev.downhill.train.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DigitsTest {
  private static final Trainer.Listener SILENT = new Trainer.Listener() {};

  @TempDir Path folder;

  private record Run(JobResult result, String text) {}

  private JobOptions options(String out, String... given) {
    Map<JobOption, String> map = new EnumMap<>(JobOption.class);
    for (int i = 0; i < given.length; i += 2) {
      map.put(JobOption.valueOf(given[i]), given[i + 1]);
    }
    return new JobOptions(Device.cpu(), 1, folder.resolve(out), false, map);
  }

  private static Run run(JobOptions o) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new Digits().run(o, new PrintStream(text, true, StandardCharsets.UTF_8), SILENT);
    return new Run(result, text.toString(StandardCharsets.UTF_8));
  }

  /** Writes digits as MNIST's four files. */
  static Path files(Path folder, int train, int test) throws IOException {
    Path data = Files.createDirectories(folder.resolve("data"));
    write(data, "train", DrawnDigits.draw(train, 1, "train", 0.2));
    write(data, "t10k", DrawnDigits.draw(test, 1, "test", 0.2));
    return data;
  }

  private static void write(Path data, String part, DigitImages digits) throws IOException {
    int n = digits.size();
    Files.write(
        data.resolve(part + "-images-idx3-ubyte"),
        ByteBuffer.allocate(16 + n * 784)
            .putInt(0x803)
            .putInt(n)
            .putInt(28)
            .putInt(28)
            .put(digits.pixels())
            .array());
    Files.write(
        data.resolve(part + "-labels-idx1-ubyte"),
        ByteBuffer.allocate(8 + n).putInt(0x801).putInt(n).put(digits.labels()).array());
  }

  @Test
  void bothNetworks_learnDigitsFromFiles_andShowWhatTheyConfuse() throws IOException {
    String data = files(folder, 600, 100).toString();
    for (String model : List.of("mlp", "cnn")) {
      Run run = run(options(model, "DATA", data, "MODEL", model, "EPOCHS", "3", "WALK", "7"));
      assertThat(run.result.metric().name()).isEqualTo("accuracy");
      assertThat(run.result.metric().value()).as(model).isGreaterThan(0.6);
      assertThat(run.result.steps()).isEqualTo(15);
      assertThat(run.text)
          .contains("600 digits of " + data + " to learn from, 100 held out")
          .contains("Walk. Held-out example 7 is a " + label(7) + " ")
          .contains("1. Forward", "2. Loss", "3. Backward");
      assertThat(folder.resolve(model))
          .isDirectoryContaining("glob:**/confusion.png")
          .isDirectoryContaining("glob:**/mistakes.png")
          .isDirectoryContaining("glob:**/gradients.png")
          .isDirectoryContaining("glob:**/walk.png")
          .isDirectoryContaining("glob:**/model.safetensors");
    }
  }

  private static int label(int example) {
    return DrawnDigits.draw(100, 1, "test", 0.2).label(example - 1);
  }

  @Test
  void theSameSeed_givesTheSameBits() throws IOException {
    String data = files(folder, 300, 20).toString();
    run(options("a", "DATA", data, "MODEL", "cnn", "EPOCHS", "1"));
    run(options("b", "DATA", data, "MODEL", "cnn", "EPOCHS", "1"));
    assertThat(Files.readAllBytes(folder.resolve("a/model.safetensors")))
        .isEqualTo(Files.readAllBytes(folder.resolve("b/model.safetensors")));
  }

  @Test
  void anInterruptedRun_goesOnToTheSameBits() throws IOException {
    String data = files(folder, 300, 20).toString();
    run(options("whole", "DATA", data, "EPOCHS", "2", "MODEL", "mlp"));
    run(options("part", "DATA", data, "EPOCHS", "2", "MODEL", "mlp", "STEPS", "3"));
    Path part = folder.resolve("part");
    Files.writeString(
        part.resolve("config.json"),
        Files.readString(part.resolve("config.json")).replaceFirst(",\\s*\"steps\" : \"3\"", ""));
    run(JobOptions.resume(part, Device.cpu()));
    assertThat(Files.readAllBytes(part.resolve("model.safetensors")))
        .isEqualTo(Files.readAllBytes(folder.resolve("whole/model.safetensors")));
    // Once more, with nothing left to do.
    assertThat(run(JobOptions.resume(part, Device.cpu())).text).contains("Trained.");
  }

  @Test
  void badOptionsAndData_areRefused_beforeAnythingIsWritten() throws IOException {
    assertThatThrownBy(() -> run(options("x", "MODEL", "rnn")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("--model: expected one of mlp, cnn, got 'rnn'");
    String data = files(folder, 20, 10).toString();
    assertThatThrownBy(() -> run(options("x", "DATA", data, "WALK", "11")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("--walk: expected a held-out example, 1 to 10, got 11");
    Files.delete(folder.resolve("data/t10k-labels-idx1-ubyte"));
    assertThatThrownBy(() -> run(options("x", "DATA", data)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("t10k-labels-idx1-ubyte");
    assertThat(folder.resolve("x")).doesNotExist();
  }

  @Test
  void theTrace_holdsTheGradientsOfTheSteps() {
    DigitImages digits = DrawnDigits.draw(32, 1, "train", 0.5);
    DigitRecipe recipe = DigitRecipe.of(options("x", "MODEL", "mlp"));
    try (Sequential model = recipe.model(Device.cpu());
        Dataset data = digits.classes(Device.cpu())) {
      Tensor weight = model.parameters().get(0);
      GradientTrace trace = new GradientTrace(weight, recipe.middle(), SILENT);
      Loss.crossEntropy(model.forward(data.x()), data.y()).backward();
      float[] all = Objects.requireNonNull(weight.grad()).toFloats();
      double mean = 0;
      for (int unit = 0; unit < GradientTrace.WEIGHTS; unit++) {
        mean += Math.abs(all[unit * 784 + 14 * 28 + 14]) / GradientTrace.WEIGHTS;
      }
      trace.progress(new Progress(1, 1, 1, 1, 0, 0, 0));
      assertThat(mean).isPositive();
      assertThat(trace.mean(0, 1)).isCloseTo(mean, within(1e-9));
    }
  }

  @Test
  void mistakes_comeTheMostConfidentFirst() {
    DigitImages digits = DrawnDigits.draw(4, 1, "train", 0.5);
    int[] wrong = new int[4];
    for (int i = 0; i < 4; i++) {
      wrong[i] = (digits.label(i) + (i == 2 ? 0 : 1)) % 10;
    }
    Answers answers = new Answers(digits, wrong, new float[] {0.5f, 0.9f, 0.99f, 0.7f});
    assertThat(answers.mistakes()).containsExactly(1, 3, 0);
    assertThat(answers.confusion().accuracy()).isEqualTo(0.25);
  }
}

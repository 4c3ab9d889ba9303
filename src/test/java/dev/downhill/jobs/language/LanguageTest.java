package dev.downhill.jobs.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.checkpoint.Checkpoint;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.data.BytePairs;
import dev.downhill.data.Characters;
import dev.downhill.data.DataException;
import dev.downhill.data.Primer;
import dev.downhill.data.TinyTokenizer;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.jobs.JobResult;
import dev.downhill.nn.Module;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.History;
import dev.downhill.train.Trainer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LanguageTest {
  private static final Trainer.Listener SILENT = new Trainer.Listener() {};

  @TempDir Path folder;

  private record Run(JobResult result, String text) {}

  private JobOptions options(Device device, Path out, Object... given) {
    Map<JobOption, String> map = new EnumMap<>(JobOption.class);
    for (int i = 0; i < given.length; i += 2) {
      map.put((JobOption) given[i], given[i + 1].toString());
    }
    return new JobOptions(device, 1, out, false, map);
  }

  private static Run run(JobOptions o, Trainer.Listener listener) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    JobResult result =
        new Language().run(o, new PrintStream(text, true, StandardCharsets.UTF_8), listener);
    return new Run(result, text.toString(StandardCharsets.UTF_8));
  }

  private Path text(int sentences) throws IOException {
    return Files.writeString(folder.resolve("text.txt"), Primer.text(sentences, 1));
  }

  @Test
  void aRun_learns_andLeavesAModelThatGoesOnWithText() throws IOException {
    Path out = folder.resolve("run");
    Run run = run(options(Device.cpu(), out, JobOption.STEPS, 40, JobOption.BATCH_SIZE, 4), SILENT);
    // Untrained, all of the alphabet is about equally likely.
    assertThat(run.result.lossFirst()).isCloseTo(Math.log(29), within(0.15));
    assertThat(run.result.metric().name()).isEqualTo("loss");
    assertThat(run.result.metric().value()).isLessThan(2.9);
    assertThat(run.text)
        .contains("29 different ones", "nats a character", "equally likely", "the owl says");
    assertThat(out)
        .isDirectoryContaining("glob:**/{config.json,metrics.csv,curve.png,model.safetensors}");
    try (LanguageModel model = LanguageModel.open(out, Device.cpu())) {
      Corpus corpus = new Corpus(options(Device.cpu(), out), 128);
      String prompt = corpus.tokenizer().decode(Arrays.copyOf(corpus.validation(), 12));
      Sampling lively = new Sampling(0.8, 0);
      assertThat(run.text).contains(prompt + model.goOn(prompt, 160, lively, 1));
      assertThat(model.goOn(prompt, 160, lively, 1))
          .isNotEqualTo(model.goOn(prompt, 160, lively, 2));
      assertThatThrownBy(() -> model.goOn("", 1, lively, 1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void theScoresOfAToken_dependOnThoseBeforeItOnly() {
    LanguageModel.Sizes sizes = new LanguageModel.Sizes(8, 8, 2, 2);
    try (LanguageModel model =
            new LanguageModel(
                new Corpus(options(Device.cpu(), folder), 8).tokenizer(), sizes, Device.cpu(), 3);
        Module.Mode _ = model.network().evaluating();
        Autograd.Mode _ = Autograd.noGrad()) {
      Tensor x = Tensor.of(Device.cpu(), new long[] {5, 3, 7, 1, 2, 9}, 1, 6);
      Tensor other = Tensor.of(Device.cpu(), new long[] {5, 3, 7, 1, 8, 0}, 1, 6);
      double[] a = model.network().forward(x).narrow(1, 0, 4).toDoubles();
      double[] b = model.network().forward(other).narrow(1, 0, 4).toDoubles();
      assertThat(a).containsExactly(b);
    }
  }

  @Test
  void anExample_isFollowedByTheNextTokens() throws IOException {
    JobOptions o = options(Device.cpu(), folder, JobOption.DATA, text(300));
    Corpus corpus = new Corpus(o, 16);
    assertThat(corpus.train().length + corpus.validation().length)
        .isEqualTo(Primer.text(300, 1).length());
    try (var train = corpus.trainingSet(Device.cpu());
        var validation = corpus.validationSet(Device.cpu())) {
      double[] x = train.x().toDoubles();
      double[] y = train.y().toDoubles();
      int last = (int) train.size() - 1;
      for (int w : new int[] {0, 1, last}) {
        for (int i = 0; i < 16; i++) {
          assertThat(x[16 * w + i]).isEqualTo(corpus.train()[8 * w + i]);
          assertThat(y[16 * w + i]).isEqualTo(corpus.train()[8 * w + i + 1]);
        }
      }
      assertThat(train.size()).isEqualTo((corpus.train().length - 1 - 16) / 8 + 1);
      assertThat(validation.size()).isEqualTo((corpus.validation().length - 1) / 16);
      assertThat(validation.x().toDoubles()[16]).isEqualTo(corpus.validation()[16]);
    }
  }

  @Test
  void theModel_hasTheSameBits_withOneThreadAndWithThree() throws IOException {
    String before = System.getProperty("downhill.threads");
    Path data = text(120);
    try {
      System.setProperty("downhill.threads", "1");
      Device one = Device.of("cpu:45");
      System.setProperty("downhill.threads", "3");
      Device three = Device.of("cpu:47");
      for (Device d : new Device[] {one, three}) {
        run(
            options(
                d,
                folder.resolve(d.name().replace(':', '-')),
                JobOption.DATA,
                data,
                JobOption.STEPS,
                4,
                JobOption.BATCH_SIZE,
                2,
                JobOption.ACCUMULATE,
                2),
            SILENT);
      }
    } finally {
      if (before == null) {
        System.clearProperty("downhill.threads");
      } else {
        System.setProperty("downhill.threads", before);
      }
    }
    assertThat(Files.readAllBytes(folder.resolve("cpu-45/model.safetensors")))
        .isEqualTo(Files.readAllBytes(folder.resolve("cpu-47/model.safetensors")));
  }

  @Test
  void anInterruptedRun_isGoneOnWith_toTheSameModel() throws IOException {
    Path data = text(60);
    Object[] given = {JobOption.DATA, data, JobOption.STEPS, 12, JobOption.BATCH_SIZE, 8};
    run(options(Device.cpu(), folder.resolve("whole"), given), SILENT);
    Path out = folder.resolve("cut");
    Trainer.Listener cut =
        new Trainer.Listener() {
          @Override
          public void epoch(History.Epoch e) {
            if (e.epoch() == 2) {
              throw new IllegalStateException("cut");
            }
          }
        };
    assertThatThrownBy(() -> run(options(Device.cpu(), out, given), cut)).hasMessage("cut");
    assertThat(out.resolve("model.safetensors")).doesNotExist();
    run(JobOptions.resume(out, Device.cpu()), SILENT);
    assertThat(Files.readAllBytes(out.resolve("model.safetensors")))
        .isEqualTo(Files.readAllBytes(folder.resolve("whole/model.safetensors")));
  }

  @Test
  void bytePairs_areLearnedToo_andKeptInTheRunFolder() throws IOException {
    Path tokenizer = folder.resolve("bpe");
    TinyTokenizer.write(tokenizer, "t h", "th e");
    Path out = folder.resolve("run");
    Run run =
        run(
            options(
                Device.cpu(),
                out,
                JobOption.DATA,
                text(200),
                JobOption.TOKENIZER,
                tokenizer,
                JobOption.STEPS,
                2,
                JobOption.BATCH_SIZE,
                2),
            SILENT);
    assertThat(run.result.lossFirst()).isCloseTo(Math.log(258), within(0.2));
    assertThat(run.text).contains("nats a token", "bits a character");
    Files.delete(tokenizer.resolve("encoder.json"));
    try (LanguageModel model = LanguageModel.open(out, Device.cpu())) {
      assertThat(model.tokenizer()).isInstanceOf(BytePairs.class);
      assertThat(model.goOn("\u4F60 the", 5, new Sampling(0, 0), 1)).isNotEmpty();
    }
  }

  @Test
  void aTextThatIsTooShort_isRefused_beforeAnythingIsWritten() throws IOException {
    Path data = Files.writeString(folder.resolve("short.txt"), "ab".repeat(500));
    Path out = folder.resolve("run");
    assertThatThrownBy(() -> run(options(Device.cpu(), out, JobOption.DATA, data), SILENT))
        .isInstanceOf(DataException.class)
        .hasMessage(
            data
                + ": expected a text long enough for more than 128 tokens in the tenth that is held"
                + " out, got 100");
    assertThat(out).doesNotExist();
  }

  @Test
  void aRunOfAnotherJob_orADamagedOne_isNotOpened() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"job\": \"house-prices\"}");
    assertThatThrownBy(() -> LanguageModel.open(folder, Device.cpu()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(folder + ": expected a run of the job language, got one of house-prices");
    Files.writeString(folder.resolve("config.json"), "{\"job\": \"language\"}");
    assertThatThrownBy(() -> LanguageModel.open(folder, Device.cpu()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("model.safetensors");
    Path file = folder.resolve("model.safetensors");
    try (LanguageModel model =
        new LanguageModel(
            Characters.of("abc"), new LanguageModel.Sizes(4, 4, 1, 2), Device.cpu(), 1)) {
      for (String key : new String[] {"context", "heads", "characters"}) {
        Map<String, String> text = model.metadata();
        text.put(key, key.equals("heads") ? "x" : "9");
        Checkpoint.save(file, model.network().state(), text);
        assertThatThrownBy(() -> LanguageModel.open(folder, Device.cpu()))
            .isInstanceOf(CheckpointException.class)
            .hasMessageStartingWith(file + ": damaged: ");
      }
      Checkpoint.save(file, model.network().state(), model.metadata());
      try (LanguageModel again = LanguageModel.open(folder, Device.cpu())) {
        assertThat(again.goOn("a", 3, new Sampling(1, 0), 5))
            .isEqualTo(model.goOn("a", 3, new Sampling(1, 0), 5));
      }
    }
  }
}

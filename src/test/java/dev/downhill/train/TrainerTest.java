package dev.downhill.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Buffer;
import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.data.Encoder;
import dev.downhill.data.Houses;
import dev.downhill.data.Split;
import dev.downhill.data.Table;
import dev.downhill.nn.Dropout;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.optim.Sgd;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {
  private static final Trainer.Listener SILENT = new Trainer.Listener() {};
  private final Device device = Device.cpu();

  private static Dataset waves(Device device, int n, long seed) {
    HostRandom random = new HostRandom(seed, "waves");
    float[] x = new float[n * 3];
    float[] y = new float[n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < 3; j++) {
        x[i * 3 + j] = (float) random.normal();
      }
      y[i] = (float) (x[i * 3] * x[i * 3 + 1] + 0.5 * x[i * 3 + 2]);
    }
    return new Dataset(Tensor.of(device, x, n, 3), Tensor.of(device, y, n, 1));
  }

  private static Dataset houses(Device device, int sales) {
    Table table = Houses.table(sales, 1);
    int[] rows = Split.of(sales, 0.2, 1).train();
    return Dataset.of(device, Encoder.fit(table, Houses.TARGET, rows), table, rows);
  }

  private static Sequential network(Device device, long seed) {
    return new Sequential(new Linear(3, 16), new Relu(), new Linear(16, 1)).on(device, seed);
  }

  private static float[] weights(Sequential model) {
    List<float[]> all = model.parameters().stream().map(p -> p.detach().toFloats()).toList();
    float[] flat = new float[all.stream().mapToInt(a -> a.length).sum()];
    int at = 0;
    for (float[] a : all) {
      System.arraycopy(a, 0, flat, at, a.length);
      at += a.length;
    }
    return flat;
  }

  @Test
  void fit_isTheWrittenOutLoop_toTheLastBit() {
    try (Dataset data = waves(device, 203, 1);
        Sequential one = network(device, 5);
        Sequential two = network(device, 5);
        Adam a = new Adam(one.parameters(), 1e-2);
        Adam b = new Adam(two.parameters(), 1e-2)) {
      Trainer.Options options =
          Trainer.Options.DEFAULTS.withEpochs(3).withBatchSize(32).withSeed(9);
      new Trainer(one, a, new Scheduler(a, Schedule.cosine(21, 0)), Loss::mse, Loss::l1, options)
          .fit(data, data, SILENT);

      Scheduler scheduler = new Scheduler(b, Schedule.cosine(21, 0));
      for (int epoch = 0; epoch < 3; epoch++) {
        for (Batch batch : data.batches(32, 9, epoch)) {
          try (Scope _ = Scope.open()) {
            Tensor loss = Loss.mse(two.forward(batch.x()), batch.y());
            b.zeroGrad();
            loss.backward();
            b.step();
            scheduler.step();
          }
        }
      }
      assertThat(weights(one)).isEqualTo(weights(two));
      assertThat(scheduler.steps()).isEqualTo(21);
    }
  }

  @Test
  void accumulation_equalsTheLargeBatch_alsoForTheShortWindow() {
    // 90 examples in batches of 8: 12 batches, the last of 2; windows of 5: the last has 8 + 2.
    try (Dataset data = waves(device, 90, 2);
        Sequential small = network(device, 6);
        Sequential large = network(device, 6);
        Sgd a = new Sgd(small.parameters(), 0.1);
        Sgd b = new Sgd(large.parameters(), 0.1)) {
      Trainer.Options options = Trainer.Options.DEFAULTS.withEpochs(1).withSeed(3);
      History accumulated =
          new Trainer(
                  small, a, null, Loss::mse, Loss::l1, options.withBatchSize(8).withAccumulate(5))
              .fit(data, data, SILENT);
      new Trainer(large, b, null, Loss::mse, Loss::l1, options.withBatchSize(40))
          .fit(data, data, SILENT);
      assertThat(accumulated.last().step()).isEqualTo(3);
      float[] expected = weights(large);
      float[] found = weights(small);
      for (int i = 0; i < expected.length; i++) {
        assertThat(found[i]).isCloseTo(expected[i], within(1e-6f));
      }
    }
  }

  @Test
  void clippingAndSteps_limitTheRun() {
    try (Dataset data = waves(device, 64, 3);
        Sequential model = network(device, 7);
        Sgd sgd = new Sgd(model.parameters(), 1)) {
      float[] before = weights(model);
      Trainer.Options options =
          Trainer.Options.DEFAULTS.withBatchSize(16).withSteps(1).withClipNorm(1e-3);
      History h =
          new Trainer(model, sgd, null, Loss::mse, Loss::l1, options).fit(data, data, SILENT);
      assertThat(h.last().step()).isEqualTo(1);
      float[] after = weights(model);
      double moved = 0;
      for (int i = 0; i < before.length; i++) {
        moved += Math.pow(after[i] - before[i], 2);
      }
      assertThat(Math.sqrt(moved)).isCloseTo(1e-3, within(1e-5));
    }
  }

  @Test
  void aLossThatIsLost_stopsTheRun_sayingWhen() {
    try (Dataset data = waves(device, 64, 3);
        Sequential model = network(device, 7);
        Sgd sgd = new Sgd(model.parameters(), 1e6)) {
      Trainer trainer =
          new Trainer(
              model, sgd, null, Loss::mse, Loss::l1, Trainer.Options.DEFAULTS.withBatchSize(4));
      assertThatThrownBy(() -> trainer.fit(data, data, SILENT))
          .isInstanceOf(NumericException.class)
          .hasMessageMatching(
              "train: the loss became (NaN|Infinity) by step \\d+ \\(epoch \\d+, learning rate"
                  + " 1000000.0\\); try .*");
    }
  }

  @Test
  void aResumedRun_hasTheBitsOfOneThatWasNeverInterrupted(@TempDir Path folder) {
    Path file = folder.resolve("state.safetensors");
    try (Dataset data = waves(device, 130, 5)) {
      float[] straight = interruptedAfter(0, data, file);
      float[] resumed = interruptedAfter(2, data, file);
      assertThat(resumed).isEqualTo(straight);
    }
  }

  /**
   * Five epochs with dropout, clipping and a schedule, in two pieces if {@code epochs} is not 0.
   */
  private float[] interruptedAfter(int epochs, Dataset data, Path file) {
    Trainer.Listener stop =
        new Trainer.Listener() {
          @Override
          public void epoch(History.Epoch e) {
            if (e.epoch() == epochs) {
              throw new IllegalStateException("stopped");
            }
          }
        };
    try (Sequential model = droppingNetwork();
        Adam adam = new Adam(model.parameters(), 1e-2)) {
      Trainer trainer = trainer(model, adam).checkpoint(file);
      if (epochs == 0) {
        trainer.fit(data, data, SILENT);
        return weights(model);
      }
      assertThatThrownBy(() -> trainer.fit(data, data, stop)).hasMessage("stopped");
    }
    try (Sequential model = droppingNetwork();
        Adam adam = new Adam(model.parameters(), 1e-2)) {
      History all = trainer(model, adam).resume(file).fit(data, data, SILENT);
      assertThat(all.epochs()).extracting(History.Epoch::epoch).containsExactly(1, 2, 3, 4, 5);
      assertThat(all.last().step()).isEqualTo(25);
      return weights(model);
    }
  }

  private Sequential droppingNetwork() {
    return new Sequential(new Linear(3, 16), new Relu(), new Dropout(0.2), new Linear(16, 1))
        .on(device, 5);
  }

  private static Trainer trainer(Sequential model, Adam adam) {
    Scheduler scheduler = new Scheduler(adam, Schedule.cosine(25, 0).withWarmup(4, 0.1));
    Trainer.Options options =
        Trainer.Options.DEFAULTS.withEpochs(5).withBatchSize(30).withSeed(9).withClipNorm(0.5);
    return new Trainer(model, adam, scheduler, Loss::mse, Loss::l1, options);
  }

  @Test
  void aStateOfAnotherModel_isRefused(@TempDir Path folder) {
    Path file = folder.resolve("state.safetensors");
    try (Dataset data = waves(device, 30, 5)) {
      interruptedAfter(0, data, file);
      try (Sequential other = network(device, 1);
          Adam adam = new Adam(other.parameters(), 1e-2)) {
        assertThatThrownBy(() -> trainer(other, adam).resume(file))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("missing 2.weight")
            .hasMessageContaining("unexpected 3.weight");
      }
    }
    assertThatThrownBy(
            () -> {
              try (Sequential model = network(device, 1);
                  Adam adam = new Adam(model.parameters(), 1e-2)) {
                trainer(model, adam).resume(folder.resolve("none"));
              }
            })
        .isInstanceOf(CheckpointException.class);
  }

  @Test
  void options_areRefused_together() {
    assertThatThrownBy(() -> Trainer.Options.DEFAULTS.withEpochs(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("epochs");
    assertThatThrownBy(() -> Trainer.Options.DEFAULTS.withClipNorm(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** What the calls of one optimiser step were, and in which memory that outlives it. */
  private record Calls(Recording recording, List<Buffer> persistent) {}

  @Test
  void steps2To10OfHousePrices_makeIdenticalCalls_withScheduleClippingDropoutAndAccumulation() {
    try (Dataset data = houses(device, 500);
        Sequential model =
            new Sequential(new Linear(4, 32), new Relu(), new Dropout(0.1), new Linear(32, 1))
                .on(device, 8);
        Adam adam = new Adam(model.parameters(), 1e-2);
        Tensor x = Tensor.zeros(device, data.x().dtype(), 20, 4);
        Tensor y = Tensor.zeros(device, data.y().dtype(), 20, 1)) {
      Scheduler scheduler = new Scheduler(adam, Schedule.cosine(10, 0).withWarmup(3, 0.01));
      List<Calls> steps = new ArrayList<>();
      List<Double> rates = new ArrayList<>();
      var batches = data.batches(20, 1).iterator();
      for (int step = 1; step <= 10; step++) {
        rates.add(adam.rate());
        List<Recording> micro = new ArrayList<>();
        for (int m = 0; m < 2; m++) {
          Batch b = batches.next();
          x.copyFrom(b.x());
          y.copyFrom(b.y());
          try (Recording recording = Recording.start();
              Scope _ = Scope.open()) {
            Tensor loss = Loss.mse(model.forward(x), y).mul(0.5);
            if (m == 0) {
              adam.zeroGrad();
            }
            loss.backward();
            if (m == 1) {
              adam.clipGradNorm(1);
              adam.step();
            }
            recording.finish();
            micro.add(recording);
          }
        }
        scheduler.step();
        micro.forEach(r -> steps.add(new Calls(r, r.persistent())));
      }
      assertThat(rates).doesNotHaveDuplicates();
      for (int i = 4; i < steps.size(); i++) {
        Calls before = steps.get(i % 2 + 2);
        assertThat(
                Recording.difference(before.recording().calls(), steps.get(i).recording().calls()))
            .isNull();
        assertThat(steps.get(i).persistent()).hasSameSizeAs(before.persistent());
        for (int k = 0; k < before.persistent().size(); k++) {
          assertThat(steps.get(i).persistent().get(k)).isSameAs(before.persistent().get(k));
        }
      }
      assertThat(Arrays.stream(new long[] {steps.get(2).recording().count("random")}).sum())
          .isEqualTo(1);
      assertThat(steps.get(3).recording().count("update")).isEqualTo(1);
    }
  }
}

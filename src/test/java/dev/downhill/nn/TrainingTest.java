package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.optim.Adam;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Owner;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Layers and optimisers together: the loop that users write. */
class TrainingTest {
  /** Normalises by the batch, and keeps running statistics that it makes at its first use. */
  private static final class Normalise extends Layer {
    private final Owner owner = new Owner();
    private @Nullable Tensor mean;

    @Override
    public Tensor forward(Tensor x) {
      Tensor batch = x.mean(new int[] {0}, true);
      Tensor deviation = x.sub(batch);
      Tensor variance = deviation.square().mean(new int[] {0}, true);
      try (Autograd.Mode _ = Autograd.noGrad()) {
        Tensor running = mean;
        if (running == null) {
          running = owner.own(Tensor.zeros(x.device(), x.dtype(), batch.shape().toArray()));
          mean = running;
        }
        running.copyFrom(running.mul(0.9).add(batch.mul(0.1)));
      }
      return deviation.div(variance.add(1e-5).sqrt());
    }

    @Override
    public void close() {
      super.close();
      owner.close();
    }
  }

  @Test
  void aLayerAndAnOptimiserFirstUsedInsideAScopeKeepTheirState() {
    Device cpu = Device.of("cpu:16"); // shared with no other test, so that memory can be counted
    long before = cpu.memory().tensors();
    Normalise normalise = new Normalise();
    Sequential model = new Sequential(new Linear(3, 8), normalise, new Linear(8, 1)).on(cpu, 1);
    Adam adam = null;
    double running = 0;
    long inUse = 0;
    for (int i = 0; i < 6; i++) {
      try (Scope _ = Scope.open()) {
        if (adam == null) {
          adam = new Adam(model.parameters(), 1e-2);
        }
        Tensor x = Tensor.of(cpu, new float[] {1, 2, 3, 4, 6, 5, 7, 9, 8}, 3, 3);
        Tensor loss = model.forward(x).square().mean();
        adam.zeroGrad();
        loss.backward();
        adam.step();
      }
      double now;
      try (Scope _ = Scope.open()) {
        now = Objects.requireNonNull(normalise.mean).abs().sum().item();
      }
      assertThat(now).isNotEqualTo(running).isPositive();
      running = now;
      assertThat(Objects.requireNonNull(model.parameters().get(0).grad()).isEnded()).isFalse();
      if (i == 1) {
        inUse = cpu.memory().tensors();
      }
    }
    assertThat(cpu.memory().tensors()).isEqualTo(inUse);
    Objects.requireNonNull(adam).close();
    model.close();
    assertThat(cpu.memory().tensors()).isEqualTo(before);
  }

  private static final Device CPU = Device.cpu();

  private static Tensor uniform(HostRandom random, int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) (2 * random.uniform() - 1);
    }
    return Tensor.of(CPU, x, n, 1);
  }

  @Test
  void aSmallNetworkLearnsAStraightLine() {
    HostRandom random = new HostRandom(1, "data");
    try (var model = new Sequential(new Linear(1, 16), new Relu(), new Linear(16, 1)).on(CPU, 1);
        var adam = new Adam(model.parameters(), 1e-2);
        var step =
            Step.of(
                (x, y) -> {
                  var loss = Loss.mse(model.forward(x), y);
                  adam.zeroGrad();
                  loss.backward();
                  adam.step();
                  return loss;
                })) {
      var scheduler = new Scheduler(adam, Schedule.cosine(600, 0).withWarmup(20, 0.1));
      double first = Double.NaN;
      double last = Double.NaN;
      for (int k = 0; k < 600; k++) {
        try (Scope _ = Scope.open()) {
          Tensor x = uniform(random, 32);
          last = step.run(x, x.mul(3).add(1)).item();
          first = k == 0 ? last : first;
        }
        scheduler.step();
      }
      assertThat(first).isGreaterThan(1);
      assertThat(last).isLessThan(1e-3);
      model.eval();
      float[] y = model.forward(Tensor.of(CPU, new float[] {0.5f, -0.25f}, 2, 1)).toFloats();
      assertThat(y[0]).isCloseTo(2.5f, within(0.05f));
      assertThat(y[1]).isCloseTo(0.25f, within(0.05f));
    }
  }

  @Test
  void tenThousandStepsLeaveNothingBehind() {
    Device cpu = Device.of("cpu:13"); // shared with no other test, so that memory can be counted
    try (var model =
            new Sequential(new Linear(3, 5), new Relu(), new Dropout(0.1), new Linear(5, 1))
                .on(cpu, 1);
        var adam = new Adam(model.parameters(), 1e-3)) {
      Tensor x = Tensor.ones(cpu, DType.F32, 4, 3);
      Tensor y = Tensor.ones(cpu, DType.F32, 4, 1);
      long tensors = 0;
      long bytes = 0;
      for (int k = 0; k < 10_000; k++) {
        try (Scope _ = Scope.open()) {
          adam.zeroGrad();
          Loss.mse(model.forward(x), y).backward();
          adam.clipGradNorm(1);
          adam.step();
        }
        if (k == 0) {
          tensors = cpu.memory().tensors();
          bytes = cpu.memory().bytes();
        }
      }
      assertThat(cpu.memory().tensors()).isEqualTo(tensors);
      assertThat(cpu.memory().bytes()).isEqualTo(bytes);
    }
  }

  @Test
  void closingGivesAllMemoryBack() {
    Device cpu = Device.of("cpu:14"); // shared with no other test
    long tensors = cpu.memory().tensors();
    long bytes = cpu.memory().bytes();
    try (Scope _ = Scope.open();
        var model = new Sequential(new Linear(3, 5), new Linear(5, 1)).on(cpu, 1);
        var adam = new Adam(model.parameters(), 1e-3)) {
      model.forward(Tensor.ones(cpu, DType.F32, 4, 3)).sum().backward();
      adam.step();
    }
    assertThat(cpu.memory().tensors()).isEqualTo(tensors);
    assertThat(cpu.memory().bytes()).isEqualTo(bytes);
  }
}

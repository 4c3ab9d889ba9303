package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.optim.Adam;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.shape.DType;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Layers and optimisers together: the loop that users write. */
class TrainingTest {
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

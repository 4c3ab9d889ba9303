package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.downhill.Emulator;
import dev.downhill.backend.Device;
import dev.downhill.backend.DeviceException;
import dev.downhill.optim.Adam;
import dev.downhill.optim.Optimizer;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole trainings on CUDA, beside the same ones on the CPU. */
@Tag("cuda")
class CudaTrainingTest {
  private static final int STEPS = 10;
  private static final int ROWS = 12;
  private static final int FEATURES = 5;
  private static final int CLASSES = 3;

  private static Sequential model(Device device, DType dtype) {
    return new Sequential(
            new Linear(FEATURES, 16),
            Activations.gelu(),
            new Dropout(0.25),
            new Linear(16, 8),
            new Relu(),
            new Linear(8, CLASSES))
        .on(device, 7, dtype);
  }

  private static Tensor inputs(Device device, DType dtype, int half) {
    double[] x = new double[ROWS * FEATURES];
    Arrays.setAll(x, i -> Math.sin(1 + i * (1 + half)));
    return Tensor.of(device, x, ROWS, FEATURES).to(dtype);
  }

  private static Tensor targets(Device device) {
    long[] y = new long[ROWS];
    Arrays.setAll(y, i -> i * i % CLASSES);
    return Tensor.of(device, y, ROWS);
  }

  /** The loss and every gradient of every step, then the parameters. */
  private static List<double[]> train(Device device, DType dtype) {
    List<double[]> all = new ArrayList<>();
    try (Sequential model = model(device, dtype);
        Adam adam = new Adam(model.parameters(), 1e-2);
        Scope _ = Scope.open()) {
      Tensor x = inputs(device, dtype, 0);
      Tensor y = targets(device);
      for (int k = 0; k < STEPS; k++) {
        try (Scope _ = Scope.open()) {
          adam.zeroGrad();
          Tensor loss = Loss.crossEntropy(model.forward(x), y);
          loss.backward();
          Tensor norm = adam.clipGradNorm(0.5);
          adam.step();
          all.add(loss.toDoubles());
          all.add(norm.toDoubles());
          for (Tensor p : model.parameters()) {
            all.add(Objects.requireNonNull(p.grad()).toDoubles());
          }
        }
      }
      model.parameters().forEach(p -> all.add(p.toDoubles()));
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({"F64, 1e-10", "F32, 1e-4", "BF16, 0.1"})
  void tenSteps_haveTheLossesAndGradientsOfTheCpu(DType dtype, double tolerance) {
    List<double[]> expected = train(Device.of("cpu:47"), dtype);
    List<double[]> found = train(Device.of("cuda"), dtype);
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      double scale = Arrays.stream(expected.get(i)).map(Math::abs).max().orElse(0);
      assertThat(found.get(i))
          .as("tensor %d of step %d", i % 8, i / 8)
          .containsExactly(expected.get(i), within(tolerance * Math.max(1, scale)));
    }
    assertThat(expected.get(0)[0]).isGreaterThan(expected.get(8 * (STEPS - 1))[0]);
  }

  @Test
  void theSameSeed_givesTheSameBits() {
    List<double[]> first = train(Device.of("cuda"), DType.F32);
    List<double[]> second = train(Device.of("cuda"), DType.F32);
    for (int i = 0; i < first.size(); i++) {
      assertThat(second.get(i)).containsExactly(first.get(i));
    }
  }

  @Test
  void aThousandSteps_leaveNothingBehind() {
    Device cuda = Device.of("cuda");
    System.gc();
    long tensors = cuda.memory().tensors();
    long bytes = 0;
    try (Sequential model =
            new Sequential(new Linear(3, 4), new Dropout(0.5), new Linear(4, 1)).on(cuda, 1);
        Adam adam = new Adam(model.parameters(), 1e-3)) {
      Tensor x = Tensor.ones(cuda, DType.F32, 2, 3);
      Tensor y = Tensor.ones(cuda, DType.F32, 2, 1);
      long live = 0;
      for (int k = 0; k < 1_000; k++) {
        try (Scope _ = Scope.open()) {
          adam.zeroGrad();
          Loss.mse(model.forward(x), y).backward();
          adam.clipGradNorm(1);
          adam.step();
        }
        if (k == 2) {
          bytes = cuda.memory().bytes();
          live = Emulator.count("live_allocations");
        }
      }
      assertThat(cuda.memory().bytes()).isLessThanOrEqualTo(bytes);
      assertThat(Emulator.count("live_allocations")).isLessThanOrEqualTo(live);
      x.close();
      y.close();
    }
    assertThat(cuda.memory().tensors()).isLessThanOrEqualTo(tensors);
  }

  private static Device secondDevice() {
    try {
      return Device.of("cuda:1");
    } catch (DeviceException e) {
      return abort("no second CUDA device: " + e.getMessage());
    }
  }

  /** A replica: a model and its half of the data. */
  private record Replica(Sequential model, Optimizer adam, Tensor x, Tensor y)
      implements AutoCloseable {
    static Replica on(Device device, int half) {
      Sequential model = CudaTrainingTest.model(device, DType.F32);
      model.eval();
      return new Replica(
          model,
          new Adam(model.parameters(), 1e-2),
          inputs(device, DType.F32, half),
          targets(device));
    }

    void backward() {
      Loss.crossEntropy(model.forward(x), y).backward();
    }

    Tensor gradient(int i) {
      return Objects.requireNonNull(model.parameters().get(i).grad());
    }

    @Override
    public void close() {
      adam.close();
      model.close();
      x.close();
      y.close();
    }
  }

  @Test
  void twoReplicasOnTwoDevices_giveTheBitsOfOneDeviceDoingBothHalves() {
    Device second = secondDevice();
    Device first = Device.of("cuda:0");
    try (Replica a = Replica.on(first, 0);
        Replica b = Replica.on(second, 1);
        Replica one = Replica.on(first, 0);
        Replica other = Replica.on(first, 1)) {
      for (int k = 0; k < STEPS; k++) {
        try (Scope _ = Scope.open()) {
          a.adam.zeroGrad();
          b.adam.zeroGrad();
          a.backward();
          b.backward();
          try (Autograd.Mode _ = Autograd.noGrad()) {
            for (int i = 0; i < a.model.parameters().size(); i++) {
              a.gradient(i).addInPlace(b.gradient(i).to(first));
              b.gradient(i).copyFrom(a.gradient(i).to(second));
            }
          }
          a.adam.step();
          b.adam.step();

          one.adam.zeroGrad();
          one.backward();
          Loss.crossEntropy(one.model.forward(other.x), other.y).backward();
          one.adam.step();
        }
      }
      for (int i = 0; i < a.model.parameters().size(); i++) {
        double[] serial = one.model.parameters().get(i).toDoubles();
        assertThat(a.model.parameters().get(i).toDoubles()).containsExactly(serial);
        assertThat(b.model.parameters().get(i).toDoubles()).containsExactly(serial);
      }
    }
  }
}

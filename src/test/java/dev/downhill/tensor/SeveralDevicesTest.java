package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Tensors on cpu:0 and cpu:1: two devices that share nothing. */
final class SeveralDevicesTest {
  private static final Device FIRST = Device.of("cpu:0");
  private static final Device SECOND = Device.of("cpu:1");

  @Test
  void devicesAreToldApart() {
    assertThat(FIRST).isNotSameAs(SECOND).isSameAs(Device.cpu()).isSameAs(Device.of("cpu"));
    assertThat(SECOND.name()).isEqualTo("cpu:1");
    assertThat(Tensor.zeros(SECOND, DType.F32, 2).device()).isSameAs(SECOND);
    assertThat(Tensor.zeros(SECOND, DType.F32, 2).add(1).device()).isSameAs(SECOND);
  }

  @Test
  void mixingDevicesNamesBoth() {
    Tensor a = Tensor.ones(FIRST, DType.F32, 2);
    Tensor b = Tensor.ones(SECOND, DType.F32, 3, 2);
    assertThatThrownBy(() -> a.add(b))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "add: expected all tensors on one device, got cpu:0 and cpu:1; move one with to(device)"
                + " (shapes (2) and (3, 2))");
    assertThatThrownBy(() -> Matmul.linear(b, b, a)).hasMessageContaining("cpu:1 and cpu:0");
    assertThatThrownBy(() -> a.copyFrom(b.slice(0, 0, 1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cpu:0 and cpu:1");
    assertThat(a.to(SECOND).add(b).toDoubles()).containsOnly(2);
  }

  @Test
  void gradientsCrossDevices() {
    Tensor x = Tensor.of(FIRST, new double[] {1, 2, 3}, 3).requireGrad();
    Tensor y = x.mul(x).to(SECOND);
    assertThat(y.device()).isSameAs(SECOND);
    y.mul(y).sum().backward();
    Tensor grad = x.grad();
    assertThat(grad != null ? grad.device() : null).isSameAs(FIRST);
    assertThat(grad != null ? grad.toDoubles() : null).containsExactly(4, 32, 108);
    assertThat(x.to(FIRST)).isSameAs(x);
  }

  private static final int STEPS = 5;

  private static Tensor half(Device device, int replica) {
    double[] v = new double[6 * 4];
    Arrays.setAll(v, i -> Math.sin(1 + i + 100 * replica));
    return Tensor.of(device, v, 6, 4);
  }

  private static Tensor weight(Device device) {
    return Tensor.of(device, new double[] {0.1, -0.2, 0.3, -0.4}, 1, 4).requireGrad();
  }

  /** The gradient of a replica on its half of the data. */
  private static double[] gradient(Tensor w, Tensor x) {
    try (var _ = Scope.open()) {
      w.zeroGrad();
      Tensor y = Matmul.linear(x, w, null);
      y.mul(y).sum().backward();
      Tensor grad = w.grad();
      return grad == null ? new double[0] : grad.toDoubles();
    }
  }

  private static void descend(Tensor w, double[] total) {
    try (var _ = Scope.open();
        var _ = Autograd.noGrad()) {
      w.addInPlace(Tensor.of(w.device(), total, 1, 4).mul(-0.01));
    }
  }

  private static double[] sum(double[] a, double[] b) {
    double[] s = new double[a.length];
    Arrays.setAll(s, i -> a[i] + b[i]);
    return s;
  }

  @Test
  void twoReplicasOnTwoThreadsGiveTheBitsOfTheSerialForm() {
    Tensor serial = weight(FIRST);
    for (int step = 0; step < STEPS; step++) {
      double[] first = gradient(serial, half(FIRST, 0));
      double[] second = gradient(serial, half(FIRST, 1));
      descend(serial, sum(first, second));
    }

    List<Tensor> weights = List.of(weight(FIRST), weight(SECOND));
    List<Tensor> data = List.of(half(FIRST, 0), half(SECOND, 1));
    for (int step = 0; step < STEPS; step++) {
      List<CompletableFuture<double[]>> running = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        Tensor w = weights.get(i);
        Tensor x = data.get(i);
        running.add(CompletableFuture.supplyAsync(() -> gradient(w, x)));
      }
      // Summed in the order of the replicas, whichever is ready first.
      double[] total = sum(running.get(0).join(), running.get(1).join());
      weights.forEach(w -> descend(w, total));
    }
    assertThat(weights.get(0).toDoubles()).containsExactly(serial.toDoubles());
    assertThat(weights.get(1).toDoubles()).containsExactly(serial.toDoubles());
  }

  @Test
  void oneDeviceServesManyThreads() {
    Tensor w = weight(FIRST);
    Tensor x = half(FIRST, 0);
    List<CompletableFuture<double[]>> running = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      running.add(
          CompletableFuture.supplyAsync(
              () -> {
                try (var _ = Scope.open()) {
                  Tensor y = Matmul.linear(x, w, null);
                  Tensor g =
                      Autograd.grad(y.mul(y).sum(), List.of(w), Autograd.Backward.DEFAULT).get(0);
                  return g == null ? new double[0] : g.toDoubles();
                }
              }));
    }
    double[] expected = gradient(w, x);
    running.forEach(r -> assertThat(r.join()).containsExactly(expected));
  }

  @Test
  void oneIndexIsOneDevice() {
    assertThat(Device.of("cpu:00")).isSameAs(FIRST);
    assertThat(Device.of("cpu:001")).isSameAs(SECOND);
  }
}

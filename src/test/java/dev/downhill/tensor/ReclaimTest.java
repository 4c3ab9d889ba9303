package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import org.junit.jupiter.api.Test;

/** What is made outside any scope, and how leaks are reported. */
final class ReclaimTest {
  /** Collects garbage until no more than {@code expected} tensors live, or gives up. */
  private static long settle(Device device, long expected) {
    long live = device.memory().tensors();
    for (int i = 0; i < 200 && live > expected; i++) {
      System.gc();
      try {
        Thread.sleep(5);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      live = device.memory().tensors();
    }
    return live;
  }

  private static Tensor work(Device device) {
    Tensor x = Tensor.ones(device, DType.F64, 100).requireGrad();
    for (int i = 0; i < 10; i++) {
      x.mul(x).sum().backward();
    }
    Tensor graph = x.mul(x).mul(3).sum();
    return graph.detach();
  }

  @Test
  void tensorsOutsideAnyScopeAreReclaimedOnceUnreachable() {
    Device device = Device.of("cpu:23");
    Tensor kept = work(device);
    assertThat(device.memory().tensors()).isGreaterThan(1);
    assertThat(settle(device, 1)).isEqualTo(1);
    assertThat(kept.item()).isEqualTo(300);
    assertThat(device.memory().bytes()).isEqualTo(8);
    kept.close();
    assertThat(device.memory().tensors()).isZero();
    assertThat(device.memory().peakBytes()).isGreaterThan(1600);
  }

  @Test
  void reachableGraphsAreKept() {
    Device device = Device.of("cpu:24");
    Tensor x = Tensor.ones(device, DType.F64, 3).requireGrad();
    Tensor y = x.mul(x).mul(x).sum();
    System.gc();
    System.gc();
    y.backward();
    Tensor grad = x.grad();
    assertThat(grad != null ? grad.toDoubles() : new double[0]).containsExactly(3, 3, 3);
    y.close();
    x.close();
    assertThat(settle(device, 0)).isZero();
  }

  private static int line() {
    return StackWalker.getInstance().walk(s -> s.skip(1).findFirst().orElseThrow()).getLineNumber();
  }

  @Test
  void reportNamesTheCreatingLine() {
    Device device = Device.of("cpu:25");
    assertThat(device.tracking()).isFalse();
    device.tracking(true);
    int line = line() + 1;
    Tensor x = Tensor.zeros(device, DType.F32, 1000);
    Tensor y = x.add(1);
    device.tracking(false);
    Tensor z = y.mul(2);
    assertThat(device.report())
        .startsWith("3 live tensors, 12,000 bytes on cpu:25")
        .contains("4,000 bytes in 1 tensors from ReclaimTest.java:" + line)
        .contains("from ReclaimTest.java:" + (line + 1))
        .contains("4,000 bytes in 1 tensors from unknown line (run with -Ddownhill.leaks=true)");
    x.close();
    y.close();
    z.close();
    assertThat(device.report()).isEqualTo("0 live tensors, 0 bytes on cpu:25");
  }

  @Test
  void closedTensorNamesTheLineWhenTracked() {
    Device device = Device.of("cpu:26");
    device.tracking(true);
    Tensor x = Tensor.zeros(device, DType.F32, 2);
    x.close();
    device.tracking(false);
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> x.mul(2))
        .hasMessageContaining("it was closed at ReclaimTest.java:");
  }

  @Test
  void liveCountFollowsTheLoop() {
    Device device = Device.of("cpu:27");
    Tensor w = Tensor.ones(device, DType.F32, 5).requireGrad();
    long after = -1;
    for (int step = 0; step < 20; step++) {
      try (var _ = Scope.open()) {
        w.mul(w).sum().backward();
        try (var _ = Autograd.noGrad()) {
          Tensor grad = w.grad();
          if (grad != null) {
            w.addInPlace(grad.mul(-0.01));
          }
        }
        w.zeroGrad();
      }
      long live = device.memory().tensors();
      assertThat(after < 0 || after == live).as("%d, then %d live", after, live).isTrue();
      after = live;
    }
    assertThat(after).isEqualTo(2);
    w.close();
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.backend.OutOfMemoryException;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** A device with room for one mebibyte. Isolated, since the limit is a property of the system. */
@Isolated
final class OutOfMemoryTest {
  private static final String LIMIT = "downhill.cpu.memory";
  private static final Device DEVICE = open();
  private static final long THIRD = 300_000 / 4;

  private static Device open() {
    System.setProperty(LIMIT, "" + (1 << 20));
    try {
      return Device.of("cpu:29");
    } finally {
      System.clearProperty(LIMIT);
    }
  }

  @AfterAll
  static void stopTracking() {
    DEVICE.tracking(false);
  }

  @Test
  void collectedTensorsMakeRoom() {
    for (int i = 0; i < 50; i++) {
      assertThat(Tensor.full(DEVICE, DType.F32, i, THIRD).slice(0, 7, 8, 1).item()).isEqualTo(i);
    }
  }

  @Test
  void reportNamesTheLargestOwners() {
    DEVICE.tracking(true);
    List<Tensor> held = new ArrayList<>();
    try (var _ = Scope.open()) {
      held.add(Tensor.zeros(DEVICE, DType.F32, 10));
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 4; i++) {
                  held.add(Tensor.zeros(DEVICE, DType.F32, THIRD));
                }
              })
          .isInstanceOf(OutOfMemoryException.class)
          .hasMessageContaining("asked for 75000 float32")
          .hasMessageContaining("limit 1048576")
          .hasMessageContaining("900,000 bytes in 3 tensors from OutOfMemoryTest.java:")
          .hasMessageContaining("40 bytes in 1 tensors from OutOfMemoryTest.java:");
      // Nothing was changed: what is there can be used, and freed memory is used again.
      assertThat(held.get(3).sum().item()).isZero();
      held.get(3).close();
      assertThat(Tensor.ones(DEVICE, DType.F32, THIRD).sum().item()).isEqualTo(THIRD);
    }
    assertThat(Tensor.ones(DEVICE, DType.F32, THIRD).sum().item()).isEqualTo(THIRD);
  }
}

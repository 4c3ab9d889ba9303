package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.BackendProvider;
import dev.downhill.backend.DeviceException;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

@ResourceLock(Resources.SYSTEM_PROPERTIES)
final class CpuProviderTest {
  private static final String[] PROPERTIES = {
    "downhill.threads", "downhill.cpu.memory", "downhill.vector.bits"
  };

  private final CpuProvider provider = new CpuProvider();

  @Test
  void isFoundByTheServiceLoader() {
    assertThat(ServiceLoader.load(BackendProvider.class))
        .filteredOn(p -> p.kind().equals("cpu"))
        .singleElement()
        .satisfies(
            p -> {
              assertThat(p.preference()).isZero();
              assertThat(p.unavailable()).isEmpty();
            });
  }

  @Test
  void open_describesTheDevice() {
    with(
        "downhill.threads",
        "3",
        () ->
            assertThat(provider.open(63).describe())
                .contains("3 threads")
                .contains("vectors")
                .doesNotContain("\n"));
    with(
        "downhill.threads",
        "1",
        () -> assertThat(provider.open(0).describe()).contains("1 thread,"));
  }

  @Test
  void open_otherIndices_areNoDevices() {
    for (int index : new int[] {-1, 64, Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> provider.open(index))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("cpu:" + index);
    }
  }

  @Test
  void open_limitOfMemory() {
    with(
        "downhill.cpu.memory",
        "123456",
        () -> assertThat(provider.open(0).memory().limit()).isEqualTo(123456));
    assertThat(provider.open(0).memory().limit()).isGreaterThan(1L << 28);
  }

  @Test
  void open_badProperties_areNamed() {
    for (String property : PROPERTIES) {
      for (String value : new String[] {"", "0", "-1", "two", "1e3", "99999999999999999999"}) {
        with(
            property,
            value,
            () ->
                assertThatThrownBy(() -> provider.open(0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(property)
                    .hasMessageContaining("'" + value + "'"));
      }
    }
  }

  private static void with(String property, String value, Runnable test) {
    String before = System.getProperty(property);
    System.setProperty(property, value);
    try {
      test.run();
    } finally {
      if (before == null) {
        System.clearProperty(property);
      } else {
        System.setProperty(property, before);
      }
    }
  }
}

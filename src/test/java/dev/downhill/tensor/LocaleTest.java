package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** What is said has the digits of programs wherever it is said. */
@Isolated
final class LocaleTest {
  @Test
  void messagesHaveLatinDigits() {
    Locale before = Locale.getDefault(Locale.Category.FORMAT);
    Locale.setDefault(Locale.Category.FORMAT, Locale.of("ar", "EG"));
    try {
      assertThat(String.format("%d", 5)).isEqualTo("٥");
      OpRefusalTest.tables().forEach(Refusals::check);
      assertThat(Device.of("cpu:38").report()).startsWith("0 live tensors, 0 bytes");
    } finally {
      Locale.setDefault(Locale.Category.FORMAT, before);
    }
  }
}

package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SpiralsTest {
  @Test
  void theTwoSpirals_areEachOtherTurnedByHalfACircle() {
    try (Dataset data = Spirals.dataset(Device.cpu(), 4000, 1)) {
      float[] x = data.x().toFloats();
      float[] y = data.y().toFloats();
      double off = 0;
      for (int i = 0; i < y.length; i++) {
        assertThat(y[i]).isEqualTo(i % 2);
        double a = 0.44 * x[2 * i];
        double b = 0.44 * x[2 * i + 1];
        double t = Math.sqrt(a * a + b * b);
        assertThat(t).isBetween(0.05, 1.1);
        double angle = 2 * Math.PI * Spirals.TURNS * t + Math.PI * (i % 2);
        off += Math.abs(a * Math.sin(angle) - b * Math.cos(angle)) / y.length;
      }
      // Beside the spiral there is nothing but the noise, spread along the angle by the noise in t.
      assertThat(off).isLessThan(0.1);
      double mean = 0;
      for (float v : x) {
        mean += v * v / x.length;
      }
      assertThat(mean).isCloseTo(1, within(0.05));
    }
  }

  @Test
  void theSeedDecidesEveryBit_andFewerAreTheFirstOfMore() {
    try (Dataset some = Spirals.dataset(Device.cpu(), 10, 1);
        Dataset more = Spirals.dataset(Device.cpu(), 20, 1);
        Dataset other = Spirals.dataset(Device.cpu(), 10, 2)) {
      assertThat(some.x().toFloats()).isEqualTo(Arrays.copyOf(more.x().toFloats(), 20));
      assertThat(some.x().toFloats()).isNotEqualTo(other.x().toFloats());
    }
  }
}

package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScansTest {
  private static final List<Scans.Scan> SCANS = Scans.draw(400, 1);

  private static int area(Scans.Scan scan) {
    boolean[] tumour = scan.tumour();
    return (int) IntStream.range(0, tumour.length).filter(i -> tumour[i]).count();
  }

  private static double brightness(Scans.Scan scan, boolean inside) {
    float[] pixels = scan.pixels();
    boolean[] tumour = scan.tumour();
    return IntStream.range(0, pixels.length)
        .filter(i -> tumour[i] == inside)
        .mapToDouble(i -> pixels[i])
        .average()
        .orElse(Double.NaN);
  }

  @Test
  void theSeedDecidesEveryBit_andFewerAreTheFirstOfMore() {
    List<Scans.Scan> again = Scans.draw(20, 1);
    for (int i = 0; i < 20; i++) {
      assertThat(again.get(i).pixels()).isEqualTo(SCANS.get(i).pixels());
      assertThat(again.get(i).tumour()).isEqualTo(SCANS.get(i).tumour());
    }
    assertThat(Scans.draw(1, 2).getFirst().pixels()).isNotEqualTo(SCANS.getFirst().pixels());
  }

  @Test
  void halfOfThemHaveATumour_ofKnownPlace() {
    long ill = SCANS.stream().filter(Scans.Scan::isIll).count();
    assertThat(ill).isBetween(160L, 240L);
    for (Scans.Scan scan : SCANS) {
      if (scan.isIll()) {
        // A radius of 3.5 to 6.
        assertThat(area(scan)).isBetween(30, 140);
        assertThat(brightness(scan, true)).isNotCloseTo(brightness(scan, false), within(0.03));
      } else {
        assertThat(area(scan)).isZero();
      }
    }
  }

  @Test
  void theBrightnessOfAScan_doesNotTell() {
    double ill = 0;
    double healthy = 0;
    for (Scans.Scan scan : SCANS) {
      double mean = 0;
      for (float v : scan.pixels()) {
        assertThat(v).isBetween(-1f, 2f);
        mean += v / (Scans.SIDE * Scans.SIDE);
      }
      ill += scan.isIll() ? mean : 0;
      healthy += scan.isIll() ? 0 : mean;
    }
    long n = SCANS.stream().filter(Scans.Scan::isIll).count();
    assertThat(ill / n).isCloseTo(healthy / (SCANS.size() - n), within(0.03));
  }

  @Test
  void theDataset_hasOneChannel_andOneTruthForEachScan() {
    try (Dataset data = Scans.dataset(Device.cpu(), SCANS.subList(0, 3))) {
      assertThat(data.x().shape().toArray()).containsExactly(3, 1, Scans.SIDE, Scans.SIDE);
      assertThat(data.y().shape().toArray()).containsExactly(3, 1);
      float[] x = data.x().toFloats();
      for (int i = 0; i < 3; i++) {
        assertThat(data.y().toFloats()[i]).isEqualTo(SCANS.get(i).isIll() ? 1 : 0);
        float shade = SCANS.get(i).pixels()[7];
        assertThat(x[i * Scans.SIDE * Scans.SIDE + 7]).isEqualTo((shade - 0.5f) * 5);
      }
    }
  }
}

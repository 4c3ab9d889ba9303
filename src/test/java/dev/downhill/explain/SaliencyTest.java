package dev.downhill.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.nn.Layer;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class SaliencyTest {
  private static final int SIDE = 6;

  /** Answers -2 times the pixel in row 2, column 3. */
  private static final Layer ONE_PIXEL =
      Layer.of("OnePixel()", x -> x.select(3, 3).select(2, 2).mul(-2));

  private static boolean[] region(int... pixels) {
    boolean[] region = new boolean[SIDE * SIDE];
    for (int p : pixels) {
      region[p] = true;
    }
    return region;
  }

  private static List<Saliency> maps(int n) {
    return Saliency.of(ONE_PIXEL, Tensor.ones(Device.cpu(), DType.F32, n, 1, SIDE, SIDE));
  }

  @Test
  void theMap_isTheGradientsSize_smoothed() {
    List<Saliency> maps = maps(2);
    assertThat(maps).hasSize(2);
    float[] map = maps.get(1).strength();
    int centre = 2 * SIDE + 3;
    // 3 x 3 means twice: 9, 6 and 3 of 81 in the middle, beside it and two away from it.
    assertThat(map[centre]).isCloseTo(2 * 9f / 81, within(1e-6f));
    assertThat(map[centre + 1]).isCloseTo(2 * 6f / 81, within(1e-6f));
    assertThat(map[centre - 2 * SIDE]).isCloseTo(2 * 3f / 81, within(1e-6f));
    assertThat(map[SIDE * SIDE - 1]).isZero();
    assertThat(maps.get(0).strength()).isEqualTo(map);
  }

  @Test
  void overlap_isTheShareOfTheStrongestThatLiesInside() {
    Saliency map = maps(1).getFirst();
    int centre = 2 * SIDE + 3;
    assertThat(map.pointsInto(region(centre))).isTrue();
    assertThat(map.pointsInto(region(centre + 1))).isFalse();
    assertThat(map.overlap(region(centre))).isEqualTo(1);
    assertThat(map.overlap(region(centre, 35))).isEqualTo(0.5);
    assertThat(map.overlap(region(34, 35))).isZero();
    assertThat(map.overlap(region())).isNaN();
    assertThat(map.strongest(1)).isEqualTo(region(centre));
  }

  @Test
  void imagesOfAnotherShape_andAnswersWithoutThem_areRefused() {
    assertThatThrownBy(
            () -> Saliency.of(ONE_PIXEL, Tensor.ones(Device.cpu(), DType.F32, 1, 3, SIDE, SIDE)))
        .hasMessage("saliency: expected images (N, 1, H, W), got shape (1, 3, 6, 6)");
  }
}

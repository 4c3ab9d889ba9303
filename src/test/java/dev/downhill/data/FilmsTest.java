package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.BitSet;
import java.util.HashSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FilmsTest {
  private static final Films FILMS = Films.generate(1);

  @Test
  void theSameSeed_givesTheSameRatings_anotherGivesOthers() {
    Ratings a = FILMS.ratings();
    Ratings b = Films.generate(1).ratings();
    Ratings c = Films.generate(2).ratings();
    int[] rows = {0, 1, 77_777, a.size() - 1};
    for (int row : rows) {
      assertThat(b.rating(row)).isEqualTo(a.rating(row));
      assertThat(b.item(row)).isEqualTo(a.item(row));
      assertThat(c.rating(row)).isNotEqualTo(a.rating(row));
    }
  }

  @Test
  void everyViewer_hasRatedAsManyDifferentFilms() {
    Ratings r = FILMS.ratings();
    assertThat(r.size()).isEqualTo(Films.VIEWERS * Films.EACH);
    BitSet seen = new BitSet();
    for (int row = 0; row < r.size(); row++) {
      seen.set(r.user(row) * r.items().size() + r.item(row));
    }
    assertThat(seen.cardinality()).isEqualTo(r.size());
    assertThat(new HashSet<>(r.items())).hasSize(800);
    assertThat(r.items().get(0)).isEqualTo("Silent Sheriff (western)");
  }

  @Test
  void theNoise_isNormalWithTheKnownSpread_andIndependentOfWhatIsExpected() {
    Ratings r = FILMS.ratings();
    int[] all = IntStream.range(0, r.size()).toArray();
    assertThat(FILMS.noiseFloor(all)).isCloseTo(Films.NOISE, within(0.002));
    double mean = 0;
    double together = 0;
    double beyond = 0;
    for (int row : all) {
      double noise = r.rating(row) - FILMS.expected(row);
      mean += noise / all.length;
      together += noise * (FILMS.expected(row) - Films.MEAN) / all.length;
      beyond += Math.abs(noise) > 2 * Films.NOISE ? 1.0 / all.length : 0;
    }
    // Ten times the standard errors, 0.0008 for the mean.
    assertThat(mean).isCloseTo(0, within(0.008));
    assertThat(together).isCloseTo(0, within(0.008));
    assertThat(beyond).isCloseTo(0.0455, within(0.0035));
    assertThatThrownBy(() -> FILMS.noiseFloor(new int[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("noiseFloor: expected at least one row, got none");
  }
}

package dev.downhill.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Known answers, and draws checked against their distributions. */
final class PhiloxTest {
  /** From kat_vectors of Random123: four words of counter, two of key, four of result. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd",
        "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1"
      })
  void words_areThoseOfRandom123(String line) {
    int[] w =
        Arrays.stream(line.split(" ")).mapToInt(s -> Integer.parseUnsignedInt(s, 16)).toArray();
    Philox philox = Philox.at(both(w[4], w[5]), both(w[2], w[3]), both(w[0], w[1]));
    assertThat(philox.words(0)).isEqualTo(Arrays.copyOfRange(w, 6, 10));
    assertThat(philox.bits(0)).isEqualTo(Integer.toUnsignedLong(w[6]));
  }

  private static long both(int low, int high) {
    return ((long) high << 32) | Integer.toUnsignedLong(low);
  }

  @Test
  void draw_ofARunEqualsSinglePositions_alsoOverTheWordsOfTheCounter() {
    long start = (1L << 32) - 20;
    Philox run = new Philox(7, 9, 50);
    run.draw(start, 41);
    for (int i = 0; i < 41; i++) {
      assertThat(run.words(i)).isEqualTo(Philox.at(7, 9, start + i).words(0));
    }
    run.draw(-3, 5);
    assertThat(run.words(3)).isEqualTo(Philox.at(7, 9, 0).words(0));
  }

  @Test
  void uniform_takesTheUpperBits() {
    Philox philox = Philox.at(0, 0, 0);
    assertThat(philox.uniformFloat(0)).isEqualTo(0x6627e8p-24f);
    assertThat(philox.uniform(0)).isEqualTo((0x6627e8d5e169c58dL >>> 11) * 0x1p-53);
  }

  @Test
  void normal_isBoxMullerOfTheFourWords() {
    Philox philox = Philox.at(0, 0, 0);
    double u = ((0x6627e8d5e169c58dL >>> 11) + 1) * 0x1p-53;
    double v = (0xbc57ac4c9b00dbd8L >>> 11) * 0x1p-53;
    assertThat(philox.normal(0))
        .isEqualTo(Math.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * Math.PI * v));
  }

  @Test
  void threshold_isExactAtTheEnds() {
    assertThat(Philox.threshold(0)).isZero();
    assertThat(Philox.threshold(1)).isEqualTo(1L << 32);
    assertThat(Philox.threshold(0.5)).isEqualTo(1L << 31);
    assertThat(Philox.threshold(0x1.8p-32)).isEqualTo(2);
  }

  /** The published FNV-1a test vectors. */
  @ParameterizedTest
  @CsvSource({"'', cbf29ce484222325", "a, af63dc4c8601ec8c", "foobar, 85944171f73967e8"})
  void streamOf_isFnv1a(String name, String hash) {
    assertThat(Philox.streamOf(name)).isEqualTo(Long.parseUnsignedLong(hash, 16));
  }

  @Test
  void generator_drawsWhatDevicesDraw() {
    Philox.Generator uniforms = Philox.generator(3, 4);
    Philox.Generator normals = Philox.generator(3, 4);
    for (int i = 0; i < 200; i++) {
      assertThat(uniforms.nextDouble()).isEqualTo(Philox.at(3, 4, i).uniform(0));
      assertThat(normals.nextGaussian()).isEqualTo(Philox.at(3, 4, i).normal(0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 10, 1000})
  void nextInt_isUniform(int bound) {
    Philox.Generator generator = Philox.generator(11, bound);
    int draws = 100_000;
    int[] counts = new int[bound];
    for (int i = 0; i < draws; i++) {
      counts[generator.nextInt(bound)]++;
    }
    double expected = (double) draws / bound;
    double chiSquare = 0;
    for (int count : counts) {
      chiSquare += (count - expected) * (count - expected) / expected;
    }
    // Mean bound - 1, deviation sqrt(2 (bound - 1)).
    assertThat(chiSquare).isLessThanOrEqualTo(bound - 1 + 4 * Math.sqrt(2.0 * (bound - 1)));
  }

  @Test
  void nextInt_rejectsWhatWouldBiasLargeBounds() {
    // A quarter of the words is rejected; with them x mod 3 would come as 3 to 3 to 2.
    int bound = 3 << 29;
    Philox.Generator generator = Philox.generator(5, 6);
    int[] byRemainder = new int[3];
    for (int i = 0; i < 60_000; i++) {
      int x = generator.nextInt(bound);
      assertThat(x).isBetween(0, bound - 1);
      byRemainder[x % 3]++;
    }
    for (int n : byRemainder) {
      assertThat(n).isBetween(19_500, 20_500);
    }
  }

  @Test
  void nextInt_refusesABoundBelowOne() {
    Philox.Generator generator = Philox.generator(0, 0);
    assertThatThrownBy(() -> generator.nextInt(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("nextInt: bound out of range, expected a positive number, got 0");
  }

  @ParameterizedTest
  @CsvSource({"1, 2, 0", "2, 1, 0", "1, 1, 1", "1, 4294967297, 0", "4294967297, 1, 0"})
  void normals_areUncorrelatedBetweenSeedsStreamsAndPositions(long seed, long stream, long shift) {
    int n = 20_000;
    Philox a = new Philox(1, 1, n);
    a.draw(0, n);
    Philox b = new Philox(seed, stream, n);
    b.draw(shift, n);
    double product = 0;
    for (int i = 0; i < n; i++) {
      product += a.normal(i) * b.normal(i);
    }
    assertThat(product / n).isBetween(-4 / Math.sqrt(n), 4 / Math.sqrt(n));
  }
}

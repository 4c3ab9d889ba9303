package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.HostRandom;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class InitTest {
  private static double[] draw(Init init, long... sizes) {
    Shape shape = Shape.of(sizes);
    DoubleSupplier values = init.values(shape, new HostRandom(7, "0.weight"));
    return java.util.stream.DoubleStream.generate(values).limit(shape.numel()).toArray();
  }

  /**
   * Name, draws of a weight (40, 30, 5, 3), expected deviation, expected largest, 0 for no limit.
   */
  static Stream<Arguments> spreads() {
    double in = 30 * 15;
    double out = 40 * 15;
    double xavier = Math.sqrt(2 / (in + out));
    double root3 = Math.sqrt(3);
    return Stream.of(
        Arguments.of("uniform", Init.uniform(-2, 2), 2 / root3, 2),
        Arguments.of("normal", Init.normal(0, 3), 3, 0),
        Arguments.of("xavierUniform", Init.xavierUniform(2), 2 * xavier, 2 * xavier * root3),
        Arguments.of("xavierNormal", Init.xavierNormal(Init.TANH), 5 / 3. * xavier, 0),
        Arguments.of(
            "kaimingUniform",
            Init.kaimingUniform(Init.Fan.IN, Init.RELU),
            Math.sqrt(2 / in),
            Math.sqrt(6 / in)),
        Arguments.of(
            "kaimingNormal", Init.kaimingNormal(Init.Fan.OUT, Init.RELU), Math.sqrt(2 / out), 0),
        Arguments.of("lecunUniform", Init.lecunUniform(), Math.sqrt(1 / in), Math.sqrt(3 / in)),
        Arguments.of("lecunNormal", Init.lecunNormal(), Math.sqrt(1 / in), 0),
        // The deviation of N(0, 1) cut off at ±2 is 0.8796, at ±0.5 0.2840.
        Arguments.of("truncated", Init.truncatedNormal(0, 0.1, -0.2, 0.2), 0.08796, 0.2),
        Arguments.of("narrow", Init.truncatedNormal(0, 2, -1, 1), 0.5680, 1));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("spreads")
  void hasMeanZeroAndItsDeviation(String name, Init init, double deviation, double largest) {
    double[] x = draw(init, 40, 30, 5, 3);
    double mean = Arrays.stream(x).average().orElseThrow();
    double square = Arrays.stream(x).map(v -> v * v).average().orElseThrow();
    // 18,000 draws: the mean strays by deviation / 134, the deviation by less than 1 %.
    assertThat(mean).isCloseTo(0, within(deviation / 30));
    assertThat(Math.sqrt(square)).isCloseTo(deviation, within(0.025 * deviation));
    double most = Arrays.stream(x).map(Math::abs).max().orElseThrow();
    if (largest > 0) {
      assertThat(most).isLessThanOrEqualTo(largest).isGreaterThan(0.99 * largest);
    } else {
      assertThat(most).isBetween(3 * deviation, 6 * deviation);
    }
  }

  @Test
  void anIntervalMayBeLopsided() {
    double[] wide = draw(Init.truncatedNormal(1, 1, 1, 9), 20_000);
    // The mean of the upper half of N(1, 1) is 1 + sqrt(2 / pi).
    assertThat(Arrays.stream(wide).average().orElseThrow()).isCloseTo(1.79788, within(0.02));
    assertThat(Arrays.stream(wide).min().orElseThrow()).isGreaterThanOrEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"6,6", "3,8", "9,4", "1,5", "5,1", "0,3"})
  void orthogonalHasOrthonormalRowsOrColumns(int rows, int columns) {
    double[] x = draw(Init.orthogonal(2), rows, columns);
    boolean tall = rows > columns;
    int count = Math.min(rows, columns);
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) {
        double dot = 0;
        for (int k = 0; k < Math.max(rows, columns); k++) {
          dot +=
              tall
                  ? x[k * columns + i] * x[k * columns + j]
                  : x[i * columns + k] * x[j * columns + k];
        }
        assertThat(dot).isCloseTo(i == j ? 4 : 0, within(1e-12));
      }
    }
  }

  @Test
  void orthogonalFlattensFurtherSizes() {
    assertThat(draw(Init.orthogonal(1), 4, 2, 3)).isEqualTo(draw(Init.orthogonal(1), 4, 6));
  }

  @Test
  void constantsAreConstant() {
    assertThat(draw(Init.constant(2.5), 2, 2)).containsOnly(2.5);
    assertThat(draw(Init.zeros(), 3)).containsOnly(0);
  }

  @Test
  void theBitsAreTheSameOnEveryMachine() {
    // From an independent program: seed 7, the stream of "0.weight", positions 0 and 1.
    assertThat(draw(Init.uniform(0, 1), 2)).containsExactly(0.4826505763543316, 0.731030192593253);
    assertThat(draw(Init.normal(0, 1), 2))
        .containsExactly(new double[] {-0.056779737378588394, 0.08019526356123774}, within(1e-15));
  }

  @Test
  void badNumbersAndShapesAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> draw(Init.xavierNormal(1), 3))
        .withMessage("xavierNormal: expected a weight (out, in, ...), got shape (3)");
    assertThatIllegalArgumentException().isThrownBy(() -> draw(Init.orthogonal(1), 3));
    assertThatIllegalArgumentException().isThrownBy(() -> Init.normal(Double.NaN, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Init.uniform(0, Double.POSITIVE_INFINITY));
    assertThatIllegalArgumentException().isThrownBy(() -> Init.truncatedNormal(5, 1, -2, 2));
    assertThatIllegalArgumentException().isThrownBy(() -> Init.truncatedNormal(0, 0, -2, 2));
  }
}

package dev.downhill.jobs.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.tensor.HostRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplingTest {
  private static final double[] SCORES = {1, 3, 2, 3, -5};

  private static double[] shares(Sampling sampling, double[] scores) {
    HostRandom random = new HostRandom(1, "test");
    double[] shares = new double[scores.length];
    for (int i = 0; i < 20_000; i++) {
      shares[sampling.draw(scores, random)] += 1.0 / 20_000;
    }
    return shares;
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "0.5, 0", "3, 0", "1, 2", "1, 3", "0.7, 5", "1, 99"})
  void tokens_areDrawnWithTheSoftmaxOfTheHighestScores(double temperature, int topK) {
    // The k-th highest: both threes share the first place.
    double least = topK == 2 ? 3 : topK == 3 ? 2 : -5;
    double[] expected = new double[SCORES.length];
    double sum = 0;
    for (int i = 0; i < expected.length; i++) {
      expected[i] = SCORES[i] < least ? 0 : Math.exp(SCORES[i] / temperature);
      sum += expected[i];
    }
    double[] shares = shares(new Sampling(temperature, topK), SCORES);
    for (int i = 0; i < expected.length; i++) {
      assertThat(shares[i]).as("token %s", i).isCloseTo(expected[i] / sum, within(0.015));
    }
  }

  @Test
  void atTemperatureZero_theFirstOfTheHighestIsTaken() {
    assertThat(shares(new Sampling(0, 0), SCORES)[1]).isCloseTo(1, within(1e-9));
    assertThat(shares(new Sampling(0, 3), new double[] {-1e30, -2})[1]).isCloseTo(1, within(1e-9));
  }

  @Test
  void amongOne_andNearZero_theHighestIsTaken() {
    assertThat(shares(new Sampling(1, 1), new double[] {1, 2, 0})[1]).isCloseTo(1, within(1e-9));
    assertThat(shares(new Sampling(1e-300, 0), new double[] {800, 900})[1])
        .isCloseTo(1, within(1e-9));
  }

  @Test
  void tiesWithTheLast_takePart() {
    double[] shares = shares(new Sampling(1, 1), SCORES);
    assertThat(shares[1]).isCloseTo(0.5, within(0.015));
    assertThat(shares[3]).isCloseTo(0.5, within(0.015));
  }

  @Test
  void numbersOutOfRange_areRefused() {
    for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new Sampling(bad, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("sampling: expected a temperature of 0 or more");
    }
    assertThatThrownBy(() -> new Sampling(1, -1)).isInstanceOf(IllegalArgumentException.class);
  }
}

package dev.downhill.explain;

import static dev.downhill.explain.RateTrial.Verdict.DIVERGED;
import static dev.downhill.explain.RateTrial.Verdict.GOOD;
import static dev.downhill.explain.RateTrial.Verdict.TOO_HIGH;
import static dev.downhill.explain.RateTrial.Verdict.TOO_LOW;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RateTrialTest {
  private static RateTrial.Verdict[] verdicts(double... last) {
    double[] rates = {1e-5, 1e-3, 1e-1};
    double[] first = {1, 1, 1};
    return RateTrial.of(rates, first, last).rows().stream()
        .map(RateTrial.Row::verdict)
        .toArray(RateTrial.Verdict[]::new);
  }

  @Test
  void verdicts_compareWithTheBestRate() {
    assertThat(verdicts(0.98, 0.02, 7.3)).containsExactly(TOO_LOW, GOOD, DIVERGED);
    assertThat(verdicts(0.98, 0.02, 0.05)).containsExactly(TOO_LOW, GOOD, TOO_HIGH);
    assertThat(verdicts(0.3, 0.02, 0.03)).containsExactly(GOOD, GOOD, GOOD);
    assertThat(verdicts(0.98, 0.02, Double.NaN)).containsExactly(TOO_LOW, GOOD, DIVERGED);
    assertThat(verdicts(Double.NaN, Double.NaN, 0.5)).containsExactly(DIVERGED, DIVERGED, GOOD);
  }

  @Test
  void text_showsRatesAndVerdicts() {
    String text =
        RateTrial.of(new double[] {1e-5, 2e-3}, new double[] {1, 1}, new double[] {0.9, 0.1})
            .toString();
    assertThat(text).contains("1.0e-05", "0.0020", "too low: it crawls", "well chosen");
  }
}

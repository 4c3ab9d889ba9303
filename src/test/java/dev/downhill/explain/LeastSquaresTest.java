package dev.downhill.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LeastSquaresTest {
  @Test
  void aPlane_isFoundExactly() {
    float[] x = {0, 0, 1, 0, 0, 1, 1, 1, 2, 3};
    float[] y = {1, 3, -2, 0, -4};
    LeastSquares fit = LeastSquares.fit(x, y, 2);
    for (int r = 0; r < y.length; r++) {
      assertThat(fit.predict(x, r)).isCloseTo(1 + 2 * x[2 * r] - 3 * x[2 * r + 1], within(1e-9));
    }
  }

  @Test
  void dependentColumns_areNoProblem() {
    // Two one-hot columns and a constant: one of the three is superfluous.
    float[] x = {1, 0, 1, 0, 0, 1, 0, 1};
    float[] y = {1, 3, 10, 20};
    LeastSquares fit = LeastSquares.fit(x, y, 2);
    assertThat(fit.predict(x, 0)).isCloseTo(2, within(1e-9));
    assertThat(fit.predict(x, 3)).isCloseTo(15, within(1e-9));
  }
}

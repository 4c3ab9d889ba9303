package dev.downhill.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.tensor.HostRandom;
import org.junit.jupiter.api.Test;

class AurocTest {
  private static double of(double[] scores, int... positive) {
    boolean[] truth = new boolean[scores.length];
    for (int p : positive) {
      truth[p] = true;
    }
    return Auroc.of(scores, truth);
  }

  @Test
  void perfectReversedAndTiedScores_areOneZeroAndHalf() {
    assertThat(of(new double[] {1, 2, 3, 4}, 2, 3)).isEqualTo(1);
    assertThat(of(new double[] {1, 2, 3, 4}, 0, 1)).isZero();
    assertThat(of(new double[] {5, 5, 5, 5}, 0, 1)).isEqualTo(0.5);
    assertThat(of(new double[] {0.1, 0.4, 0.35, 0.8}, 2, 3)).isEqualTo(0.75);
    assertThat(of(new double[] {-0.0, 0.0}, 1)).isEqualTo(0.5);
  }

  @Test
  void itIsTheShareOfPairsInOrder() {
    HostRandom random = new HostRandom(1, "auroc");
    int n = 200;
    double[] scores = new double[n];
    boolean[] truth = new boolean[n];
    for (int i = 0; i < n; i++) {
      truth[i] = random.uniform() < 0.3;
      scores[i] = random.below(10) + (truth[i] ? 2 : 0);
    }
    double wins = 0;
    double pairs = 0;
    for (int p = 0; p < n; p++) {
      for (int q = 0; q < n; q++) {
        if (truth[p] && !truth[q]) {
          pairs++;
          wins += scores[p] > scores[q] ? 1 : scores[p] == scores[q] ? 0.5 : 0;
        }
      }
    }
    assertThat(Auroc.of(scores, truth)).isCloseTo(wins / pairs, within(1e-12));
  }

  @Test
  void oneClassAlone_isNaN_andWrongArgumentsAreRefused() {
    assertThat(of(new double[] {1, 2})).isNaN();
    assertThat(of(new double[] {1, 2}, 0, 1)).isNaN();
    assertThatThrownBy(() -> Auroc.of(new double[2], new boolean[3]))
        .hasMessage("auroc: expected as many scores as truths, got 2 and 3");
    assertThatThrownBy(() -> of(new double[] {1, Double.NaN}, 0))
        .hasMessage("auroc: expected scores that are numbers, got NaN");
  }
}

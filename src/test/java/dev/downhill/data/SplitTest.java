package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SplitTest {
  @ParameterizedTest
  @CsvSource({
    "100000, 0.2, 20000",
    "10, 0.25, 3",
    "7, 0, 0",
    "1, 0, 0",
    "1, 0.5, 0",
    "2, 0.01, 1",
    "3, 0.99, 2",
    "5, 0.1, 1"
  })
  void everyRowIsInOnePart(int n, double share, int expected) {
    Split split = Split.of(n, share, 9);
    assertThat(split.validation()).hasSize(expected).isSorted();
    assertThat(split.train()).hasSize(n - expected).isSorted();
    int[] all =
        IntStream.concat(Arrays.stream(split.train()), Arrays.stream(split.validation()))
            .sorted()
            .toArray();
    assertThat(all).isEqualTo(IntStream.range(0, n).toArray());
  }

  @Test
  void theSeedDecides() {
    Split split = Split.of(1000, 0.2, 1);
    assertThat(Split.of(1000, 0.2, 1).validation()).isEqualTo(split.validation());
    assertThat(Split.of(1000, 0.2, 2).validation()).isNotEqualTo(split.validation());
    // Spread over the rows and not a block of them.
    assertThat(Arrays.stream(split.validation()).filter(row -> row < 500).count())
        .isBetween(75L, 125L);
  }

  @Test
  void partsAreCopies() {
    Split split = Split.of(10, 0.5, 1);
    split.train()[0] = -1;
    split.validation()[0] = -1;
    assertThat(split.train()[0]).isNotNegative();
    assertThat(split.validation()[0]).isNotNegative();
  }

  @ParameterizedTest
  @CsvSource({"0, 0.2", "-1, 0.2", "10, 1", "10, -0.1", "10, NaN", "10, Infinity"})
  void sharesOutOfRangeAreRefused(int n, double share) {
    assertThatThrownBy(() -> Split.of(n, share, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "split: expected at least 1 row and a validation share from 0 to below 1, got "
                + n
                + " rows and "
                + share);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 17, 1000})
  void ordersArePermutations(int n) {
    for (int epoch = 0; epoch < 5; epoch++) {
      int[] order = Order.shuffled(n, 42, epoch);
      assertThat(order).isEqualTo(Order.shuffled(n, 42, epoch));
      Arrays.sort(order);
      assertThat(order).isEqualTo(IntStream.range(0, n).toArray());
    }
  }

  @Test
  void ordersDifferBySeedAndEpoch() {
    Set<String> seen = new HashSet<>();
    for (long seed = -3; seed < 3; seed++) {
      for (long epoch = 0; epoch < 10; epoch++) {
        seen.add(Arrays.toString(Order.shuffled(50, seed, epoch)));
      }
    }
    assertThat(seen).hasSize(60);
  }

  @Test
  void ordersAreFixedForever() {
    assertThat(Order.shuffled(8, 1, 0)).containsExactly(2, 1, 5, 7, 6, 0, 3, 4);
    assertThatThrownBy(() -> Order.shuffled(-1, 1, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("shuffled: expected a number of rows, got -1");
  }

  /** Each of the 6 orders of 3 rows is as frequent as the others. */
  @Test
  void ordersAreUniform() {
    int[] counts = new int[27];
    for (int epoch = 0; epoch < 6000; epoch++) {
      int[] order = Order.shuffled(3, 5, epoch);
      counts[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    assertThat(Arrays.stream(counts).filter(c -> c > 0).boxed()).hasSize(6).allMatch(c -> c > 850);
  }

  @Test
  void folds_areEachRowOnce_withTheirShareOfEachClass() {
    int[] classes = IntStream.range(0, 103).map(r -> r % 4 == 0 ? 7 : 2).toArray();
    List<Split> folds = Split.folds(classes, 10, 3);
    assertThat(folds).hasSize(10);
    int[] all = folds.stream().flatMapToInt(f -> Arrays.stream(f.validation())).sorted().toArray();
    assertThat(all).isEqualTo(IntStream.range(0, 103).toArray());
    for (Split fold : folds) {
      assertThat(fold.validation().length).isBetween(10, 11);
      assertThat(fold.train()).hasSize(103 - fold.validation().length).isSorted();
      assertThat(fold.train()).doesNotContain(fold.validation());
      assertThat(Arrays.stream(fold.validation()).filter(r -> classes[r] == 7).count())
          .isBetween(2L, 3L);
    }
    assertThat(Split.folds(classes, 10, 3).get(4).validation())
        .isEqualTo(folds.get(4).validation());
    assertThat(Split.folds(classes, 10, 4).get(4).validation())
        .isNotEqualTo(folds.get(4).validation());
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 1, 6})
  void anImpossibleNumberOfFolds_isRefused(int folds) {
    assertThatThrownBy(() -> Split.folds(new int[5], folds, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "folds: expected 2 to as many as there are rows, got %s for 5 rows".formatted(folds));
  }
}

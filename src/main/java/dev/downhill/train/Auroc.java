package dev.downhill.train;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The area under the receiver operating characteristic. */
public final class Auroc {
  private Auroc() {}

  /**
   * How well scores tell two classes apart, whatever the threshold: the probability that a positive
   * example has a higher score than a negative one, where a tie counts half. 0.5 says nothing, 1 is
   * perfect. Exact, by ranks: with R the sum of the ranks of the p positives among all p + n
   * examples (ties share the mean of their ranks), it is (R - p (p + 1) / 2) / (p n).
   *
   * @param scores one for each example, none NaN
   * @param positive the truth
   * @return NaN unless there are examples of both classes
   */
  public static double of(double[] scores, boolean[] positive) {
    if (scores.length != positive.length) {
      throw new IllegalArgumentException(
          "auroc: expected as many scores as truths, got %s and %s"
              .formatted(scores.length, positive.length));
    }
    if (Arrays.stream(scores).anyMatch(Double::isNaN)) {
      throw new IllegalArgumentException("auroc: expected scores that are numbers, got NaN");
    }
    int[] order =
        IntStream.range(0, scores.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> scores[i]))
            .mapToInt(i -> i)
            .toArray();
    double ranks = 0;
    double positives = 0;
    int end;
    for (int start = 0; start < order.length; start = end) {
      int among = 0;
      end = start;
      while (end < order.length && scores[order[end]] == scores[order[start]]) {
        among += positive[order[end]] ? 1 : 0;
        end++;
      }
      // The ranks start + 1 to end, shared.
      ranks += among * (start + 1 + end) / 2.0;
      positives += among;
    }
    double pairs = positives * (scores.length - positives);
    return (ranks - positives * (positives + 1) / 2) / pairs;
  }
}

package dev.downhill.jobs.language;

import dev.downhill.tensor.HostRandom;
import java.util.Arrays;

/**
 * How the next token is drawn from a network's scores z: with probability softmax(z / temperature)
 * among the {@code topK} highest.
 *
 * @param temperature 0 takes the highest score always; 1 draws with the network's own
 *     probabilities; more is bolder
 * @param topK how many of the highest scores take part, with those equal to the last of them; 0 for
 *     all
 */
public record Sampling(double temperature, int topK) {
  /** Checks the ranges. */
  public Sampling {
    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY) || topK < 0) {
      throw new IllegalArgumentException(
          "sampling: expected a temperature of 0 or more and a top-k of 0 or more, got %s and %s"
              .formatted(temperature, topK));
    }
  }

  /** The number of the token that comes next. */
  int draw(double[] scores, HostRandom random) {
    double[] sorted = scores.clone();
    Arrays.sort(sorted);
    double highest = sorted[sorted.length - 1];
    double least = topK == 0 || topK >= sorted.length ? sorted[0] : sorted[sorted.length - topK];
    double[] sums = new double[scores.length];
    double sum = 0;
    for (int i = 0; i < scores.length; i++) {
      if (temperature == 0 && scores[i] == highest) {
        return i;
      }
      sum += scores[i] < least ? 0 : StrictMath.exp((scores[i] - highest) / temperature);
      sums[i] = sum;
    }
    double drawn = random.uniform() * sum;
    int next = 0;
    while (sums[next] <= drawn) {
      next++;
    }
    return next;
  }
}

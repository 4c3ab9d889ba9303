package dev.downhill.jobs.noise;

import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Sgd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Evaluation;
import dev.downhill.train.NumericException;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * A descent with batches of one size.
 *
 * @param batch examples a batch
 * @param losses of all examples, by steps taken, from 0 on
 */
record Descent(int batch, NavigableMap<Long, Double> losses) {
  /**
   * Descends with plain steps of one rate.
   *
   * @param looks after how many steps to measure the loss of all examples; it ends with the last
   * @param each hears the loss of every step's batch, before the step
   * @throws NumericException if the loss is seen to be NaN or infinite
   */
  static Descent run(
      Sequential model,
      Dataset data,
      int batch,
      double rate,
      long seed,
      NavigableSet<Long> looks,
      Consumer<Tensor> each) {
    NavigableMap<Long, Double> losses = new TreeMap<>();
    losses.put(0L, Evaluation.mean(model, data, Loss::mse));
    try (Sgd sgd = new Sgd(model.parameters(), rate);
        Step step =
            Step.of(
                (x, y) -> {
                  var loss = Loss.mse(model.forward(x), y);
                  sgd.zeroGrad();
                  loss.backward();
                  sgd.step();
                  return loss;
                })) {
      long taken = 0;
      for (int pass = 0; taken < looks.last(); pass++) {
        for (Batch b : data.batches(batch, seed, pass)) {
          if (taken == looks.last()) {
            break;
          }
          each.accept(step.run(b.x(), b.y()));
          taken++;
          if (looks.contains(taken)) {
            double loss = Evaluation.mean(model, data, Loss::mse);
            if (!Double.isFinite(loss)) {
              throw new NumericException(
                  "noise: the loss became %s by step %s (batches of %s, learning rate %s); try a lower rate"
                      .formatted(loss, taken, batch, rate));
            }
            losses.put(taken, loss);
          }
        }
      }
    }
    return new Descent(batch, losses);
  }

  /** Ever rarer looks, and these; none beyond {@code steps}, which is the last. */
  static NavigableSet<Long> looks(long steps, long... others) {
    NavigableSet<Long> looks = new TreeSet<>();
    for (double at = 1; at < steps; at = Math.max(at + 1, at * 1.1)) {
      looks.add((long) at);
    }
    for (long other : others) {
      if (other > 0 && other < steps) {
        looks.add(other);
      }
    }
    looks.add(steps);
    return looks;
  }

  /** The loss after so many steps, or at the last look before. */
  double after(long steps) {
    Map.Entry<Long, Double> look = losses.floorEntry(steps);
    return look.getValue();
  }

  /** The looks but for the first, which a logarithmic axis does not show. */
  double[] stepsTaken() {
    return losses.keySet().stream().skip(1).mapToDouble(s -> s).toArray();
  }

  /** The losses at {@link #stepsTaken}. */
  double[] lossesAfter() {
    return losses.values().stream().skip(1).mapToDouble(l -> l).toArray();
  }
}

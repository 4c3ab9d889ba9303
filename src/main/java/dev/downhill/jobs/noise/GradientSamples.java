package dev.downhill.jobs.noise;

import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Sgd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Step;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The gradients of all weights, measured on many batches of one size while the weights stay where
 * they are.
 */
final class GradientSamples {
  private final int batch;
  private final double[][] samples;

  /**
   * Samples that were measured.
   *
   * @param batch examples a batch
   * @param samples for each batch the gradients of all weights
   */
  GradientSamples(int batch, double[][] samples) {
    this.batch = batch;
    this.samples = samples;
  }

  /** Measures {@code count} batches, drawn without replacement, in as many passes as it takes. */
  static GradientSamples draw(Sequential model, Dataset data, int batch, int count, long seed) {
    double[][] samples = new double[count][];
    try (Sgd sgd = new Sgd(model.parameters(), 1);
        Step step =
            Step.of(
                (x, y) -> {
                  sgd.zeroGrad();
                  var loss = Loss.mse(model.forward(x), y);
                  loss.backward();
                  return loss;
                })) {
      int k = 0;
      for (int pass = 0; k < count; pass++) {
        for (Batch b : data.batches(batch, seed, pass)) {
          if (k < count && b.size() == batch) {
            step.run(b.x(), b.y());
            samples[k++] = NoiseTask.gradient(model);
          }
        }
      }
    }
    return new GradientSamples(batch, samples);
  }

  /** Examples a batch. */
  int batch() {
    return batch;
  }

  /** The number of batches. */
  int count() {
    return samples.length;
  }

  int weights() {
    return samples[0].length;
  }

  /** What the batches said about one weight. */
  double[] of(int weight) {
    return Arrays.stream(samples).mapToDouble(s -> s[weight]).toArray();
  }

  double mean(int weight) {
    return Arrays.stream(of(weight)).average().orElseThrow();
  }

  /** The standard deviation over batches. */
  double spread(int weight) {
    double mean = mean(weight);
    double squares = Arrays.stream(of(weight)).map(g -> (g - mean) * (g - mean)).sum();
    return Math.sqrt(squares / (samples.length - 1));
  }

  /** How large the signal is beside the noise, for the weight in the middle. */
  double medianTrust(double[] truth) {
    return median(
        IntStream.range(0, weights()).mapToDouble(w -> Math.abs(truth[w]) / spread(w)).toArray());
  }

  double medianSpread() {
    return median(IntStream.range(0, weights()).mapToDouble(this::spread).toArray());
  }

  /** In which share of all samples a step would move a weight in the right direction. */
  double rightSign(double[] truth) {
    return Arrays.stream(samples)
        .flatMapToDouble(
            s ->
                IntStream.range(0, truth.length)
                    .mapToDouble(w -> Math.signum(s[w]) == Math.signum(truth[w]) ? 1 : 0))
        .average()
        .orElseThrow();
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }
}

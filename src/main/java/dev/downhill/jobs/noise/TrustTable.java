package dev.downhill.jobs.noise;

import dev.downhill.data.Dataset;
import dev.downhill.explain.Plot;
import dev.downhill.explain.TextTable;
import dev.downhill.nn.Sequential;
import dev.downhill.tensor.HostRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How far the gradient of a batch can be trusted, by the size of the batch.
 *
 * @param sizes measured at one place, the smallest first
 * @param full measured on all examples, in several orders
 */
record TrustTable(List<GradientSamples> sizes, GradientSamples full) {
  private static final int[] BATCHES = {1, 8, 32, 256};
  private static final int MOST = 1_000;
  private static final int ORDERS = 8;

  /**
   * Measures at the present weights of a model.
   *
   * @param steps to be taken; before a short run of a few steps it measures on fewer batches
   */
  static TrustTable of(Sequential model, Dataset data, long seed, int steps) {
    int count = (int) Math.min(MOST, 10L * steps);
    List<GradientSamples> sizes = new ArrayList<>();
    for (int batch : BATCHES) {
      sizes.add(GradientSamples.draw(model, data, batch, count, seed));
    }
    int all = Math.toIntExact(data.size());
    return new TrustTable(sizes, GradientSamples.draw(model, data, all, ORDERS, seed));
  }

  /** What was measured with batches of this size. */
  GradientSamples at(int batch) {
    return sizes.stream().filter(s -> s.batch() == batch).findFirst().orElseThrow();
  }

  /** The gradient of the full set. */
  double[] truth() {
    return IntStream.range(0, full.weights()).mapToDouble(full::mean).toArray();
  }

  /**
   * The power of the batch size with which the spread of a weight falls: the slope of the straight
   * line through the logarithms.
   */
  double exponent(int weight) {
    double[] x = sizes.stream().mapToDouble(s -> StrictMath.log(s.batch())).toArray();
    double[] y = sizes.stream().mapToDouble(s -> StrictMath.log(s.spread(weight))).toArray();
    double meanX = Arrays.stream(x).average().orElseThrow();
    double meanY = Arrays.stream(y).average().orElseThrow();
    double xy = 0;
    double xx = 0;
    for (int i = 0; i < x.length; i++) {
      xy += (x[i] - meanX) * (y[i] - meanY);
      xx += (x[i] - meanX) * (x[i] - meanX);
    }
    return xy / xx;
  }

  /** The exponents of all weights, in ascending order. */
  double[] exponents() {
    return IntStream.range(0, full.weights()).mapToDouble(this::exponent).sorted().toArray();
  }

  /** For each input, its weight with the largest gradient. */
  int[] loudest() {
    double[] truth = truth();
    return NoiseTask.weightsOfInputs().stream()
        .mapToInt(
            weights ->
                Arrays.stream(weights)
                    .boxed()
                    .max((a, b) -> Double.compare(Math.abs(truth[a]), Math.abs(truth[b])))
                    .orElseThrow())
        .toArray();
  }

  /** One line for each size of batch, over all weights. */
  TextTable summary() {
    double[] truth = truth();
    double one = sizes.getFirst().medianSpread();
    TextTable table =
        new TextTable("batch", "spread", "relative", "1/sqrt(batch)", "signal/noise", "right sign");
    for (GradientSamples s : sizes) {
      table.row(
          String.format(Locale.ROOT, "%,d", s.batch()),
          number("%.5f", s.medianSpread()),
          number("%.4f", s.medianSpread() / one),
          number("%.4f", 1 / Math.sqrt(s.batch())),
          number("%.2f", s.medianTrust(truth)),
          number("%.1f %%", 100 * s.rightSign(truth)));
    }
    return table.row(
        String.format(Locale.ROOT, "%,d", full.batch()),
        number("%.1e", full.medianSpread()),
        number("%.1e", full.medianSpread() / one),
        number("%.4f", 1 / Math.sqrt(full.batch())),
        number("%.1e", full.medianTrust(truth)),
        number("%.1f %%", 100 * full.rightSign(truth)));
  }

  /** Mean and spread over batches of a few weights' gradients. */
  TextTable of(int[] weights) {
    List<String> header = new ArrayList<>(List.of("weight", "full set"));
    sizes.forEach(s -> header.add("batches of " + s.batch()));
    TextTable table = new TextTable(header.toArray(String[]::new));
    for (int w : weights) {
      List<String> row = new ArrayList<>();
      row.add(NoiseTask.weights().get(w));
      row.add(number("%+.3f", full.mean(w)));
      sizes.forEach(s -> row.add(number("%+.3f", s.mean(w)) + number(" +- %.3f", s.spread(w))));
      table.row(row.toArray(String[]::new));
    }
    return table;
  }

  /** One line for each weight and size of batch. */
  void csv(String when, StringBuilder csv) {
    for (int w = 0; w < full.weights(); w++) {
      for (GradientSamples s : sizes) {
        csv.append(
            String.format(
                Locale.ROOT,
                "%s,%s,%d,%s,%s%n",
                when,
                NoiseTask.weights().get(w),
                s.batch(),
                s.mean(w),
                s.spread(w)));
      }
      csv.append(
          String.format(
              Locale.ROOT,
              "%s,%s,%d,%s,%s%n",
              when,
              NoiseTask.weights().get(w),
              full.batch(),
              full.mean(w),
              full.spread(w)));
    }
  }

  /** The spread of some weights against the size of the batch, and samples of the first. */
  Plot[] plots(int[] weights) {
    double[] batch = sizes.stream().mapToDouble(GradientSamples::batch).toArray();
    Plot spreads =
        new Plot("How gradients spread", "examples a batch", "spread over batches")
            .logarithmic()
            .logarithmicX();
    for (int w : weights) {
      spreads.line(
          NoiseTask.weights().get(w),
          batch,
          sizes.stream().mapToDouble(s -> s.spread(w)).toArray());
    }
    double one = sizes.getFirst().medianSpread();
    spreads.dashed(
        "1 / sqrt(batch)", batch, Arrays.stream(batch).map(b -> one / Math.sqrt(b)).toArray());

    int first = weights[0];
    Plot samples =
        new Plot(
                "What batches say about: " + NoiseTask.weights().get(first),
                "examples a batch",
                "gradient")
            .logarithmicX();
    HostRandom random = new HostRandom(0, "jitter");
    for (GradientSamples s : sizes) {
      // Moved sideways a little, so that dots do not hide each other.
      double[] x = new double[s.count()];
      Arrays.setAll(x, _ -> s.batch() * (1 + 0.4 * random.uniform()));
      samples.points("batch of " + s.batch(), x, s.of(first));
    }
    double[] ends = {1, 1.4 * batch[batch.length - 1]};
    samples.dashed("full set", ends, new double[] {full.mean(first), full.mean(first)});
    return new Plot[] {spreads, samples};
  }

  private static String number(String format, double v) {
    return String.format(Locale.ROOT, format, v);
  }
}

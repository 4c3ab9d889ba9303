package dev.downhill.jobs.noise;

import dev.downhill.backend.Device;
import dev.downhill.data.Dataset;
import dev.downhill.data.Encoder;
import dev.downhill.data.Houses;
import dev.downhill.data.Table;
import dev.downhill.nn.Layer;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Sequential;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What {@link GradientNoise} looks at: a network of a few weights that learns the prices of houses.
 *
 * @param device where
 * @param seed of houses, weights and the order of examples
 */
record NoiseTask(Device device, long seed) {
  /** The full set. */
  static final int EXAMPLES = 8_192;

  private static final int UNITS = 16;
  private static final List<String> INPUTS =
      List.of("size_m2", "bedrooms", "distance_km", "age_years");

  /** All examples. */
  Dataset houses(DType dtype) {
    Table table = Houses.table(EXAMPLES, seed);
    int[] rows = IntStream.range(0, EXAMPLES).toArray();
    Encoder encoder = Encoder.fit(table, Houses.TARGET, rows);
    Tensor x = Tensor.of(device, encoder.encode(table), EXAMPLES, INPUTS.size());
    Tensor y = Tensor.of(device, encoder.encodeTarget(table), EXAMPLES, 1);
    return new Dataset(x.to(dtype), y.to(dtype));
  }

  /** A fresh network; every one starts from the same weights. */
  Sequential model(DType dtype) {
    return new Sequential(
            new Linear(INPUTS.size(), UNITS),
            Layer.of("Tanh()", Tensor::tanh),
            new Linear(UNITS, 1))
        .on(device, seed, dtype);
  }

  /** What the weights are called, in the order of {@link #gradient}. */
  static List<String> weights() {
    List<String> names = new ArrayList<>();
    for (int unit = 1; unit <= UNITS; unit++) {
      for (String input : INPUTS) {
        names.add(input + " to unit " + unit);
      }
    }
    IntStream.rangeClosed(1, UNITS).forEach(unit -> names.add("bias of unit " + unit));
    IntStream.rangeClosed(1, UNITS).forEach(unit -> names.add("unit " + unit + " to price"));
    names.add("bias of price");
    return names;
  }

  /** For each input, the weights from it to all units. */
  static List<int[]> weightsOfInputs() {
    int inputs = INPUTS.size();
    return IntStream.range(0, inputs)
        .mapToObj(i -> IntStream.range(0, UNITS).map(unit -> unit * inputs + i).toArray())
        .toList();
  }

  /** The gradients of all weights in one row. */
  static double[] gradient(Sequential model) {
    List<double[]> parts = new ArrayList<>();
    for (Tensor weight : model.parameters()) {
      Tensor gradient = weight.grad();
      if (gradient == null) {
        throw new IllegalStateException("gradient: expected it after a backward pass, got none");
      }
      parts.add(gradient.toDoubles());
    }
    return parts.stream().flatMapToDouble(Arrays::stream).toArray();
  }
}

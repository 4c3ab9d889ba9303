package dev.downhill.train;

import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.nn.Layer;
import dev.downhill.nn.Module;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.BinaryOperator;

/** The mean of a measure over a data set, with the model in evaluation mode. */
public final class Evaluation {
  // Large enough to keep the device busy, small enough for the activations to fit anywhere.
  private static final int BATCH = 512;

  private Evaluation() {}

  /**
   * The mean over all examples.
   *
   * @param measure from prediction and target of a batch to the batch's mean, with one element: a
   *     loss, or an error
   * @return NaN if there are no examples
   */
  public static double mean(Layer model, Dataset data, BinaryOperator<Tensor> measure) {
    return means(model, data, BATCH, List.of(measure))[0];
  }

  /**
   * The means of several measures over all examples, of which {@code batch} are seen at a time:
   * what fits into memory in training does so here.
   *
   * @param measures each from prediction and target of a batch to the batch's mean, with one
   *     element
   * @return one mean for each measure; NaN if there are no examples
   */
  public static double[] means(
      Layer model, Dataset data, int batch, List<BinaryOperator<Tensor>> measures) {
    double[] means = new double[measures.size()];
    try (Module.Mode _ = model.evaluating();
        Autograd.Mode _ = Autograd.noGrad()) {
      for (Batch b : data.inOrder(batch)) {
        try (Scope _ = Scope.open()) {
          Tensor prediction = model.forward(b.x());
          for (int i = 0; i < means.length; i++) {
            means[i] += measures.get(i).apply(prediction, b.y()).item() * b.size();
          }
        }
      }
    }
    Arrays.setAll(means, i -> means[i] / data.size());
    return means;
  }
}

package dev.downhill.train;

import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.nn.Layer;
import dev.downhill.nn.Module;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
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
    return mean(model, data, measure, BATCH);
  }

  /**
   * The mean over all examples, of which {@code batch} are seen at a time: what fits into memory in
   * training does so here.
   *
   * @param measure from prediction and target of a batch to the batch's mean, with one element
   * @return NaN if there are no examples
   */
  public static double mean(Layer model, Dataset data, BinaryOperator<Tensor> measure, int batch) {
    double sum = 0;
    try (Module.Mode _ = model.evaluating();
        Autograd.Mode _ = Autograd.noGrad()) {
      for (Batch b : data.inOrder(batch)) {
        try (Scope _ = Scope.open()) {
          sum += measure.apply(model.forward(b.x()), b.y()).item() * b.size();
        }
      }
    }
    return sum / data.size();
  }
}

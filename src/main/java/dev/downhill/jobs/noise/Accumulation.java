package dev.downhill.jobs.noise;

import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.nn.Sequential;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.Iterator;

/**
 * The gradient of {@value #PARTS} small batches, added up, beside that of one large batch of the
 * same examples.
 *
 * <p>Both are the same sum of n terms, added in another order. A sum of n numbers c has an error of
 * at most (n - 1) u times the sum of |c|, whatever the order, where u is half a unit in the last
 * place; so two orders differ by at most twice that.
 *
 * @param largest difference of a weight's two gradients
 * @param share of its bound that a weight's difference reaches at most
 */
record Accumulation(double largest, double share) {
  static final int PARTS = 8;
  static final int SMALL = 32;

  static Accumulation measure(NoiseTask task, DType dtype) {
    try (Dataset data = task.houses(dtype);
        Sequential model = task.model(dtype)) {
      int n = PARTS * SMALL;
      Batch whole = data.inOrder(n).iterator().next();
      double[] atOnce = gradient(model, whole, 1);

      model.parameters().forEach(Tensor::zeroGrad);
      Iterator<Batch> batches = data.inOrder(SMALL).iterator();
      double[] addedUp = {};
      for (int part = 0; part < PARTS; part++) {
        addedUp = gradient(model, batches.next(), 1.0 / PARTS);
      }

      model.parameters().forEach(Tensor::zeroGrad);
      double u = dtype == DType.F64 ? 0x1p-53 : 0x1p-24;
      double[] size = meanSizes(model, data, n);
      double largest = 0;
      double share = 0;
      for (int w = 0; w < atOnce.length; w++) {
        double difference = Math.abs(atOnce[w] - addedUp[w]);
        largest = Math.max(largest, difference);
        share = Math.max(share, difference / (2 * (n - 1) * u * size[w]));
      }
      return new Accumulation(largest, share);
    }
  }

  /** Adds a batch's gradient, weighted, to what is there, and returns the sum. */
  private static double[] gradient(Sequential model, Batch b, double weight) {
    try (Scope _ = Scope.open()) {
      Loss.mse(model.forward(b.x()), b.y()).mul(weight).backward();
      return NoiseTask.gradient(model);
    }
  }

  /** The mean absolute gradient of single examples, the first n. */
  private static double[] meanSizes(Sequential model, Dataset data, int n) {
    double[] size = new double[NoiseTask.weights().size()];
    Iterator<Batch> examples = data.inOrder(1).iterator();
    for (int i = 0; i < n; i++) {
      double[] one = gradient(model, examples.next(), 1);
      model.parameters().forEach(Tensor::zeroGrad);
      for (int w = 0; w < size.length; w++) {
        size[w] += Math.abs(one[w]) / n;
      }
    }
    return size;
  }
}

package dev.downhill.jobs.curve;

import dev.downhill.backend.Device;
import dev.downhill.optim.Sgd;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleConsumer;

/** Gradient descent on a curve: x becomes x - rate f'(x), again and again. */
final class Descent {
  private final double rate;
  private final double[] x;
  private final double[] height;
  private final double[] slope;

  private Descent(double rate, double[] x, double[] height, double[] slope) {
    this.rate = rate;
    this.x = x;
    this.height = height;
    this.slope = slope;
  }

  /** The learning rate. */
  double rate() {
    return rate;
  }

  /** The places, from the start on. */
  double[] x() {
    return x;
  }

  /** The curve there. */
  double[] height() {
    return height;
  }

  /** Its slope there. */
  double[] slope() {
    return slope;
  }

  /**
   * Walks until the steps are over or the curve or its slope is no number.
   *
   * @param told hears the height before each step
   */
  static Descent walk(
      Formula curve, Device device, double start, double rate, int steps, DoubleConsumer told) {
    double[] x = new double[steps + 1];
    double[] height = new double[steps + 1];
    double[] slope = new double[steps + 1];
    int n = 0;
    try (Tensor place = Tensor.full(device, DType.F64, start).requireGrad();
        Sgd sgd = new Sgd(List.of(place), rate)) {
      for (boolean more = true; more; n++) {
        try (Scope _ = Scope.open()) {
          Tensor y = curve.of(place);
          sgd.zeroGrad();
          y.backward();
          x[n] = place.item();
          height[n] = y.item();
          slope[n] = Objects.requireNonNull(place.grad()).item();
          more = n < steps && Double.isFinite(height[n]) && Double.isFinite(slope[n]);
          if (more) {
            told.accept(height[n]);
            sgd.step();
          }
        }
      }
    }
    return new Descent(
        rate, Arrays.copyOf(x, n), Arrays.copyOf(height, n), Arrays.copyOf(slope, n));
  }

  /** The number of steps taken. */
  int steps() {
    return x.length - 1;
  }

  /** Where it ended. */
  double end() {
    return x[steps()];
  }

  /** The step after place {@code i}. */
  double step(int i) {
    return x[i + 1] - x[i];
  }
}

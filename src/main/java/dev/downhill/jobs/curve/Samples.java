package dev.downhill.jobs.curve;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A curve at many places, all at once: its height, its slope, and its curvature, which is the
 * derivative of the derivative.
 */
final class Samples {
  private final double[] x;
  private final double[] height;
  private final double[] slope;
  private final double[] curvature;

  private Samples(double[] x, double[] height, double[] slope, double[] curvature) {
    this.x = x;
    this.height = height;
    this.slope = slope;
    this.curvature = curvature;
  }

  /** The places. */
  double[] x() {
    return x;
  }

  /** f(x). */
  double[] height() {
    return height;
  }

  /** f'(x). */
  double[] slope() {
    return slope;
  }

  /** f''(x). */
  double[] curvature() {
    return curvature;
  }

  /** A curve at these places. */
  static Samples at(Formula curve, Device device, double... x) {
    try (Scope _ = Scope.open()) {
      Tensor places = Tensor.of(device, x, x.length).requireGrad();
      Tensor height = curve.of(places);
      // Each height depends on its own place alone: the gradient of the sum holds all slopes.
      Tensor slope = derivative(height.sum(), places);
      Tensor curvature = derivative(slope.sum(), places);
      return new Samples(x, height.toDoubles(), slope.toDoubles(), curvature.toDoubles());
    }
  }

  /** With a graph of its own; zeros where {@code y} does not depend on the places. */
  private static Tensor derivative(Tensor y, Tensor places) {
    Autograd.Backward again = Autograd.Backward.DEFAULT.withCreateGraph();
    Tensor found = y.requiresGrad() ? Autograd.grad(y, List.of(places), again).get(0) : null;
    return Objects.requireNonNullElseGet(
        found, () -> Tensor.zeros(places.device(), DType.F64, places.numel()));
  }

  /** A curve at places side by side. */
  static Samples between(Formula curve, Device device, double low, double high, int intervals) {
    double[] x = new double[intervals + 1];
    double middle = (low + high) / 2;
    double half = (high - low) / 2;
    // From the middle, so that it is met exactly.
    Arrays.setAll(x, i -> middle + (2.0 * i - intervals) / intervals * half);
    return at(curve, device, x);
  }

  /** The place of the sample nearest to {@code place}, whatever the height there. */
  int nearest(double place) {
    int best = 0;
    for (int i = 1; i < x.length; i++) {
      best = Math.abs(x[i] - place) < Math.abs(x[best] - place) ? i : best;
    }
    return best;
  }

  /** How far uphill goes from a sample in a direction: the last sample that is not lower. */
  int uphill(int from, int direction) {
    int i = from;
    while (in(i + direction) && height[i + direction] >= height[i]) {
      i += direction;
    }
    return i;
  }

  /** The bottom that a ball at a sample would roll to; -1 if it rolls out of the samples. */
  int bottom(int from) {
    int i = from;
    while (true) {
      if (!in(i - 1) || !in(i + 1)) {
        return -1;
      }
      if (height[i - 1] < height[i] && height[i - 1] <= height[i + 1]) {
        i--;
      } else if (height[i + 1] < height[i]) {
        i++;
      } else {
        // On a level stretch there is no bottom.
        return height[i - 1] > height[i] || height[i + 1] > height[i] ? i : -1;
      }
    }
  }

  /** Whether there is such a sample, with a number as its height. */
  boolean in(int i) {
    return i >= 0 && i < x.length && Double.isFinite(height[i]);
  }
}

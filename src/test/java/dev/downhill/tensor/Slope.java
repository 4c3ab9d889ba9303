package dev.downhill.tensor;

import dev.downhill.backend.Device;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** The derivative of a function of one vector, for tests: by the backward pass, from ones. */
final class Slope {
  private Slope() {}

  /** The gradient of the sum of f(x) at x. */
  static double[] of(UnaryOperator<Tensor> f, double... x) {
    try (Scope _ = Scope.open()) {
      Tensor leaf = Tensor.of(Device.cpu(), x, x.length).requireGrad();
      f.apply(leaf).sum().backward();
      return Objects.requireNonNull(leaf.grad()).toDoubles();
    }
  }

  /** {@link #of} by the rules that second derivatives use. */
  static double[] composed(UnaryOperator<Tensor> f, double... x) {
    try (Scope _ = Scope.open()) {
      Tensor leaf = Tensor.of(Device.cpu(), x, x.length).requireGrad();
      f.apply(leaf).sum().backward(Autograd.Backward.DEFAULT.withCreateGraph());
      return Objects.requireNonNull(leaf.grad()).toDoubles();
    }
  }
}

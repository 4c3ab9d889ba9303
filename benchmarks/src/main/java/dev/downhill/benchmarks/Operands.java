package dev.downhill.benchmarks;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Generator;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/** What the benchmarks work on, and how they run an operator. */
final class Operands {
  static final Device DEVICE = Device.of(System.getProperty("downhill.device", "cpu"));

  private static long stream;

  private Operands() {}

  /** Numbers from N(0, 1). */
  static Tensor draw(long... sizes) {
    try (Generator random = new Generator(DEVICE, 1, stream++)) {
      return random.normal(DType.F32, sizes);
    }
  }

  /** Runs an operator without recording it. */
  static void forward(Supplier<Tensor> operator) {
    try (Scope _ = Scope.open();
        Autograd.Mode _ = Autograd.noGrad()) {
      operator.get();
    }
    DEVICE.synchronize();
  }

  /** The gradients of leaves, from a graph that is kept. */
  static void backward(Tensor y, Tensor dy, Tensor... leaves) {
    try (Scope _ = Scope.open()) {
      Autograd.grad(
          y, List.of(leaves), Autograd.Backward.DEFAULT.withGradient(dy).withRetainGraph());
    }
    DEVICE.synchronize();
  }
}

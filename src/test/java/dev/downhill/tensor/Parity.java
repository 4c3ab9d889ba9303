package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether two devices agree on a case: its result, the gradient of every input, and in float64 the
 * gradients composed of operators too.
 */
final class Parity {
  private long comparisons;

  /** How many numbers were compared so far. */
  long comparisons() {
    return comparisons;
  }

  /** The result and the gradients of a case, still on the device. */
  static List<Tensor> compute(OpCase c, List<Tensor> inputs) {
    Tensor y = c.apply(inputs);
    List<Tensor> all = new ArrayList<>(List.of(y));
    List<Tensor> wanted = inputs.stream().filter(Tensor::requiresGrad).distinct().toList();
    if (!y.requiresGrad()) {
      return all;
    }
    double[] start = new double[Math.toIntExact(y.numel())];
    Arrays.setAll(start, i -> i % 2 == 0 ? 0.75 : -1.25);
    Tensor dy = Tensor.of(y.device(), start, y.shape().toArray()).to(y.dtype());
    Autograd.Backward backward = Autograd.Backward.DEFAULT.withGradient(dy).withRetainGraph();
    add(all, Autograd.grad(y, wanted, backward));
    if (c.dtype() == DType.F64 && c.laid() == Laid.CONTIGUOUS) {
      add(all, Autograd.grad(y, wanted, backward.withCreateGraph()));
    }
    return all;
  }

  private static void add(List<Tensor> all, List<@Nullable Tensor> gradients) {
    for (Tensor gradient : gradients) {
      if (gradient != null) {
        all.add(gradient);
      }
    }
  }

  /** The numbers of {@link #compute}. */
  static List<double[]> read(List<Tensor> tensors) {
    return tensors.stream().map(Tensor::toDoubles).toList();
  }

  /** The result and the gradients of a case on a device, as numbers. */
  static List<double[]> numbers(OpCase c, Device device) {
    try (var _ = Scope.open()) {
      return read(compute(c, c.inputs(device)));
    }
  }

  /**
   * How far an element may be from the expected one, as a share of the largest number of its tensor
   * (at least 1). In float32 a few roundings of 2^-24, as many more as numbers are added up; in
   * bfloat16 composed operators round to 2^-9 between their parts.
   */
  static double tolerance(OpCase c) {
    return switch (c.dtype()) {
      case F64 -> 1e-10;
      case F32 -> (16 + c.shapes().numel()) * 0x1p-24;
      case BF16 -> 0x1p-6;
      default -> throw new AssertionError(c.dtype());
    };
  }

  /** The first element that is too far from what is expected, in words. */
  Optional<String> difference(List<double[]> found, List<double[]> expected, double tolerance) {
    if (found.size() != expected.size()) {
      return Optional.of("%d tensors, expected %d".formatted(found.size(), expected.size()));
    }
    Optional<String> first = Optional.empty();
    for (int t = 0; t < expected.size(); t++) {
      double[] f = found.get(t);
      double[] e = expected.get(t);
      if (f.length != e.length) {
        return Optional.of("tensor %d: %d elements, expected %d".formatted(t, f.length, e.length));
      }
      double scale =
          Math.max(1, Arrays.stream(e).map(Math::abs).filter(Double::isFinite).max().orElse(1));
      for (int i = 0; i < e.length; i++) {
        comparisons++;
        boolean equal =
            Double.compare(f[i], e[i]) == 0 || Math.abs(f[i] - e[i]) <= tolerance * scale;
        if (!equal && first.isEmpty()) {
          first =
              Optional.of(
                  "%s, element %d: found %s, expected %s within %s"
                      .formatted(
                          t == 0 ? "result" : "gradient " + t, i, f[i], e[i], tolerance * scale));
        }
      }
    }
    return first;
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/**
 * Every operator and its gradient in float32 and bfloat16, on numbers these hold, against float64.
 */
final class OpPrecisionTest {
  private static final Device DEVICE = Device.of("cpu:32");

  @TestFactory
  Stream<DynamicNode> narrowTypes() {
    return OpTable.ROWS.stream()
        .map(
            row ->
                dynamicContainer(
                    row.name(),
                    OpCase.of(row).stream()
                        .filter(c -> c.dtype() != DType.F64)
                        .map(c -> dynamicTest(c.name(), () -> check(c)))));
  }

  private static void check(OpCase c) {
    // A few roundings of the largest number: 2^-24 and 2^-9 of it each.
    double tolerance = c.dtype() == DType.F32 ? 2e-6 : 3e-2;
    try (var _ = Scope.open()) {
      List<double[]> narrow = resultAndGradients(c, c.dtype());
      List<double[]> wide = resultAndGradients(c, DType.F64);
      assertThat(narrow).hasSameSizeAs(wide);
      for (int i = 0; i < wide.size(); i++) {
        OpCaseTest.assertClose(narrow.get(i), wide.get(i), tolerance);
      }
    }
  }

  private static List<double[]> resultAndGradients(OpCase c, DType dtype) {
    List<Tensor> inputs = c.inputs(DEVICE, dtype, true);
    Tensor y = c.apply(inputs);
    boolean floating = c.row().domains().stream().anyMatch(Domain::isFloating);
    if (y.dtype().isFloating() && floating) {
      assertThat(y.dtype()).isEqualTo(dtype);
    }
    List<double[]> all = new ArrayList<>();
    all.add(y.toDoubles());
    if (!y.requiresGrad()) {
      return all;
    }
    List<Tensor> wanted = inputs.stream().filter(Tensor::requiresGrad).distinct().toList();
    double[] start = new double[Math.toIntExact(y.numel())];
    Arrays.setAll(start, i -> i % 2 == 0 ? 0.75 : -1.25);
    Tensor dy = Tensor.of(DEVICE, start, y.shape().toArray()).to(y.dtype());
    List<@Nullable Tensor> gradients =
        Autograd.grad(y, wanted, Autograd.Backward.DEFAULT.withGradient(dy));
    for (int i = 0; i < wanted.size(); i++) {
      all.add(OpCaseTest.values(gradients.get(i), wanted.get(i)));
    }
    return all;
  }
}

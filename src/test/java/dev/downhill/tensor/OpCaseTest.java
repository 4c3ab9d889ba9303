package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.GradientCheck.Options;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every operator on all its cases in float64, where differences tell the truth. */
final class OpCaseTest {
  /** Tight enough to see a gradient that is wrong by a thousandth; see OpPerturbationTest. */
  static final Options OPTIONS = Options.DEFAULT.withTolerance(2e-7, 1e-5);

  private static final int FEWEST = 40;
  private static final Device DEVICE = Device.of("cpu:31");

  @TestFactory
  Stream<DynamicNode> doublePrecision() {
    return OpTable.ROWS.stream()
        .map(
            row ->
                dynamicContainer(
                    row.name(),
                    OpCase.of(row).stream()
                        .filter(c -> c.dtype() == DType.F64)
                        .map(c -> dynamicTest(c.name(), () -> check(c)))));
  }

  private static void check(OpCase c) {
    try (var _ = Scope.open()) {
      List<Tensor> inputs = c.inputs(DEVICE);
      double[] y = layoutsDoNotMatter(c, inputs);
      if (inputs.stream().noneMatch(Tensor::requiresGrad) || c.row().order() == 0) {
        assertThat(c.apply(inputs).requiresGrad()).as("requires a gradient").isFalse();
        return;
      }
      assertThat(c.apply(inputs).requiresGrad()).as("requires a gradient").isTrue();
      Options options = OPTIONS.withEps(c.row().eps());
      GradientCheck.check(c.function(), inputs, options).assertPasses();
      GradientCheck.checkSecond(c.function(), inputs, options).assertPasses();
      allPassesAgree(c, inputs, y.length);
    }
  }

  /** The result does not depend on how the inputs lie, and little is left behind but it. */
  private static double[] layoutsDoNotMatter(OpCase c, List<Tensor> inputs) {
    try (var _ = Scope.open();
        var _ = Autograd.noGrad()) {
      double[] expected = c.apply(c.plain(DEVICE)).toDoubles();
      long before = DEVICE.memory().tensors();
      double[] y = c.apply(inputs).toDoubles();
      // One more for indices beside values, or where a row glues two operators together.
      assertThat(DEVICE.memory().tensors() - before).as("tensors left").isLessThanOrEqualTo(2);
      assertClose(y, expected, 1e-13);
      return y;
    }
  }

  static void assertClose(double[] found, double[] expected, double tolerance) {
    assertThat(found).hasSameSizeAs(expected);
    double scale = 1;
    for (double e : expected) {
      scale = Double.isFinite(e) ? Math.max(scale, Math.abs(e)) : scale;
    }
    for (int i = 0; i < found.length; i++) {
      boolean equal =
          Double.compare(found[i], expected[i]) == 0
              || Math.abs(found[i] - expected[i]) <= tolerance * scale;
      assertThat(equal).as("element %d: found %s, expected %s", i, found[i], expected[i]).isTrue();
    }
  }

  /**
   * Rules have several ways to compute one gradient: by a kernel, composed of operators for second
   * derivatives, written where a leaf keeps its gradient, added to what is there.
   */
  private static void allPassesAgree(OpCase c, List<Tensor> inputs, int outputs) {
    List<Tensor> wanted = inputs.stream().filter(Tensor::requiresGrad).distinct().toList();
    Tensor y = c.apply(inputs);
    double[] start = new double[outputs];
    Arrays.setAll(start, i -> Math.cos(1 + i));
    Autograd.Backward retained =
        Autograd.Backward.DEFAULT
            .withGradient(Tensor.of(DEVICE, start, y.shape().toArray()))
            .withRetainGraph();
    List<@Nullable Tensor> plain = Autograd.grad(y, wanted, retained);
    List<@Nullable Tensor> composed = Autograd.grad(y, wanted, retained.withCreateGraph());
    y.backward(retained);
    y.backward(retained);
    for (int i = 0; i < wanted.size(); i++) {
      Tensor x = wanted.get(i);
      double[] expected = values(plain.get(i), x);
      assertClose(values(composed.get(i), x), expected, 1e-12);
      if (x.isLeaf()) {
        double[] twice = values(x.grad(), x);
        for (int k = 0; k < twice.length; k++) {
          twice[k] /= 2;
        }
        assertClose(twice, expected, 1e-13);
      }
    }
  }

  static double[] values(@Nullable Tensor gradient, Tensor of) {
    if (gradient == null) {
      return new double[Math.toIntExact(of.numel())];
    }
    assertThat(gradient.shape()).isEqualTo(of.shape());
    assertThat(gradient.dtype()).isEqualTo(of.dtype());
    return gradient.toDoubles();
  }

  @Test
  void everyOperatorHasEnoughCasesAndNoneTwice() {
    Set<String> names = new HashSet<>();
    for (OpRow row : OpTable.ROWS) {
      List<OpCase> cases = OpCase.of(row);
      assertThat(cases).as(row.name()).hasSizeGreaterThanOrEqualTo(FEWEST);
      for (OpCase c : cases) {
        assertThat(names.add(row.name() + ": " + c.name())).as("%s is new", c.name()).isTrue();
      }
    }
    assertThat(names).hasSizeGreaterThanOrEqualTo(1500);
  }

  @AfterAll
  static void coverage() {
    StringBuilder table = new StringBuilder("operator cases: op, cases, first, second order\n");
    int sum = 0;
    for (OpRow row : OpTable.ROWS) {
      List<OpCase> cases = OpCase.of(row);
      long gradients =
          row.order() == 0 ? 0 : cases.stream().filter(c -> c.dtype() == DType.F64).count();
      table.append(
          "  %-32s %5d %6s %6s\n"
              .formatted(
                  row.name(),
                  cases.size(),
                  gradients == 0 ? "-" : gradients,
                  gradients == 0 ? "-" : gradients));
      sum += cases.size();
    }
    System.out.print(table.append("  %-32s %5d\n".formatted("all", sum)));
  }
}

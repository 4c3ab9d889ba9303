package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.autograd.Contribution;
import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Autograd.Backward;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Backward passes of tensors: what arrives where, and what it costs. */
final class AutogradTest {
  private static final Device DEVICE = Device.of("cpu");

  private static Tensor of(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor present(@Nullable Tensor t) {
    if (t == null) {
      throw new AssertionError("no gradient");
    }
    return t;
  }

  private static double[] gradient(Tensor x) {
    return present(x.grad()).toDoubles();
  }

  @Test
  void gradientsAccumulateUntilCleared() {
    Tensor x = of(1, 2).requireGrad();
    assertThat(x.grad()).isNull();
    x.mul(x).sum().backward();
    x.mul(3).sum().backward();
    assertThat(gradient(x)).containsExactly(5, 7);
    x.zeroGrad();
    assertThat(x.grad()).isNull();
    x.mul(3).sum().backward();
    assertThat(gradient(x)).containsExactly(3, 3);
  }

  @Test
  void leafIsItsOwnRoot() {
    Tensor x = of(4).reshape().requireGrad();
    x.backward();
    assertThat(present(x.grad()).item()).isEqualTo(1);
  }

  @Test
  void backwardStartsFromAnyGradient() {
    Tensor x = of(1, 2, 3).requireGrad();
    x.mul(x).backward(Backward.DEFAULT.withGradient(of(1, 10, 100)));
    assertThat(gradient(x)).containsExactly(2, 40, 600);
  }

  @Test
  void rootMustBeAScalarOrHaveAGradient() {
    Tensor x = of(1, 2).requireGrad();
    Tensor y = x.mul(2);
    assertThatThrownBy(y::backward)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a tensor with one element")
        .hasMessageContaining("(2)");
    assertThatThrownBy(() -> y.backward(Backward.DEFAULT.withGradient(of(1, 2, 3))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("float64 (3) for float64 (2)");
    assertThatThrownBy(
            () -> y.backward(Backward.DEFAULT.withGradient(Tensor.ones(DEVICE, DType.F32, 2))))
        .hasMessageContaining("float32 (2) for float64 (2)");
    assertThatThrownBy(() -> of(1).backward())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has no graph");
  }

  @Test
  void gradLeavesTheLeavesAlone() {
    Tensor x = of(1, 2).requireGrad();
    Tensor w = of(3, 4).requireGrad();
    Tensor unused = of(0).requireGrad();
    Tensor h = x.mul(w);
    Tensor y = h.mul(h).sum();
    List<@Nullable Tensor> g = Autograd.grad(y, List.of(w, h, unused, w), Backward.DEFAULT);
    assertThat(present(g.get(0)).toDoubles()).containsExactly(2 * 3, 2 * 8 * 2);
    assertThat(present(g.get(1)).toDoubles()).containsExactly(6, 16);
    assertThat(g.get(2)).isNull();
    assertThat(present(g.get(3)).toDoubles()).containsExactly(6, 32);
    assertThat(x.grad()).isNull();
    assertThat(w.grad()).isNull();
    assertThatThrownBy(() -> Autograd.grad(x.sum(), List.of(of(1)), Backward.DEFAULT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tensors that need a gradient");
  }

  @Test
  void severalRootsAreSummed() {
    Tensor x = of(2, 3).requireGrad();
    Tensor square = x.mul(x);
    Tensor cube = square.mul(x);
    List<@Nullable Tensor> seeds = Arrays.asList(of(1, 1), of(10, 10), of(100, 100));
    List<@Nullable Tensor> g =
        Autograd.grad(
            List.of(square, cube, square), List.of(x), seeds, Backward.DEFAULT.withRetainGraph());
    assertThat(present(g.get(0)).toDoubles()).containsExactly(101 * 4 + 10 * 12, 101 * 6 + 10 * 27);
    Tensor a = square.sum();
    List<@Nullable Tensor> ones = Arrays.asList(null, null);
    List<@Nullable Tensor> twice = Autograd.grad(List.of(a, a), List.of(x), ones, Backward.DEFAULT);
    assertThat(present(twice.get(0)).toDoubles()).containsExactly(8, 12);
  }

  @Test
  void derivativesOfDerivatives() {
    Tensor x = of(2, -3).requireGrad();
    Tensor y = x.mul(x).mul(x).mul(x);
    double[][] expected = {{32, -108}, {48, 108}, {48, -72}, {24, 24}};
    for (double[] e : expected) {
      y = present(Autograd.grad(y.sum(), List.of(x), Backward.DEFAULT.withCreateGraph()).get(0));
      assertThat(y.toDoubles()).containsExactly(e);
    }
  }

  @Test
  void backwardWithCreateGraphGivesTheGradientAGraph() {
    Tensor x = of(2, 3).requireGrad();
    Tensor y = x.mul(x).mul(x).sum();
    y.backward(Backward.DEFAULT.withCreateGraph());
    assertThat(gradient(x)).containsExactly(12, 27);
    Tensor penalty = present(x.grad()).mul(present(x.grad())).sum();
    x.zeroGrad();
    penalty.backward();
    // d (3x^2)^2 = 36 x^3
    assertThat(gradient(x)).containsExactly(36 * 8, 36 * 27);
  }

  @Test
  void gradientWithoutCreateGraphHasNone() {
    Tensor x = of(2, 3).requireGrad();
    x.mul(x).sum().backward();
    assertThat(present(x.grad()).requiresGrad()).isFalse();
    Tensor g = present(Autograd.grad(x.mul(x).sum(), List.of(x), Backward.DEFAULT).get(0));
    assertThat(g.requiresGrad()).isFalse();
  }

  @Test
  void placedGradientsHaveSecondDerivatives() {
    Tensor x = of(1, 2, 3, 4).requireGrad();
    Tensor y = x.slice(0, 0, 3, 1).mul(x.slice(0, 1, 4, 1)).sum();
    Tensor g = present(Autograd.grad(y, List.of(x), Backward.DEFAULT.withCreateGraph()).get(0));
    assertThat(g.toDoubles()).containsExactly(2, 4, 6, 3);
    Tensor h = present(Autograd.grad(g.mul(g).sum(), List.of(x), Backward.DEFAULT).get(0));
    // g = (x1, x0 + x2, x1 + x3, x2)
    assertThat(h.toDoubles()).containsExactly(8, 2 * 2 + 2 * 6, 2 * 4 + 2 * 3, 2 * 6);
  }

  @Test
  void noGradRecordsNothingOnItsThread() {
    Tensor x = of(1, 2).requireGrad();
    try (var _ = Autograd.noGrad()) {
      assertThat(Autograd.isEnabled()).isFalse();
      assertThat(x.mul(x).requiresGrad()).isFalse();
      try (var _ = Autograd.noGrad()) {
        assertThat(x.mul(x).requiresGrad()).isFalse();
      }
      assertThat(Autograd.isEnabled()).isFalse();
      assertThat(CompletableFuture.supplyAsync(() -> x.mul(x).requiresGrad()).join()).isTrue();
    }
    assertThat(Autograd.isEnabled()).isTrue();
    assertThat(x.mul(x).requiresGrad()).isTrue();
  }

  @Test
  void whatNeedsNoGradientHasNoGraph() {
    Tensor x = of(1, 2);
    Tensor w = of(3, 4).requireGrad();
    assertThat(x.mul(x).requiresGrad()).isFalse();
    assertThat(x.mul(w).requiresGrad()).isTrue();
    assertThat(x.mul(w).isLeaf()).isFalse();
    assertThat(w.isLeaf()).isTrue();
    assertThat(w.detach().requiresGrad()).isFalse();
    x.mul(w).sum().backward();
    assertThat(x.grad()).isNull();
    assertThat(gradient(w)).containsExactly(1, 2);
  }

  @Test
  void requireGradRefusesWhatCannotHaveOne() {
    assertThatThrownBy(() -> Tensor.of(DEVICE, new long[] {1}, 1).requireGrad())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("int64");
    assertThatThrownBy(() -> of(1).expand(3).requireGrad())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expanded");
    Tensor x = of(1).requireGrad();
    assertThat(x.requireGrad()).isSameAs(x);
    assertThatThrownBy(() -> x.mul(2).requireGrad())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the result of mul (1)");
  }

  @Test
  void boundGradientStaysInItsPlace() {
    Tensor x = of(1, 2).requireGrad();
    Tensor slab = Tensor.zeros(DEVICE, DType.F64, 5);
    x.mul(x).sum().backward();
    x.bindGrad(slab.slice(0, 2, 4, 1));
    assertThat(slab.toDoubles()).containsExactly(0, 0, 2, 4, 0);
    x.mul(10).sum().backward();
    assertThat(slab.toDoubles()).containsExactly(0, 0, 12, 14, 0);
    x.zeroGrad();
    x.mul(10).sum().backward();
    assertThat(slab.toDoubles()).containsExactly(0, 0, 10, 10, 0);
    assertThatThrownBy(() -> x.bindGrad(Tensor.zeros(DEVICE, DType.F64, 3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("float64 (2)")
        .hasMessageContaining("float64 (3)");
    assertThatThrownBy(() -> of(1, 2).bindGrad(of(1, 2))).hasMessageContaining("expected a leaf");
  }

  @Test
  void operatorWithoutRulesIsRefusedWhenItIsRecorded() {
    Tensor x = of(1, 2).requireGrad();
    assertThatThrownBy(() -> Op.of("mystery", x).record(of(1, 2)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("mystery: has no gradient, but an input needs one")
        .hasMessageContaining("(2)");
    Tensor y = of(1, 2);
    assertThat(Op.of("mystery", x.detach()).record(y)).isSameAs(y);
    try (var _ = Autograd.noGrad()) {
      assertThat(Op.of("mystery", x).record(y).requiresGrad()).isFalse();
    }
  }

  @Test
  void dtypesDoNotMix() {
    Tensor x = of(1, 2);
    Tensor y = Tensor.ones(DEVICE, DType.F32, 3, 2);
    assertThatThrownBy(() -> x.mul(y))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "mul: dtypes differ, expected one, got float64 and float32; convert one with to(dtype)"
                + " (shapes (2) and (3, 2))");
  }

  @Test
  void observerSeesTensorsAndMayChangeThem() {
    Tensor x = of(1, 2).requireGrad();
    List<String> seen = new ArrayList<>();
    try (var _ =
        Autograd.observe(
            (node, input, c) -> {
              seen.add(node.op() + input);
              return c instanceof Contribution.Whole<Tensor>(Tensor value)
                  ? new Contribution.Whole<>(value.mul(10))
                  : c;
            })) {
      x.mul(x).sum().backward();
    }
    assertThat(seen).containsExactly("sum0", "mul0", "mul1");
    assertThat(gradient(x)).containsExactly(200, 400);
    x.mul(x).sum().backward();
    assertThat(seen).hasSize(3);
  }

  // What a pass costs, from the calls it makes

  private static List<Recording.Call> calls(Runnable work) {
    try (Recording recording = Recording.start()) {
      work.run();
      return recording.calls();
    }
  }

  private static final Pattern SIZES = Pattern.compile("\\(([0-9, ]*)\\) strides");

  /** The elements of all views of a call. */
  private static long elements(Recording.Call call) {
    long sum = 0;
    Matcher m = SIZES.matcher(call.toString());
    while (m.find()) {
      sum +=
          Arrays.stream(m.group(1).split(", "))
              .filter(s -> !s.isEmpty())
              .mapToLong(Long::parseLong)
              .reduce(1, (a, b) -> a * b);
    }
    return sum;
  }

  private static long count(List<Recording.Call> calls, String method) {
    return calls.stream().filter(c -> c.method().equals(method)).count();
  }

  @Test
  void thousandSlicesCostWhatOneTensorCosts() {
    int rows = 1000;
    int columns = 16;
    Tensor x = Tensor.ones(DEVICE, DType.F64, rows, columns).requireGrad();
    Tensor sum = x.slice(0, 0, 1, 1);
    for (int i = 1; i < rows; i++) {
      sum = sum.add(x.slice(0, i, i + 1, 1));
    }
    Tensor y = sum;
    Tensor dy = Tensor.arange(DEVICE, DType.F64, columns).reshape(1, columns);
    List<Recording.Call> calls = calls(() -> y.backward(Backward.DEFAULT.withGradient(dy)));
    long touched = calls.stream().mapToLong(AutogradTest::elements).sum();
    assertThat(touched).isBetween((long) rows * columns, 8L * rows * columns);
    double[] expected = new double[rows * columns];
    Arrays.setAll(expected, i -> i % columns);
    assertThat(gradient(x)).containsExactly(expected);
  }

  @Test
  void weightGradientIsOneProductAndNoCopy() {
    Tensor x = Tensor.ones(DEVICE, DType.F64, 7, 5);
    Tensor w = Tensor.ones(DEVICE, DType.F64, 3, 5).requireGrad();
    Tensor dy = Tensor.arange(DEVICE, DType.F64, 21).reshape(7, 3);
    for (int pass = 1; pass <= 2; pass++) {
      Tensor y = Matmul.linear(x, w, null);
      List<Recording.Call> calls = calls(() -> y.backward(Backward.DEFAULT.withGradient(dy)));
      assertThat(calls).extracting(Recording.Call::method).containsExactly("matmul");
      // It is written to w's gradient, the second time added (beta 1).
      assertThat(calls.get(0).arguments().get(3)).isEqualTo(pass == 1 ? 0.0 : 1.0);
      double column = pass * (0 + 3 + 6 + 9 + 12 + 15 + 18);
      assertThat(present(w.grad()).slice(1, 0, 1, 1).toDoubles())
          .containsExactly(column, column + 7 * pass, column + 14 * pass);
    }
  }

  @Test
  void gradientsOfALayerAreTwoProductsAndOneSum() {
    Tensor x = Tensor.ones(DEVICE, DType.F64, 7, 5).requireGrad();
    Tensor w = Tensor.ones(DEVICE, DType.F64, 3, 5).requireGrad();
    Tensor b = Tensor.ones(DEVICE, DType.F64, 3).requireGrad();
    Tensor dy = Tensor.arange(DEVICE, DType.F64, 21).reshape(7, 3);
    Tensor y = Matmul.linear(x.mul(2), w, b);
    List<Recording.Call> calls = calls(() -> y.backward(Backward.DEFAULT.withGradient(dy)));
    assertThat(count(calls, "matmul")).isEqualTo(2);
    assertThat(count(calls, "reduce")).isEqualTo(1);
    // x's own gradient goes through mul and stays in a new place: one product with 2, one copy.
    assertThat(count(calls, "binary")).isEqualTo(1);
    assertThat(count(calls, "copy")).isEqualTo(1);
    assertThat(calls).hasSize(5);
  }

  @Test
  void biasGradientAccumulates() {
    Tensor x = Tensor.ones(DEVICE, DType.F64, 7, 5);
    Tensor w = Tensor.ones(DEVICE, DType.F64, 3, 5);
    Tensor b = Tensor.ones(DEVICE, DType.F64, 3).requireGrad();
    for (int pass = 0; pass < 2; pass++) {
      Matmul.linear(x, w, b).sum().backward();
    }
    assertThat(gradient(b)).containsExactly(14, 14, 14);
  }

  @Test
  void plainBackwardAfterCreateGraphAddsUp() {
    Tensor x = of(2, 3).requireGrad();
    x.mul(x).sum().backward(Backward.DEFAULT.withCreateGraph());
    x.mul(x).sum().backward();
    assertThat(gradient(x)).containsExactly(8, 12);
    x.mul(x).sum().backward(Backward.DEFAULT.withCreateGraph());
    assertThat(gradient(x)).containsExactly(12, 18);
    x.zeroGrad();
    assertThat(x.grad()).isNull();
  }

  @Test
  void closedGradientIsNoGradient() {
    Tensor x = of(2, 3).requireGrad();
    x.mul(x).sum().backward();
    present(x.grad()).close();
    assertThat(x.grad()).isNull();
    x.mul(x).sum().backward();
    assertThat(gradient(x)).containsExactly(4, 6);
    present(x.grad()).close();
    x.bindGrad(of(8, 9));
    assertThat(x.grad()).isNull();
    for (int pass = 0; pass < 2; pass++) {
      x.mul(x).sum().backward(Backward.DEFAULT.withCreateGraph());
      assertThat(gradient(x)).containsExactly(4, 6);
      present(x.grad()).close();
    }
  }

  @Test
  void gradientBoundToItsOwnPlaceStays() {
    Tensor x = of(2, 3).requireGrad();
    x.mul(x).sum().backward();
    x.bindGrad(present(x.grad()));
    assertThat(gradient(x)).containsExactly(4, 6);
    x.mul(x).sum().backward();
    assertThat(gradient(x)).containsExactly(8, 12);
  }

  @Test
  void startIsChecked() {
    Tensor x = of(1, 2).requireGrad();
    Tensor ended = of(1, 1);
    ended.close();
    assertThatThrownBy(() -> x.add(1).backward(Backward.DEFAULT.withGradient(ended)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("backward: the tensor (2)");
    Tensor far = of(1, 1).to(Device.of("cpu:1"));
    assertThatThrownBy(() -> x.add(1).backward(Backward.DEFAULT.withGradient(far)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cpu:0")
        .hasMessageContaining("cpu:1");
    assertThatThrownBy(
            () -> Autograd.grad(List.of(x.sum(), x.sum()), List.of(x), List.of(), Backward.DEFAULT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("grad: expected one gradient or null for each result, got 0 for 2");
    assertThat(x.grad()).isNull();
  }

  /** The numbers 0 to 8 in an order without symmetry, n by n. */
  private static Tensor square(int n) {
    double[] v = new double[n * n];
    Arrays.setAll(v, i -> i * 7 % 9);
    return Tensor.of(DEVICE, v, n, n);
  }

  @Test
  void backwardMayStartFromTheGradientItself() {
    Tensor x = square(3).requireGrad();
    x.mul(square(3)).sum().backward();
    double[] sum = square(3).add(square(3).transpose(0, 1)).toDoubles();
    x.add(1).backward(Backward.DEFAULT.withGradient(present(x.grad()).transpose(0, 1)));
    assertThat(gradient(x)).containsExactly(sum);
  }

  @Test
  void productThatReadsTheGradientDoesNotOverwriteIt() {
    Tensor a = square(300);
    double[] sum = a.add(a.transpose(0, 1).matmul(a)).toDoubles();
    Tensor w = square(300).requireGrad();
    w.mul(a).sum().backward();
    a.matmul(w).backward(Backward.DEFAULT.withGradient(present(w.grad())));
    assertThat(Arrays.equals(gradient(w), sum)).isTrue();
    w.zeroGrad();
    w.mul(a).sum().backward();
    Matmul.linear(present(w.grad()), w, null).backward(Backward.DEFAULT.withGradient(a));
    assertThat(Arrays.equals(gradient(w), sum)).isTrue();
  }
}

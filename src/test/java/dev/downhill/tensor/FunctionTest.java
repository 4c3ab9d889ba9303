package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Autograd.Backward;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A user's own operators. */
final class FunctionTest {
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

  /** y = x^3, dx = 3 x^2 dy. */
  private static final class Cube extends Function {
    Cube() {
      super("cube");
    }

    @Override
    public Tensor forward(Context c, List<Tensor> in) {
      Tensor x = in.get(0);
      c.save(x);
      return x.mul(x).mul(x);
    }

    @Override
    public List<@Nullable Tensor> backward(Context c, Tensor dy) {
      Tensor x = c.saved(0);
      return List.of(x.mul(x).mul(3).mul(dy));
    }
  }

  /** z = x y w for three inputs, of which the last gets no gradient. */
  private static final class Product extends Function {
    private final int gradients;

    Product(int gradients) {
      super("product");
      this.gradients = gradients;
    }

    @Override
    public Tensor forward(Context c, List<Tensor> in) {
      c.save(in.get(0), in.get(1), in.get(2));
      return in.get(0).mul(in.get(1)).mul(in.get(2));
    }

    @Override
    public List<@Nullable Tensor> backward(Context c, Tensor dy) {
      Tensor dx = dy.mul(c.saved(1)).mul(c.saved(2));
      Tensor dw = dy.mul(c.saved(0)).mul(c.saved(2));
      return Arrays.asList(dx, dw, null, null).subList(0, gradients);
    }
  }

  @Test
  void forwardRecordsNothingAndBackwardIsTheRule() {
    Tensor x = of(1, 2, -3).requireGrad();
    Tensor y = new Cube().apply(x);
    assertThat(y.toDoubles()).containsExactly(1, 8, -27);
    assertThat(y.requiresGrad()).isTrue();
    y.sum().backward();
    assertThat(present(x.grad()).toDoubles()).containsExactly(3, 12, 27);
    assertThat(new Cube().apply(of(2)).requiresGrad()).isFalse();
  }

  @Test
  void oneFunctionMayBeAppliedTwice() {
    Cube cube = new Cube();
    Tensor x = of(2).requireGrad();
    cube.apply(cube.apply(x)).sum().backward();
    assertThat(present(x.grad()).item()).isEqualTo(9 * 256);
    x.zeroGrad();
    cube.apply(x).mul(cube.apply(x)).sum().backward();
    assertThat(present(x.grad()).item()).isEqualTo(6 * 32);
  }

  @Test
  void secondDerivativesWork() {
    Tensor x = of(2, -1).requireGrad();
    Tensor y = new Cube().apply(x);
    Tensor g =
        present(Autograd.grad(y.sum(), List.of(x), Backward.DEFAULT.withCreateGraph()).get(0));
    assertThat(g.toDoubles()).containsExactly(12, 3);
    Tensor h = present(Autograd.grad(g.sum(), List.of(x), Backward.DEFAULT).get(0));
    assertThat(h.toDoubles()).containsExactly(12, -6);
    GradientCheck.check(in -> new Cube().apply(in.get(0)), List.of(x)).assertPasses();
    GradientCheck.checkSecond(in -> new Cube().apply(in.get(0)), List.of(x)).assertPasses();
  }

  @Test
  void severalInputsOneWithoutAGradient() {
    Tensor x = of(1, 2).requireGrad();
    Tensor y = of(3, 4).requireGrad();
    Tensor w = of(5, 6).requireGrad();
    new Product(3).apply(x, y, w).sum().backward();
    assertThat(present(x.grad()).toDoubles()).containsExactly(15, 24);
    assertThat(present(y.grad()).toDoubles()).containsExactly(5, 12);
    assertThat(w.grad()).isNull();
    GradientCheck.check(in -> new Product(3).apply(in.get(0), in.get(1), w), List.of(x, y))
        .assertPasses();
    GradientCheck.checkSecond(in -> new Product(3).apply(in.get(0), in.get(0), w), List.of(x))
        .assertPasses();
  }

  @Test
  void wrongNumberOfGradientsIsRefused() {
    Tensor x = of(1, 2).requireGrad();
    for (int n : new int[] {0, 2, 4}) {
      Tensor y = new Product(n).apply(x, x, x).sum();
      assertThatThrownBy(y::backward)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("product: expected backward to return 3 gradients, got " + n);
    }
  }

  private static Function returning(Tensor gradient) {
    return new Function("odd") {
      @Override
      public Tensor forward(Context c, List<Tensor> in) {
        return in.get(0).mul(1);
      }

      @Override
      public List<@Nullable Tensor> backward(Context c, Tensor dy) {
        return List.of(gradient);
      }
    };
  }

  @Test
  void gradientOfAnotherShapeOrDtypeIsRefused() {
    Tensor x = of(1, 2).requireGrad();
    for (Tensor g : List.of(of(1, 2, 3), of(1), Tensor.ones(DEVICE, DType.F64, 3, 2))) {
      Tensor y = returning(g).apply(x).sum();
      assertThatThrownBy(y::backward)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "odd: expected backward to return float64 (2) for input 1, got float64 " + g.shape());
    }
    Tensor y = returning(Tensor.ones(DEVICE, DType.F32, 2)).apply(x).sum();
    assertThatThrownBy(y::backward)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got float32 (2)");
  }

  @Test
  void resultMayBeSavedOrBeTheInput() {
    // y = 1 + x, dx = dy y: wrong mathematics, but it tells what was saved.
    Function f =
        new Function("self") {
          @Override
          public Tensor forward(Context c, List<Tensor> in) {
            Tensor y = in.get(0).add(1);
            c.save(y);
            return y;
          }

          @Override
          public List<@Nullable Tensor> backward(Context c, Tensor dy) {
            return List.of(c.saved(0).mul(dy));
          }
        };
    Tensor x = of(1, 2).requireGrad();
    f.apply(x).sum().backward();
    assertThat(present(x.grad()).toDoubles()).containsExactly(2, 3);

    Function identity =
        new Function("identity") {
          @Override
          public Tensor forward(Context c, List<Tensor> in) {
            return in.get(0);
          }

          @Override
          public List<@Nullable Tensor> backward(Context c, Tensor dy) {
            return List.of(dy.mul(7));
          }
        };
    x.zeroGrad();
    Tensor y = identity.apply(x);
    assertThat(y).isNotSameAs(x);
    assertThat(x.isLeaf()).isTrue();
    y.sum().backward();
    assertThat(present(x.grad()).toDoubles()).containsExactly(7, 7);
  }

  @Test
  void changeOfASavedTensorIsNoticed() {
    Tensor x = of(1, 2).requireGrad();
    Tensor y = new Cube().apply(x).sum();
    x.detach().fill(0);
    assertThatThrownBy(y::backward).hasMessageContaining("cube saved a tensor (2)");
  }

  @Test
  void savedIsForBackwardAlone() {
    Function asks =
        new Function("asks") {
          @Override
          public Tensor forward(Context c, List<Tensor> in) {
            c.save(in.get(0));
            return c.saved(0);
          }

          @Override
          public List<@Nullable Tensor> backward(Context c, Tensor dy) {
            return List.of(dy);
          }
        };
    assertThatThrownBy(() -> asks.apply(of(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("saved: can be asked in backward only");
  }

  @Test
  void worksInsideScopesAndSteps() {
    Tensor x = of(1, 2).requireGrad();
    Tensor y;
    try (var scope = Scope.open()) {
      y = scope.keep(new Cube().apply(x).sum());
    }
    y.backward();
    assertThat(present(x.grad()).toDoubles()).containsExactly(3, 12);
    try (Step step = Step.of(in -> new Cube().apply(in.mul(x)).sum())) {
      for (int run = 0; run < 4; run++) {
        assertThat(step.run(of(1, 1)).item()).isEqualTo(9);
      }
    }
  }

  /** An operator whose gradient is what it saved first. */
  private static Function of(BiFunction<Function.Context, Tensor, Tensor> forward) {
    return new Function("odd") {
      @Override
      public Tensor forward(Context c, List<Tensor> in) {
        return forward.apply(c, in.get(0));
      }

      @Override
      public List<@Nullable Tensor> backward(Context c, Tensor dy) {
        return List.of(c.saved(0));
      }
    };
  }

  @Test
  void endedTensorsAreRefused() {
    Tensor x = of(1, 2).requireGrad();
    Function ended =
        of(
            (c, in) -> {
              try (var _ = Scope.open()) {
                return in.mul(2);
              }
            });
    assertThatThrownBy(() -> ended.apply(x))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("odd: the tensor (2) can no longer be used");
    Function saves =
        of(
            (c, in) -> {
              Tensor t = in.mul(2);
              c.save(t);
              t.close();
              return in.mul(3);
            });
    assertThatThrownBy(() -> saves.apply(x))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("odd: the tensor (2) can no longer be used");
    assertThatThrownBy(saves::apply)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("odd: expected at least one input, got none");
  }

  @Test
  void gradientMayBeASavedTensorWithAGraph() {
    Tensor w = of(2, 3).requireGrad();
    Function half =
        of(
            (c, in) -> {
              c.save(in);
              return in.mul(in).mul(0.5);
            });
    Tensor x = w.mul(2);
    Tensor loss = x.mul(3).add(half.apply(x)).sum();
    x.close();
    loss.backward();
    assertThat(present(w.grad()).toDoubles()).containsExactly(2 * (3 + 4), 2 * (3 + 6));
  }
}

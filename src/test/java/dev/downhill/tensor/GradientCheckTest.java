package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.GradientCheck.Options;
import dev.downhill.tensor.GradientCheck.Report;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class GradientCheckTest {
  private static final Device DEVICE = Device.of("cpu");

  private static Tensor values(long... sizes) {
    int n = 1;
    for (long s : sizes) {
      n *= (int) s;
    }
    double[] v = new double[n];
    Arrays.setAll(v, i -> 0.3 + 0.37 * i - (i % 3));
    return Tensor.of(DEVICE, v, sizes);
  }

  /** x^3 with a gradient that is {@code factor} times what it should be. */
  private static Tensor cube(Tensor x, double factor) {
    return new Function("cube") {
      @Override
      public Tensor forward(Context c, List<Tensor> in) {
        c.save(in.get(0));
        return in.get(0).mul(in.get(0)).mul(in.get(0));
      }

      @Override
      public List<Tensor> backward(Context c, Tensor dy) {
        Tensor s = c.saved(0);
        return List.of(s.mul(s).mul(3 * factor).mul(dy));
      }
    }.apply(x);
  }

  @Test
  void rightGradientPasses() {
    Tensor x = values(3, 5).requireGrad();
    Report report = GradientCheck.check(in -> cube(in.get(0), 1), List.of(x));
    report.assertPasses();
    assertThat(report.passed()).isTrue();
    // 15 elements, against 15 single outputs and one random mixture.
    assertThat(report.comparisons()).isEqualTo(15 * 16);
    GradientCheck.checkSecond(in -> cube(in.get(0), 1), List.of(x)).assertPasses();
  }

  @Test
  void wrongGradientFailsAndSaysWhere() {
    Tensor a = values(4);
    Tensor x = values(2, 3).requireGrad();
    Report report =
        GradientCheck.check(in -> cube(in.get(1), 1.01).sum(), List.of(a, x), Options.DEFAULT);
    assertThat(report.passed()).isFalse();
    assertThat(report.input()).isEqualTo(1);
    assertThat(report.analytic()).isCloseTo(1.01 * report.numeric(), within(1e-6));
    assertThatThrownBy(report::assertPasses)
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("gradientCheck: the gradient is wrong")
        .hasMessageContaining("input 1, element " + report.element());
  }

  private static org.assertj.core.data.Offset<Double> within(double d) {
    return org.assertj.core.api.Assertions.within(d);
  }

  @Test
  void tolerancesDecide() {
    Tensor x = values(5).requireGrad();
    List<Tensor> in = List.of(x);
    assertThat(GradientCheck.check(i -> cube(i.get(0), 1.0005), in).passed()).isTrue();
    Options tight = Options.DEFAULT.withTolerance(1e-8, 1e-5);
    assertThat(GradientCheck.check(i -> cube(i.get(0), 1.0005), in, tight).passed()).isFalse();
    assertThat(GradientCheck.check(i -> cube(i.get(0), 1), in, tight).passed()).isTrue();
  }

  @Test
  void gradientThatIsNotANumberFails() {
    Tensor x = values(3).requireGrad();
    Report report = GradientCheck.check(in -> cube(in.get(0), Double.NaN), List.of(x));
    assertThat(report.passed()).isFalse();
    assertThat(report.analytic()).isNaN();
  }

  @Test
  void missingGradientCountsAsZero() {
    Tensor x = values(3).requireGrad();
    assertThat(GradientCheck.check(in -> in.get(0).detach().mul(2), List.of(x)).passed()).isFalse();
    GradientCheck.check(in -> Tensor.ones(DEVICE, DType.F64, 2), List.of(x)).assertPasses();
  }

  @Test
  void secondDerivativeIsCheckedForItself() {
    // The first derivative is right; the second forgets that it depends on x.
    Function frozen =
        new Function("frozen") {
          @Override
          public Tensor forward(Context c, List<Tensor> in) {
            c.save(in.get(0));
            return in.get(0).mul(in.get(0));
          }

          @Override
          public List<Tensor> backward(Context c, Tensor dy) {
            return List.of(c.saved(0).detach().mul(2).mul(dy));
          }
        };
    List<Tensor> x = List.of(values(3).requireGrad());
    GradientCheck.check(in -> frozen.apply(in.get(0)), x).assertPasses();
    assertThat(GradientCheck.checkSecond(in -> frozen.apply(in.get(0)), x).passed()).isFalse();
  }

  @Test
  void gradientWithRespectToTheStartIsChecked() {
    Function cut =
        new Function("cut") {
          @Override
          public Tensor forward(Context c, List<Tensor> in) {
            return in.get(0).mul(2);
          }

          @Override
          public List<Tensor> backward(Context c, Tensor dy) {
            return List.of(dy.detach().mul(2));
          }
        };
    List<Tensor> x = List.of(values(3).requireGrad());
    GradientCheck.check(in -> cut.apply(in.get(0)), x).assertPasses();
    Report second = GradientCheck.checkSecond(in -> cut.apply(in.get(0)), x);
    assertThat(second.passed()).isFalse();
    assertThat(second.input()).as("the start is one more input").isEqualTo(1);
  }

  @Test
  void inputsMayBeViews() {
    Tensor transposed = values(3, 5).transpose(0, 1).requireGrad();
    Tensor stepped = values(5, 6).slice(1, 1, 6, 2).requireGrad();
    Tensor expanded = values(1, 3).requireGrad().expand(5, 3);
    for (Tensor x : List.of(transposed, stepped, expanded)) {
      List<Tensor> in = List.of(x, values(5, 3).requireGrad());
      GradientCheck.check(i -> i.get(0).mul(i.get(1)).mul(i.get(0)), in).assertPasses();
      GradientCheck.checkSecond(i -> i.get(0).mul(i.get(1)).mul(i.get(0)), in).assertPasses();
      assertThat(GradientCheck.check(i -> cube(i.get(0), 1.1).mul(i.get(1)), in).passed())
          .isFalse();
    }
  }

  @Test
  void sameInputTwiceAndInputsOnOneMemory() {
    Tensor x = values(4).requireGrad();
    GradientCheck.check(in -> in.get(0).mul(in.get(1)), List.of(x, x)).assertPasses();
    GradientCheck.checkSecond(in -> in.get(0).mul(in.get(1)), List.of(x, x)).assertPasses();
    Tensor memory = values(6);
    Tensor left = memory.slice(0, 0, 4, 1).requireGrad();
    Tensor right = memory.slice(0, 2, 6, 1).requireGrad();
    GradientCheck.check(in -> in.get(0).mul(in.get(1)), List.of(left, right)).assertPasses();
  }

  @Test
  void parametersThatTheFunctionHoldsItselfAreChecked() {
    Tensor x = values(3, 2).requireGrad();
    Tensor w = values(4, 2).requireGrad();
    GradientCheck.check(in -> Matmul.linear(in.get(0), w, null), List.of(x, w)).assertPasses();
    assertThat(
            GradientCheck.check(in -> Matmul.linear(in.get(0), cube(w, 2), null), List.of(x, w))
                .passed())
        .isFalse();
  }

  @Test
  void largeInputsAreMovedAlongRandomDirections() {
    Tensor x = values(13, 11).requireGrad();
    Report report = GradientCheck.check(in -> cube(in.get(0), 1), List.of(x));
    report.assertPasses();
    assertThat(report.comparisons()).isEqualTo(8);
    Report wrong = GradientCheck.check(in -> cube(in.get(0), 1.01), List.of(x));
    assertThat(wrong.passed()).isFalse();
    assertThat(wrong.element()).isEqualTo(-1);
    assertThat(wrong.toString()).contains("a random direction").contains("all outputs");
  }

  @Test
  void emptyAndZeroDimensionalInputs() {
    Tensor empty = values(3, 0).requireGrad();
    Report report = GradientCheck.check(in -> cube(in.get(0), 1), List.of(empty));
    report.assertPasses();
    assertThat(report.comparisons()).isZero();
    Tensor scalar = values().requireGrad();
    GradientCheck.check(in -> cube(in.get(0), 1), List.of(scalar)).assertPasses();
    assertThat(GradientCheck.check(in -> cube(in.get(0), 1.1), List.of(scalar)).passed()).isFalse();
  }

  @Test
  void inputsThatNeedNoGradientMayHaveAnyType() {
    Tensor x = values(3, 4).requireGrad();
    Tensor index = Tensor.of(DEVICE, new long[] {3, 0, 0, 1, 2, 2}, 3, 2);
    GradientCheck.check(in -> in.get(0).gather(1, in.get(1)), List.of(x, index)).assertPasses();
    GradientCheck.checkSecond(in -> in.get(0).gather(1, in.get(1)), List.of(x, index))
        .assertPasses();
  }

  @Test
  void valuesAndGradientsAreLeftAsTheyWere() {
    // A device of its own, so that live tensors can be counted while other tests run.
    Device device = Device.of("cpu:28");
    double[] before = {0.1, -0.2, 1.0 / 3};
    Tensor x = Tensor.of(device, before, 3).requireGrad();
    GradientCheck.check(in -> cube(in.get(0), 1), List.of(x)).assertPasses();
    GradientCheck.checkSecond(in -> cube(in.get(0), 1), List.of(x)).assertPasses();
    assertThat(device.memory().tensors()).isEqualTo(1);
    assertThat(x.toDoubles()).containsExactly(before);
    assertThat(x.grad()).isNull();
  }

  @Test
  void failingFunctionLeavesValuesAsTheyWere() {
    Tensor x = values(3).requireGrad();
    double[] before = x.toDoubles();
    AtomicInteger calls = new AtomicInteger();
    assertThatThrownBy(
            () ->
                GradientCheck.check(
                    in -> {
                      if (calls.incrementAndGet() == 4) {
                        throw new IllegalStateException("mine");
                      }
                      return in.get(0).mul(2);
                    },
                    List.of(x)))
        .hasMessage("mine");
    assertThat(x.toDoubles()).containsExactly(before);
  }

  @Test
  void singlePrecisionIsRefused() {
    Tensor x = Tensor.of(DEVICE, new float[] {1, 2}, 2).requireGrad();
    assertThatThrownBy(() -> GradientCheck.check(in -> in.get(0).mul(2), List.of(x)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "gradientCheck: expected float64 inputs, since differences need the digits, got float32"
                + " (2)");
    Tensor y = values(2).requireGrad();
    assertThatThrownBy(() -> GradientCheck.check(in -> in.get(0).to(DType.F32), List.of(y)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected a float64 result")
        .hasMessageContaining("float32 (2)");
  }

  @Test
  void somethingMustRequireAGradient() {
    assertThatThrownBy(() -> GradientCheck.check(in -> in.get(0).mul(2), List.of(values(2))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("an input that requires a gradient");
  }

  @Test
  void functionThatChangesIsRefused() {
    AtomicInteger calls = new AtomicInteger();
    assertThatThrownBy(
            () ->
                GradientCheck.check(
                    in -> in.get(0).mul(calls.incrementAndGet()), List.of(values(2).requireGrad())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the same result for the same inputs");
  }

  @Test
  void optionsAreChecked() {
    assertThatThrownBy(() -> Options.DEFAULT.withEps(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Options.DEFAULT.withTolerance(-1, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(Options.DEFAULT).isEqualTo(new Options(1e-6, 1e-5, 1e-3, 0));
    assertThat(Options.DEFAULT.withSeed(3).seed()).isEqualTo(3);
  }
}

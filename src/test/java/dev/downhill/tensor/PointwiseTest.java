package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.backend.Unary;
import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class PointwiseTest {
  private static final Device DEVICE = Device.cpu();
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private static double[] values(UnaryOperator<Tensor> f, double... x) {
    return f.apply(Tensor.of(DEVICE, x, x.length)).toDoubles();
  }

  private static Tensor longs(long... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  /** The parameters with which a function is tried. */
  private static Tensor apply(Unary f, Tensor x) {
    return switch (f) {
      case POW -> Pointwise.apply(f, "f", x, 2.5, 0);
      case CLAMP, HARDTANH -> Pointwise.apply(f, "f", x, -1, 1);
      case LEAKY_RELU, ELU -> Pointwise.apply(f, "f", x, 0.3, 0);
      case SOFTPLUS -> Pointwise.apply(f, "f", x, 2, 6);
      default -> Pointwise.apply(f, "f", x);
    };
  }

  /** Kinks of all functions, numbers between them, and some far out. */
  private static final double[] POINTS = {
    0, -0.0, 1, -1, 3, -3, 6, -6, 0.5, -0.7, 1e-30, 2.5, -2.5, 20, -20, 21, 700, -700, 1e30, -1e30
  };

  @ParameterizedTest
  @EnumSource(
      value = Unary.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"NOT", "IS_FINITE"})
  void derivativeKernelIsTheComposedDerivative(Unary f) {
    double[] kernel = Slope.of(x -> apply(f, x), POINTS);
    double[] composed = Slope.composed(x -> apply(f, x), POINTS);
    for (int i = 0; i < POINTS.length; i++) {
      // Double.compare: NaN equals NaN.
      assertThat(
              Double.compare(kernel[i] + 0.0, composed[i] + 0.0) == 0
                  || Math.abs(kernel[i] - composed[i]) <= 1e-13 * Math.max(1, Math.abs(kernel[i])))
          .as("%s at %s: %s and %s", f, POINTS[i], kernel[i], composed[i])
          .isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Unary.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"NOT", "IS_FINITE"})
  void nanStaysNan(Unary f) {
    assertThat(values(x -> apply(f, x), NAN, 0.5)[0]).isNaN();
  }

  @Test
  void slopesAtKinks() {
    assertThat(Slope.of(Tensor::abs, -2, 0, 2)).containsExactly(-1, 0, 1);
    assertThat(Slope.of(Tensor::relu, -1, 0, 1)).containsExactly(0, 0, 1);
    assertThat(Slope.of(x -> Activation.leakyRelu(x, 0.2), -1, 0, 1)).containsExactly(0.2, 0.2, 1);
    assertThat(Slope.of(x -> Activation.elu(x, 3), 0, 1)).containsExactly(3, 1);
    assertThat(Slope.of(Activation::selu, 0)[0])
        .isCloseTo(1.0507009873554805 * 1.6732632423543772, within(1e-15));
    assertThat(Slope.of(x -> Activation.hardtanh(x, -2, 1), -3, -2, 0, 1, 2))
        .containsExactly(0, 0, 1, 0, 0);
    assertThat(Slope.of(Activation::relu6, 0, 3, 6)).containsExactly(0, 1, 0);
    assertThat(Slope.of(Activation::hardsigmoid, -3, 0, 3)).containsExactly(0, 1 / 6.0, 0);
    assertThat(Slope.of(Activation::hardswish, -3, 0, 3)).containsExactly(0, 0.5, 1);
    assertThat(Slope.of(x -> Activation.softplus(x, 2, 3), 1.6)).containsExactly(1);
    assertThat(Slope.of(Tensor::sign, -1, 0, 1)).containsExactly(0, 0, 0);
    assertThat(Slope.of(Tensor::floor, -1, 0.5)).containsExactly(0, 0);
  }

  @Test
  void clampCountsItsBoundsAsInside() {
    UnaryOperator<Tensor> clamp = x -> x.clamp(-1, 1);
    assertThat(values(clamp, -2, -1, 0.5, 1, INF)).containsExactly(-1, -1, 0.5, 1, 1);
    assertThat(Slope.of(clamp, -2, -1, 0.5, 1, 2)).containsExactly(0, 1, 1, 1, 0);
    assertThat(values(x -> x.clamp(-INF, 1), -9, 9)).containsExactly(-9, 1);
    assertThat(values(x -> x.clamp(2, -1), -9, 0, 9)).containsExactly(-1, -1, -1);
    assertThat(Slope.of(x -> x.clamp(2, -1), -1, 0, 2)).containsExactly(0, 0, 0);
  }

  @Test
  void slopesAtSingularPointsAreInfinite() {
    assertThat(Slope.of(Tensor::sqrt, 0)).containsExactly(INF);
    assertThat(Slope.of(Tensor::rsqrt, 0)).containsExactly(-INF);
    assertThat(Slope.of(Tensor::log, 0)).containsExactly(INF);
    assertThat(Slope.of(Tensor::log1p, -1)).containsExactly(INF);
    assertThat(Slope.of(Tensor::reciprocal, 0)).containsExactly(-INF);
  }

  @Test
  void farOutNothingOverflows() {
    assertThat(values(Tensor::sigmoid, -1000, 1000)).containsExactly(0, 1);
    assertThat(values(Activation::softplus, 1000, -1000)).containsExactly(1000, 0);
    assertThat(values(Tensor::tanh, INF, -INF)).containsExactly(1, -1);
    assertThat(Slope.of(Tensor::tanh, INF, -INF)).containsExactly(0, 0);
    assertThat(Slope.of(Tensor::sigmoid, -1000, 1000)).containsExactly(0, 0);
    assertThat(Slope.of(Activation::geluTanh, 1e200, -1e200))
        .containsExactly(new double[] {1, 0}, within(1e-30));
    assertThat(values(Activation::mish, 1000)).containsExactly(1000);
  }

  @Test
  void powersOfNumbers() {
    assertThat(values(x -> x.pow(0), 0, NAN, -3)).containsExactly(1, 1, 1);
    assertThat(values(x -> x.pow(0.5), -1)[0]).isNaN();
    assertThat(values(x -> x.pow(3), -2, 2)).containsExactly(-8, 8);
    assertThat(Slope.of(x -> x.pow(3), -2, 0)).containsExactly(12, 0);
    assertThat(Slope.of(x -> x.pow(1), 0)).containsExactly(1);
  }

  @Test
  void integersHaveSomeFunctions() {
    Tensor x = longs(-3, 0, 4);
    assertThat(x.neg().toLongs()).containsExactly(3, 0, -4);
    assertThat(x.abs().toLongs()).containsExactly(3, 0, 4);
    assertThat(x.sign().toLongs()).containsExactly(-1, 0, 1);
    assertThat(x.square().toLongs()).containsExactly(9, 0, 16);
    assertThat(x.floor().toLongs()).containsExactly(-3, 0, 4);
    assertThat(x.relu().toLongs()).containsExactly(0, 0, 4);
    assertThat(x.clamp(-1, INF).toLongs()).containsExactly(-1, 0, 4);
    assertThat(x.clamp(-INF, 1).toLongs()).containsExactly(-3, 0, 1);
    assertThat(longs((1L << 53) + 1).clamp(-INF, INF).toLongs()).containsExactly((1L << 53) + 1);
    assertThat(longs(3).to(DType.U8).neg().toLongs()).containsExactly(253);
    assertThat(x.to(DType.I32).abs().dtype()).isEqualTo(DType.I32);
  }

  @Test
  void othersAskForAConversion() {
    assertThatThrownBy(() -> longs(1, 2).exp())
        .isInstanceOf(ShapeException.class)
        .hasMessage(
            "exp: expected a floating-point tensor, got int64; convert it with to(dtype)"
                + " (shapes (2))");
    Tensor truth = Tensor.of(DEVICE, new boolean[] {true}, 1);
    assertThatThrownBy(truth::neg).hasMessageStartingWith("neg: expected a tensor of numbers");
    assertThatThrownBy(() -> Activation.gelu(longs(1))).hasMessageStartingWith("gelu: ");
    assertThatThrownBy(() -> longs(1).clamp(0.5, 1)).hasMessageContaining("got 0.5");
  }

  @Test
  void aHalfIsTheSquareRoot() {
    Tensor x = Tensor.of(DEVICE, new double[] {-0.0, Double.NEGATIVE_INFINITY, 4}, 3).requireGrad();
    Tensor y = x.pow(0.5);
    assertThat(y.toDoubles()).containsExactly(-0.0, Double.NaN, 2);
    y.sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles())
        .containsExactly(Double.NEGATIVE_INFINITY, Double.NaN, 0.25);
  }

  @Test
  void parametersOutOfRangeAreNamed() {
    Tensor x = Tensor.zeros(DEVICE, DType.F32, 2);
    assertThatThrownBy(() -> Activation.softplus(x, 0, 20))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("softplus: expected beta above 0, got 0.0 (shapes (2))");
    assertThatThrownBy(() -> Activation.hardtanh(x, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "hardtanh: expected a lower bound below the upper, got 1.0 and 1.0");
  }

  @Test
  void derivativesOfHalfPrecisionHaveItsDtype() {
    Tensor x = Tensor.of(DEVICE, new float[] {-1, 0, 2}, 3).to(DType.BF16).requireGrad();
    Activation.gelu(x).sum().backward();
    Tensor dx = x.grad();
    assertThat(dx).isNotNull();
    assertThat(List.of(dx.dtype(), dx.shape())).isEqualTo(List.of(DType.BF16, x.shape()));
    assertThat(Arrays.stream(dx.toDoubles()).boxed().toList().get(1)).isEqualTo(0.5);
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class ArithmeticTest {
  private static final Device DEVICE = Device.cpu();
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor longs(long... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  @Test
  void numbersStandOnEitherSide() {
    Tensor x = doubles(2, 4);
    assertThat(x.add(3).toDoubles()).containsExactly(5, 7);
    assertThat(x.sub(3).toDoubles()).containsExactly(-1, 1);
    assertThat(x.rsub(3).toDoubles()).containsExactly(1, -1);
    assertThat(x.mul(3).toDoubles()).containsExactly(6, 12);
    assertThat(x.div(8).toDoubles()).containsExactly(0.25, 0.5);
    assertThat(x.rdiv(8).toDoubles()).containsExactly(4, 2);
    assertThat(x.pow(2).toDoubles()).containsExactly(4, 16);
    assertThat(x.rpow(2).toDoubles()).containsExactly(4, 16);
    assertThat(x.maximum(3).toDoubles()).containsExactly(3, 4);
    assertThat(x.minimum(3).toDoubles()).containsExactly(2, 3);
    assertThat(x.add(doubles(1, 2), -0.5).toDoubles()).containsExactly(1.5, 3);
    assertThat(x.sub(doubles(1, 2), -0.5).toDoubles()).containsExactly(2.5, 5);
  }

  @Test
  void gradientOfABroadcastOperandIsSummedToItsShape() {
    Tensor x = Tensor.of(DEVICE, new double[] {1, 2, 3}, 3, 1).requireGrad();
    Tensor y = doubles(10, 20).requireGrad();
    x.mul(y).sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(30, 30, 30);
    assertThat(Objects.requireNonNull(y.grad()).toDoubles()).containsExactly(6, 6);
  }

  @Test
  void sizeOneBroadcastsToNothing() {
    Tensor x = doubles(7).requireGrad();
    Tensor z = x.mul(Tensor.zeros(DEVICE, DType.F64, 2, 0));
    assertThat(z.shape().toArray()).containsExactly(2, 0);
    z.sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(0);
  }

  @Test
  void tieSharesTheGradientInHalves() {
    for (boolean largest : List.of(true, false)) {
      Tensor x = doubles(1, 2, 3).requireGrad();
      Tensor y = doubles(3, 2, 1).requireGrad();
      (largest ? x.maximum(y) : x.minimum(y)).sum().backward();
      double[] rising = {0, 0.5, 1};
      double[] falling = {1, 0.5, 0};
      assertThat(Objects.requireNonNull(x.grad()).toDoubles())
          .containsExactly(largest ? rising : falling);
      assertThat(Objects.requireNonNull(y.grad()).toDoubles())
          .containsExactly(largest ? falling : rising);
    }
    assertThat(Slope.of(x -> x.maximum(2), 1, 2, 3)).containsExactly(0, 0.5, 1);
  }

  @Test
  void nanOnEitherSideIsNeverPassedOver() {
    Tensor x = doubles(NAN, 1, INF);
    Tensor y = doubles(1, NAN, -INF);
    assertThat(x.maximum(y).toDoubles()).containsExactly(NAN, NAN, INF);
    assertThat(x.minimum(y).toDoubles()).containsExactly(NAN, NAN, -INF);
  }

  @Test
  void powerAtItsCorners() {
    Tensor x = doubles(0, 0, 0, -8, -2, 0);
    Tensor y = doubles(0, 2, -1, 1 / 3.0, 3, 0.5);
    assertThat(x.pow(y).toDoubles()).containsExactly(1, 0, INF, NAN, -8, 0);
  }

  @Test
  void powerHasNoSlopeInTheBaseWhereTheExponentIsZero() {
    assertThat(Slope.of(x -> x.pow(Tensor.zeros(DEVICE, DType.F64, 4)), 0, -1, 3, INF))
        .containsExactly(0, 0, 0, 0);
    assertThat(Slope.of(x -> x.pow(0), 0, -1, 3, INF)).containsExactly(0, 0, 0, 0);
  }

  @Test
  void powerHasNoSlopeInTheExponentWhereTheBaseIsZero() {
    assertThat(Slope.of(y -> Tensor.zeros(DEVICE, DType.F64).pow(y), 0, 2)).containsExactly(0, 0);
    assertThat(Slope.of(y -> y.rpow(0), 0, 2)).containsExactly(0, 0);
    assertThat(Slope.of(y -> y.rpow(Math.E), 0, 1)[0]).isEqualTo(1);
  }

  @Test
  void secondDerivativesOfPowerStayFiniteAtZero() {
    Tensor x = doubles(0).requireGrad();
    Tensor y = doubles(0).requireGrad();
    Autograd.Backward again = Autograd.Backward.DEFAULT.withCreateGraph();
    List<Tensor> first = Autograd.grad(x.pow(y).sum(), List.of(x, y), again);
    Tensor sum = first.get(0).add(first.get(1)).sum();
    List<Tensor> second = Autograd.grad(sum, List.of(x, y), again);
    assertThat(second.get(0).toDoubles()).containsExactly(0);
    assertThat(second.get(1).toDoubles()).containsExactly(0);
  }

  @Test
  void divisionByZeroIsInfinite() {
    assertThat(doubles(1, -1, 0).div(0).toDoubles()).containsExactly(INF, -INF, NAN);
    assertThat(Slope.of(y -> y.rdiv(1), 0)).containsExactly(-INF);
  }

  @Test
  void integersWrap() {
    Tensor x = longs(Integer.MAX_VALUE, 250, -3);
    assertThat(x.to(DType.I32).add(1).toLongs()).containsExactly(Integer.MIN_VALUE, 251, -2);
    assertThat(longs(250, 3).to(DType.U8).mul(2).toLongs()).containsExactly(244, 6);
    assertThat(longs(3).to(DType.U8).sub(longs(5).to(DType.U8)).toLongs()).containsExactly(254);
    assertThat(longs(1L << 62).mul(4).toLongs()).containsExactly(0);
    assertThat(longs((1L << 62) + 1).sub(1).toLongs()).containsExactly(1L << 62);
    assertThat(longs(3, -5).maximum(longs(-3, 5)).toLongs()).containsExactly(3, 5);
  }

  @Test
  void integersHaveNoDivision() {
    assertThatThrownBy(() -> longs(1).div(longs(2)))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("div: expected a floating-point tensor, got int64")
        .hasMessageContaining("to(dtype)");
    assertThatThrownBy(() -> longs(1).div(2)).isInstanceOf(ShapeException.class);
    assertThatThrownBy(() -> longs(1).rdiv(2)).isInstanceOf(ShapeException.class);
    assertThatThrownBy(() -> longs(1).pow(2)).isInstanceOf(ShapeException.class);
  }

  @Test
  void integersTakeOnlyNumbersTheyCanHold() {
    assertThatThrownBy(() -> longs(1, 2).add(0.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("add: expected a number that int64 can hold, got 0.5")
        .hasMessageContaining("(2)");
    Tensor bytes = longs(1).to(DType.U8);
    assertThatThrownBy(() -> bytes.mul(256)).hasMessageContaining("uint8 can hold, got 256");
    assertThatThrownBy(() -> bytes.maximum(-1)).hasMessageStartingWith("maximum: ");
    assertThatThrownBy(() -> longs(1).add(NAN)).hasMessageContaining("got NaN");
    assertThatThrownBy(() -> longs(1).add(longs(1), INF)).hasMessageContaining("got Infinity");
  }

  @Test
  void truthValuesAreNoNumbers() {
    Tensor x = Tensor.of(DEVICE, new boolean[] {true}, 1);
    assertThatThrownBy(() -> x.add(x))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("add: expected a tensor of numbers, got bool");
  }

  @Test
  void dtypesDoNotMix() {
    Tensor x = Tensor.zeros(DEVICE, DType.F32, 2);
    Tensor y = Tensor.zeros(DEVICE, DType.F64, 3, 2);
    assertThatThrownBy(() -> x.mul(y))
        .isInstanceOf(ShapeException.class)
        .hasMessage(
            "mul: dtypes differ, expected one, got float32 and float64; convert one with to(dtype)"
                + " (shapes (2) and (3, 2))");
  }

  @Test
  void shapesThatDoNotBroadcastAreNamed() {
    Tensor x = Tensor.zeros(DEVICE, DType.F32, 2, 3);
    Tensor y = Tensor.zeros(DEVICE, DType.F32, 4);
    assertThatThrownBy(() -> x.div(y))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("div: shapes do not broadcast")
        .hasMessageContaining("(2, 3) and (4)");
  }

  @Test
  void javaNumberTakesTheDtype() {
    Tensor x = Tensor.of(DEVICE, new float[] {1}, 1);
    assertThat(x.add(0.1).toFloats()).containsExactly(1.1f);
    assertThat(x.add(0.1).dtype()).isEqualTo(DType.F32);
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

final class SoftmaxTest {
  private static final Device DEVICE = Device.cpu();
  private static final double INF = Double.POSITIVE_INFINITY;

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  @Test
  void largeLogitsDoNotOverflow() {
    double e = Math.E;
    assertThat(doubles(1000, 1001).softmax(0).toDoubles()[1]).isCloseTo(e / (1 + e), within(1e-15));
    assertThat(doubles(1000, -1000).logSoftmax(0).toDoubles()).containsExactly(0, -2000);
    assertThat(doubles(1000, 1000).logsumexp(0).item()).isEqualTo(1000 + Math.log(2));
  }

  @Test
  void minusInfinityHasNoProbability() {
    assertThat(doubles(0, -INF, 0).softmax(0).toDoubles()).containsExactly(0.5, 0, 0.5);
    assertThat(doubles(0, -INF).logSoftmax(0).toDoubles()).containsExactly(0, -INF);
  }

  @Test
  void anyDimensionGivesContiguousResults() {
    Tensor x = Tensor.of(DEVICE, new double[] {0, 5, 0, 5, 9, 5}, 2, 3);
    Tensor y = x.softmax(0);
    assertThat(y.isContiguous()).isTrue();
    assertThat(y.toDoubles()).isEqualTo(x.transpose(0, 1).softmax(1).transpose(0, 1).toDoubles());
  }

  @Test
  void derivativeKernelIsTheComposedDerivative() {
    List<UnaryOperator<Tensor>> functions =
        List.of(
            x -> x.reshape(2, 3).softmax(1).pow(2),
            x -> x.reshape(2, 3).softmax(0).pow(2),
            x -> x.reshape(3, 2).logSoftmax(0).pow(2),
            x -> x.reshape(3, 2).transpose(0, 1).logSoftmax(0).pow(2));
    double[] x = {0.1, -2, 3, 0.5, 1, -0.3};
    for (UnaryOperator<Tensor> f : functions) {
      assertThat(Slope.of(f, x)).containsExactly(Slope.composed(f, x), within(1e-14));
    }
  }

  @Test
  void emptyAndScalar() {
    assertThat(Tensor.zeros(DEVICE, DType.F32, 2, 0).softmax(1).shape()).isEqualTo(Shape.of(2, 0));
    assertThat(Tensor.zeros(DEVICE, DType.F32, 0, 2).logSoftmax(1).shape())
        .isEqualTo(Shape.of(0, 2));
    assertThat(Tensor.of(DEVICE, new double[] {7}).softmax(0).item()).isEqualTo(1);
  }

  @Test
  void logOfSumsAtInfinities() {
    assertThat(doubles(-INF, -INF).logsumexp(0).item()).isEqualTo(-INF);
    assertThat(doubles(INF, 1).logsumexp(0).item()).isEqualTo(INF);
    assertThat(doubles(Double.NaN, 1).logsumexp(0).item()).isNaN();
    assertThat(Tensor.zeros(DEVICE, DType.F64, 2, 0).logsumexp(1).toDoubles())
        .containsExactly(-INF, -INF);
    assertThat(Slope.of(x -> x.logsumexp(0), -INF, -INF)).containsExactly(0, 0);
  }

  @Test
  void integersAreRefused() {
    assertThatThrownBy(() -> Tensor.zeros(DEVICE, DType.I64, 2).softmax(0))
        .hasMessageStartingWith("softmax: expected a floating-point tensor, got int64");
    assertThatThrownBy(() -> doubles(1).logSoftmax(1))
        .hasMessageStartingWith("logSoftmax: dimension out of range, expected -1 to 0, got 1");
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import org.junit.jupiter.api.Test;

final class StatisticsTest {
  private static final Device DEVICE = Device.cpu();
  private static final double INF = Double.POSITIVE_INFINITY;

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  @Test
  void correctionIsTakenFromTheCount() {
    Tensor x = doubles(1, 2, 3, 6);
    assertThat(x.var().item()).isCloseTo(14 / 3.0, within(1e-15));
    assertThat(x.var(null, 0, false).item()).isEqualTo(3.5);
    assertThat(x.var(null, 2, true).toDoubles()).containsExactly(7);
    assertThat(x.std(null, 0, false).item()).isEqualTo(Math.sqrt(3.5));
  }

  @Test
  void tooFewElementsHaveNone() {
    assertThat(doubles(5).var().item()).isNaN();
    assertThat(doubles(5).std().item()).isNaN();
    assertThat(doubles(5).var(null, 0, false).item()).isEqualTo(0);
    assertThat(doubles(1, 3).var(null, 3, false).item()).isEqualTo(INF);
    assertThat(Tensor.zeros(DEVICE, DType.F64, 0).var().item()).isNaN();
  }

  @Test
  void largeOffsetCostsNoDigits() {
    Tensor x = doubles(1e9 + 1, 1e9 + 2, 1e9 + 3);
    assertThat(x.var().item()).isEqualTo(1);
  }

  @Test
  void slopeOfDeviationIsZeroWhereItIsZero() {
    assertThat(Slope.of(Tensor::std, 2, 2, 2)).containsExactly(0, 0, 0);
    assertThat(Slope.of(Tensor::var, 1, 3)).containsExactly(-2, 2);
  }

  @Test
  void norms() {
    Tensor x = doubles(3, -4);
    assertThat(x.norm().item()).isEqualTo(5);
    assertThat(x.norm(1, null, false).item()).isEqualTo(7);
    assertThat(x.norm(INF, null, true).toDoubles()).containsExactly(4);
    Tensor nothing = Tensor.zeros(DEVICE, DType.F64, 2, 0);
    for (double p : new double[] {1, 2, INF}) {
      assertThat(nothing.norm(p, new int[] {1}, false).toDoubles()).containsExactly(0, 0);
    }
  }

  @Test
  void slopesOfNormsAtZeroAreZero() {
    assertThat(Slope.of(Tensor::norm, 0, 0)).containsExactly(0, 0);
    assertThat(Slope.of(x -> x.norm(1, null, false), 0, -2)).containsExactly(0, -1);
    assertThat(Slope.of(x -> x.norm(INF, null, false), 0, 0)).containsExactly(0, 0);
    assertThat(Slope.of(Tensor::norm, 3, -4))
        .containsExactly(new double[] {0.6, -0.8}, within(1e-15));
  }

  @Test
  void largestElementsShareTheSlope() {
    assertThat(Slope.of(x -> x.norm(INF, null, false), 3, -3, 1)).containsExactly(0.5, -0.5, 0);
  }

  @Test
  void errors() {
    assertThatThrownBy(() -> doubles(1, 2).norm(3, null, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("norm: expected p of 1, 2 or infinity, got 3.0 (shape (2))");
    assertThatThrownBy(() -> Tensor.zeros(DEVICE, DType.I64, 2).std())
        .hasMessageStartingWith("std: expected a floating-point tensor, got int64");
    assertThatThrownBy(() -> doubles(1).var(new int[] {1}, 1, false))
        .hasMessageStartingWith("var: dimension out of range");
  }
}

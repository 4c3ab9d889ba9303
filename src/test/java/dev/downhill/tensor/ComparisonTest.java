package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class ComparisonTest {
  private static final Device DEVICE = Device.cpu();
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor truths(boolean... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  @Test
  void nanComparesWithNothing() {
    Tensor x = doubles(NAN, NAN, 1);
    Tensor y = doubles(NAN, 1, NAN);
    for (Tensor c : new Tensor[] {x.eq(y), x.lt(y), x.le(y), x.gt(y), x.ge(y), x.eq(NAN)}) {
      assertThat(c.toBooleans()).containsOnly(false);
    }
    assertThat(x.ne(y).toBooleans()).containsOnly(true);
  }

  @Test
  void negativeZeroIsZero() {
    assertThat(doubles(-0.0).eq(doubles(0)).toBooleans()).containsExactly(true);
    assertThat(doubles(-0.0).lt(0).toBooleans()).containsExactly(false);
  }

  @Test
  void resultsAreTruthValuesWithoutGraph() {
    Tensor c = doubles(1, 2).requireGrad().ge(2);
    assertThat(c.dtype()).isEqualTo(DType.BOOL);
    assertThat(c.requiresGrad()).isFalse();
    assertThat(c.toBooleans()).containsExactly(false, true);
  }

  @Test
  void largeIntegersAreComparedExactly() {
    long big = (1L << 53) + 1;
    Tensor x = Tensor.of(DEVICE, new long[] {big, big - 1}, 2);
    assertThat(x.eq(Tensor.of(DEVICE, new long[] {big})).toBooleans()).containsExactly(true, false);
    assertThatThrownBy(() -> x.gt(0.5)).hasMessageStartingWith("gt: expected a number that int64");
  }

  @Test
  void logicOfTruthValues() {
    Tensor x = truths(false, false, true, true);
    Tensor y = truths(false, true, false, true);
    assertThat(x.logicalAnd(y).toBooleans()).containsExactly(false, false, false, true);
    assertThat(x.logicalOr(y).toBooleans()).containsExactly(false, true, true, true);
    assertThat(x.logicalNot().toBooleans()).containsExactly(true, true, false, false);
    assertThatThrownBy(() -> doubles(1).logicalNot())
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("logicalNot: expected bool");
    assertThatThrownBy(() -> x.logicalAnd(doubles(1))).isInstanceOf(ShapeException.class);
  }

  @Test
  void finiteIsNeitherInfiniteNorNan() {
    assertThat(doubles(1, INF, -INF, NAN, Double.MAX_VALUE).isFinite().toBooleans())
        .containsExactly(true, false, false, false, true);
  }

  @Test
  void sideNotChosenGetsNoGradientEvenIfItIsInfinite() {
    Tensor x = doubles(0, 4).requireGrad();
    // 1/x is infinite at 0, and so is its slope: only where's exact 0 keeps NaN away.
    Tensor y = x.where(x.gt(0), 0).mul(2).add(x.maskedFill(x.le(0), 1).rdiv(1));
    y.sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(0, 2 - 1 / 16.0);
    assertThat(Slope.of(v -> v.where(truths(true, false), doubles(INF, NAN)), 1, 2))
        .containsExactly(1, 0);
  }

  @Test
  void whereBroadcastsAllThree() {
    Tensor c = truths(true, false, true).reshape(3, 1);
    Tensor x = doubles(1, 2).requireGrad();
    Tensor y = Tensor.of(DEVICE, new double[] {9}).requireGrad();
    Tensor z = x.where(c, y);
    assertThat(z.toDoubles()).containsExactly(1, 2, 9, 9, 1, 2);
    z.sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(2, 2);
    assertThat(Objects.requireNonNull(y.grad()).item()).isEqualTo(2);
  }

  @Test
  void maskedFillBroadcastsBothWays() {
    Tensor y = doubles(1, 2).maskedFill(truths(true, false).reshape(2, 1), -INF);
    assertThat(y.shape().toArray()).containsExactly(2, 2);
    assertThat(y.toDoubles()).containsExactly(-INF, -INF, 1, 2);
    Tensor whole = Tensor.of(DEVICE, new long[] {1, 2}, 2);
    assertThat(whole.maskedFill(truths(false, true), 7).toLongs()).containsExactly(1, 7);
  }

  @Test
  void conditionsMustBeTruthValues() {
    assertThatThrownBy(() -> doubles(1).where(doubles(1), doubles(2)))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("where: expected bool for argument 1, got float64");
    assertThatThrownBy(() -> doubles(1).maskedFill(doubles(1), 0))
        .hasMessageStartingWith("maskedFill: expected bool");
    Tensor single = Tensor.zeros(DEVICE, DType.F32, 1);
    assertThatThrownBy(() -> doubles(1).where(truths(true), single))
        .hasMessageStartingWith("where: dtypes differ, expected one, got float64 and float32")
        .hasMessageContaining("to(dtype)");
  }

  @Test
  void trianglesDropEvenNan() {
    Tensor x = Tensor.of(DEVICE, new double[] {1, NAN, 3, 4, 5, INF}, 2, 3);
    assertThat(x.tril().toDoubles()).containsExactly(1, 0, 0, 4, 5, 0);
    assertThat(x.tril(1).toDoubles()).containsExactly(1, NAN, 0, 4, 5, INF);
    assertThat(x.triu(1).toDoubles()).containsExactly(0, NAN, 3, 0, 0, INF);
    assertThat(x.triu(-5).toDoubles()).containsExactly(1, NAN, 3, 4, 5, INF);
    assertThat(Tensor.ones(DEVICE, DType.I64, 2, 2).tril().toLongs()).containsExactly(1, 0, 1, 1);
    assertThatThrownBy(() -> doubles(1).tril())
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("tril: expected a tensor with two or more dimensions");
  }
}

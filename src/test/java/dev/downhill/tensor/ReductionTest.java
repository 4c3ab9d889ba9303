package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class ReductionTest {
  private static final Device DEVICE = Device.cpu();

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor longs(long... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor nothing(long... sizes) {
    return Tensor.zeros(DEVICE, DType.F64, sizes);
  }

  @Test
  void dimensionsGoOrStayWithSizeOne() {
    Tensor x = nothing(2, 3, 4);
    assertThat(x.sum().shape()).isEqualTo(Shape.SCALAR);
    assertThat(x.sum(null, true).shape()).isEqualTo(Shape.of(1, 1, 1));
    assertThat(x.sum(-1).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(x.mean(new int[] {0, -1}, false).shape()).isEqualTo(Shape.of(3));
    assertThat(x.mean(new int[] {0, -1}, true).shape()).isEqualTo(Shape.of(1, 3, 1));
    assertThat(x.prod(1, true).shape()).isEqualTo(Shape.of(2, 1, 4));
    assertThat(x.sum(new int[0], false).shape()).isEqualTo(x.shape());
  }

  @Test
  void ofNothing() {
    assertThat(nothing(0).sum().item()).isEqualTo(0);
    assertThat(nothing(0).prod().item()).isEqualTo(1);
    assertThat(nothing(0).mean().item()).isNaN();
    assertThat(nothing(2, 0).sum(1).toDoubles()).containsExactly(0, 0);
    assertThat(nothing(2, 0).prod(1, false).toDoubles()).containsExactly(1, 1);
    assertThat(nothing(2, 0).mean(1).toDoubles()).containsOnly(Double.NaN);
    assertThat(nothing(0, 2).sum(1).shape()).isEqualTo(Shape.of(0));
    assertThat(nothing(0, 2).cumsum(0).shape()).isEqualTo(Shape.of(0, 2));
    Tensor x = nothing(0, 2).requireGrad();
    x.mean().backward();
    assertThat(Objects.requireNonNull(x.grad()).shape()).isEqualTo(Shape.of(0, 2));
  }

  @Test
  void sumsOfIntegersAreLong() {
    Tensor bytes = longs(200, 100).to(DType.U8);
    assertThat(bytes.sum().dtype()).isEqualTo(DType.I64);
    assertThat(bytes.sum().toLongs()).containsExactly(300);
    assertThat(bytes.prod().toLongs()).containsExactly(20_000);
    assertThat(bytes.cumsum(0).toLongs()).containsExactly(200, 300);
    Tensor truths = Tensor.of(DEVICE, new boolean[] {true, false, true}, 3);
    assertThat(truths.sum().toLongs()).containsExactly(2);
    assertThat(truths.cumsum(0).toLongs()).containsExactly(1, 1, 2);
  }

  @Test
  void integersHaveNoMean() {
    assertThatThrownBy(() -> longs(1, 2).mean())
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("mean: expected a floating-point tensor, got int64");
  }

  @Test
  void dimensionsMustExistOnce() {
    Tensor x = nothing(2, 3);
    assertThatThrownBy(() -> x.sum(2))
        .isInstanceOf(ShapeException.class)
        .hasMessage("sum: dimension out of range, expected -2 to 1, got 2 (shape (2, 3))");
    assertThatThrownBy(() -> x.mean(new int[] {0, -2}, false))
        .isInstanceOf(ShapeException.class)
        .hasMessage("mean: expected each dimension once, got -2 twice (shape (2, 3))");
  }

  @Test
  void scalarsAcceptTheirOneDimension() {
    Tensor x = Tensor.of(DEVICE, new double[] {3});
    assertThat(x.sum(0).item()).isEqualTo(3);
    assertThat(x.mean(-1).item()).isEqualTo(3);
    assertThat(x.prod(0, false).item()).isEqualTo(3);
    assertThat(x.cumsum(-1).item()).isEqualTo(3);
  }

  @Test
  void slopeOfAProductIsTheProductOfTheOthers() {
    assertThat(Slope.of(Tensor::prod, 2, 3, 5)).containsExactly(15, 10, 6);
    assertThat(Slope.of(Tensor::prod, 2, 0, 5)).containsExactly(0, 10, 0);
    assertThat(Slope.of(Tensor::prod, 0, 3, 0)).containsExactly(0, 0, 0);
    assertThat(Slope.of(Tensor::prod, 7)).containsExactly(1);
    // The product overflows, the products of the others do not.
    assertThat(Slope.of(Tensor::prod, 1e200, 1e200)).containsExactly(1e200, 1e200);
  }

  @Test
  void slopeOfACumulativeSumCountsWhatFollows() {
    assertThat(Slope.of(x -> x.cumsum(0), 1, 1, 1)).containsExactly(3, 2, 1);
    // Summed from the end: no difference of large sums, so the infinity stays where it is.
    double inf = Double.POSITIVE_INFINITY;
    assertThat(Slope.of(x -> x.cumsum(0).mul(doubles(inf, 2, 1)), 1, 1, 1))
        .containsExactly(inf, 3, 1);
  }

  @Test
  void meanOfAnExpandedViewCountsCopies() {
    Tensor x = doubles(1, 3).requireGrad();
    x.expand(5, 2).mean().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(0.5, 0.5);
  }

  @Test
  void sumToUndoesBroadcasting() {
    Tensor x = Tensor.ones(DEVICE, DType.F64, 4, 2, 3);
    assertThat(x.sumTo(Shape.of(2, 1)).toDoubles()).containsExactly(12, 12);
    assertThatThrownBy(() -> x.sumTo(Shape.of(4)))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("sumTo: ");
  }
}

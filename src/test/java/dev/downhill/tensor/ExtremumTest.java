package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import org.junit.jupiter.api.Test;

final class ExtremumTest {
  private static final Device DEVICE = Device.cpu();
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  @Test
  void overAllElementsTiesShareEqually() {
    assertThat(Slope.of(Tensor::max, 3, 1, 3, 3)).containsExactly(1 / 3.0, 0, 1 / 3.0, 1 / 3.0);
    assertThat(Slope.of(Tensor::min, 1, 1, 3)).containsExactly(0.5, 0.5, 0);
    assertThat(Slope.of(Tensor::max, -INF, -INF)).containsExactly(0.5, 0.5);
  }

  @Test
  void alongADimensionTheFirstOfTiesGetsAll() {
    assertThat(Slope.of(x -> x.max(0, false).values(), 3, 1, 3)).containsExactly(1, 0, 0);
    assertThat(Slope.of(x -> x.min(0, true).values(), 3, 1, 1)).containsExactly(0, 1, 0);
    assertThat(doubles(3, 1, 3).argmax().toLongs()).containsExactly(0);
    assertThat(doubles(3, 1, 1).argmin(0, false).toLongs()).containsExactly(1);
  }

  @Test
  void firstNanWins() {
    Tensor x = doubles(1, NAN, INF, NAN);
    assertThat(x.max().item()).isNaN();
    assertThat(x.min().item()).isNaN();
    assertThat(x.argmax().toLongs()).containsExactly(1);
    assertThat(x.min(0, false).indices().toLongs()).containsExactly(1);
    assertThat(x.max(0, false).values().item()).isNaN();
    assertThat(Slope.of(Tensor::max, 1, NAN, INF, NAN)).containsExactly(0, 0.5, 0, 0.5);
  }

  @Test
  void indexOfAllIsRowMajorInTheViewsOwnOrder() {
    Tensor x = Tensor.of(DEVICE, new double[] {1, 5, 2, 3, 4, 0}, 2, 3);
    assertThat(x.argmax().toLongs()).containsExactly(1);
    assertThat(x.transpose(0, 1).argmax().toLongs()).containsExactly(2);
    assertThat(x.requireGrad().argmin().requiresGrad()).isFalse();
  }

  @Test
  void shapesAndDtypes() {
    Tensor x = Tensor.zeros(DEVICE, DType.F32, 2, 3, 4);
    assertThat(x.max(1, false).values().shape()).isEqualTo(Shape.of(2, 4));
    assertThat(x.max(1, true).indices().shape()).isEqualTo(Shape.of(2, 1, 4));
    assertThat(x.argmax(-1, true).shape()).isEqualTo(Shape.of(2, 3, 1));
    assertThat(x.max(1, true).values().dtype()).isEqualTo(DType.F32);
    assertThat(x.argmin(0, false).dtype()).isEqualTo(DType.I64);
    Tensor whole = Tensor.of(DEVICE, new long[] {4, 1L << 60}, 2).to(DType.I64);
    assertThat(whole.max().toLongs()).containsExactly(1L << 60);
    assertThat(whole.to(DType.U8).max(0, false).values().dtype()).isEqualTo(DType.U8);
  }

  @Test
  void scalars() {
    Tensor x = Tensor.of(DEVICE, new double[] {3});
    assertThat(x.max(0, false).values().item()).isEqualTo(3);
    assertThat(x.max(-1, true).indices().item()).isEqualTo(0);
    assertThat(x.argmax().shape()).isEqualTo(Shape.SCALAR);
  }

  @Test
  void nothingHasNone() {
    Tensor x = Tensor.zeros(DEVICE, DType.F64, 2, 0);
    assertThatThrownBy(x::max)
        .isInstanceOf(ShapeException.class)
        .hasMessage("max: expected at least one element to choose from, got none (shapes (2, 0))");
    assertThatThrownBy(() -> x.min(1, false)).hasMessageStartingWith("min: expected at least one");
    assertThatThrownBy(() -> x.argmax(1, true)).hasMessageStartingWith("argmax: expected at least");
    // No slices, so none is empty.
    assertThat(x.max(0, false).values().shape()).isEqualTo(Shape.of(0));
  }
}

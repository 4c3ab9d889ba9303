package dev.downhill.cli.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayoutsTest {
  private static Tensor counting(long... sizes) {
    long n = LongStream.of(sizes).reduce(1, (a, b) -> a * b);
    double[] values = LongStream.range(0, n).asDoubleStream().toArray();
    return Tensor.of(Device.cpu(), values, sizes);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "transpose; 6, 1, 3; 0",
        "permute:2,0,1; 3, 1, 6; 0",
        "step2; 12, 4, 2; 0",
        "offset; 6, 2, 1; 12",
      })
  void viewHasTheValuesAndTheStrides(String kind, String strides, long offset) {
    try (Scope _ = Scope.open()) {
      Tensor x = counting(2, 3, 2);
      Tensor view = Layouts.place(x, kind, true);
      assertThat(view.toDoubles()).containsExactly(x.toDoubles());
      assertThat(view.shape()).isEqualTo(x.shape());
      Layout layout = view.layout();
      assertThat(layout.stride(0) + ", " + layout.stride(1) + ", " + layout.stride(2))
          .isEqualTo(strides);
      assertThat(layout.offset()).isEqualTo(offset);
      assertThat(view.isLeaf()).isTrue();
      assertThat(view.requiresGrad()).isTrue();
    }
  }

  @Test
  void expandedViewRepeatsItsFirstAndHasAGradientOfItsOwn() {
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.of(Device.cpu(), new double[] {1, 1, 1, 2, 2, 2}, 2, 3);
      Tensor view = Layouts.place(x, "expand:1", true);
      assertThat(view.toDoubles()).containsExactly(x.toDoubles());
      assertThat(view.layout().stride(1)).isZero();
      Tensor seed = counting(2, 3);
      Tensor y = view.mul(2);
      List<Tensor> gradient =
          Autograd.grad(y, List.of(view), Autograd.Backward.DEFAULT.withGradient(seed));
      assertThat(gradient.get(0).toDoubles()).containsExactly(0, 2, 4, 6, 8, 10);
    }
  }

  @Test
  void emptyTensorsCanBePlaced() {
    try (Scope _ = Scope.open()) {
      for (String kind : List.of("transpose", "permute:1,0", "step2", "offset", "expand:1")) {
        Tensor view = Layouts.place(counting(0, 3), kind, false);
        assertThat(view.shape().toArray()).as(kind).containsExactly(0, 3);
        assertThat(view.toDoubles()).as(kind).isEmpty();
      }
    }
  }

  @Test
  void indicesCanBePlacedToo() {
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.of(Device.cpu(), new long[] {5, 6, 7}, 3);
      assertThat(Layouts.place(x, "step2", false).dtype()).isEqualTo(DType.I64);
      assertThat(Layouts.place(x, "step2", false).toLongs()).containsExactly(5, 6, 7);
    }
  }

  @Test
  void unknownLayoutIsUnsupported() {
    try (Scope _ = Scope.open()) {
      for (String kind : List.of("diagonal", "expand:x", "permute:", "")) {
        assertThatThrownBy(() -> Layouts.place(counting(2, 2), kind, false))
            .as(kind)
            .isInstanceOf(Unsupported.class)
            .hasMessage("no layout " + kind);
      }
    }
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class JoiningTest {
  private static final Device DEVICE = Device.cpu();

  private static Tensor range(long n, long... sizes) {
    return Tensor.arange(DEVICE, DType.F64, n).reshape(sizes);
  }

  @Test
  void oneTensorJoinedWithItselfGetsBothGradients() {
    Tensor x = Tensor.of(DEVICE, new double[] {1, 2}, 2).requireGrad();
    Tensor weights = Tensor.of(DEVICE, new double[] {1, 10, 100, 1000}, 4);
    Tensor.cat(List.of(x, x), 0).mul(weights).sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(101, 1010);
  }

  @Test
  void emptyPartsAreAllowed() {
    Tensor y = Tensor.cat(List.of(range(0, 0, 2), range(4, 2, 2)), 0);
    assertThat(y.toDoubles()).containsExactly(0, 1, 2, 3);
    assertThat(Tensor.cat(List.of(range(0, 2, 0), range(0, 2, 0)), 1).shape())
        .isEqualTo(Shape.of(2, 0));
  }

  @Test
  void integersAndTruthValuesJoinToo() {
    Tensor whole = Tensor.of(DEVICE, new long[] {1L << 60}, 1);
    assertThat(Tensor.cat(List.of(whole, whole), -1).toLongs()).containsExactly(1L << 60, 1L << 60);
    Tensor truth = Tensor.of(DEVICE, new boolean[] {true});
    assertThat(Tensor.stack(List.of(truth, truth.logicalNot()), 0).toBooleans())
        .containsExactly(true, false);
  }

  @Test
  void stackAddsADimension() {
    Tensor a = range(3, 3);
    assertThat(Tensor.stack(List.of(a, a), 0).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(Tensor.stack(List.of(a, a.add(10)), -1).toDoubles())
        .containsExactly(0, 10, 1, 11, 2, 12);
  }

  @Test
  void splitSizes() {
    Tensor x = range(5, 5);
    assertThat(x.split(2, 0)).extracting(Tensor::numel).containsExactly(2L, 2L, 1L);
    assertThat(x.split(new long[] {0, 4, 1}, 0))
        .extracting(Tensor::numel)
        .containsExactly(0L, 4L, 1L);
    assertThat(range(0, 0, 2).split(3, 0)).extracting(Tensor::numel).containsExactly(0L);
    // Pieces are views.
    x.split(3, 0).get(1).fill(9);
    assertThat(x.toDoubles()).containsExactly(0, 1, 2, 9, 9);
  }

  @Test
  void repeatLaysCopiesSideBySide() {
    Tensor x = Tensor.of(DEVICE, new double[] {1, 2}, 2).requireGrad();
    Tensor y = x.repeat(2, 2);
    assertThat(y.toDoubles()).containsExactly(1, 2, 1, 2, 1, 2, 1, 2);
    y.sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(4, 4);
    assertThat(range(1, 1).repeat(0, 3).shape()).isEqualTo(Shape.of(0, 3));
    assertThat(range(2, 1, 1, 1, 1, 1, 1, 1, 2).repeat(2, 1, 1, 1, 1, 1, 1, 2).numel())
        .isEqualTo(8);
  }

  @Test
  void errors() {
    assertThatThrownBy(() -> Tensor.cat(List.of(), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("cat: expected at least one tensor, got none");
    assertThatThrownBy(() -> Tensor.cat(List.of(range(4, 2, 2), range(3, 1, 3)), 0))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("cat: expected tensors with dimensions and equal sizes")
        .hasMessageContaining("(2, 2) and (1, 3)");
    assertThatThrownBy(() -> Tensor.cat(List.of(range(1), range(1)), 0))
        .isInstanceOf(ShapeException.class);
    assertThatThrownBy(() -> Tensor.stack(List.of(range(2, 2), range(3, 3)), 0))
        .hasMessageStartingWith("stack: expected tensors of one shape");
    assertThatThrownBy(() -> Tensor.stack(List.of(range(2, 2)), 2))
        .hasMessageStartingWith("stack: dimension out of range, expected -2 to 1, got 2");
    assertThatThrownBy(() -> range(5, 5).split(new long[] {2, 2}, 0))
        .hasMessageStartingWith("split: ")
        .hasMessageContaining("[2, 2] (shapes (5))");
    assertThatThrownBy(() -> range(5, 5).split(0, 0)).hasMessageStartingWith("split: ");
    assertThatThrownBy(() -> range(4, 2, 2).repeat(2))
        .hasMessageStartingWith("repeat: expected a number of 0 or more for each dimension");
  }

  @Test
  void sliceWithAStepBeyondTheEndTakesTheFirst() {
    Tensor x = Tensor.of(DEVICE, new double[] {1, 2, 3}, 3);
    assertThat(x.slice(0, 0, 3, Long.MAX_VALUE).toDoubles()).containsExactly(1);
    assertThat(x.slice(0, 1, 1, Long.MAX_VALUE).toDoubles()).isEmpty();
  }

  @Test
  void sizesAreChecked() {
    assertThatThrownBy(() -> Tensor.zeros(DEVICE, DType.F32).size(0))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("size: ");
    assertThatThrownBy(
            () ->
                Tensor.ofBytes(
                    DEVICE, DType.F64, Shape.of(1L << 61), MemorySegment.ofArray(new byte[0])))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("tensor: ");
  }
}

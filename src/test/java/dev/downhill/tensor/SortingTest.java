package dev.downhill.tensor;

import static dev.downhill.tensor.Refusals.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class SortingTest {
  private static final Device DEVICE = Device.cpu();
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  @Test
  void sort_isStableBothWays() {
    Tensor x = doubles(2, 1, 2, 0, 1);
    assertThat(x.sort(0, false).values().toDoubles()).containsExactly(0, 1, 1, 2, 2);
    assertThat(x.sort(0, false).indices().toLongs()).containsExactly(3, 1, 4, 0, 2);
    assertThat(x.sort(0, true).values().toDoubles()).containsExactly(2, 2, 1, 1, 0);
    assertThat(x.sort(0, true).indices().toLongs()).containsExactly(0, 2, 1, 4, 3);
    assertThat(x.argsort(-1, true).toLongs()).containsExactly(0, 2, 1, 4, 3);
  }

  @Test
  void sort_nanIsLargest_zerosAreEqual() {
    Tensor x = doubles(0.0, NAN, INF, -0.0, -INF, NAN);
    assertThat(x.argsort(0, false).toLongs()).containsExactly(4, 0, 3, 2, 1, 5);
    assertThat(x.argsort(0, true).toLongs()).containsExactly(1, 5, 2, 0, 3, 4);
    assertThat(x.sort(0, false).values().toDoubles())
        .containsExactly(-INF, 0.0, -0.0, INF, NAN, NAN);
  }

  @Test
  void sort_alongADimension() {
    Tensor x = Tensor.of(DEVICE, new double[] {3, 1, 2, 6, 5, 4}, 2, 3);
    assertThat(x.sort(1, false).values().toDoubles()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(x.sort(0, true).values().toDoubles()).containsExactly(6, 5, 4, 3, 1, 2);
    assertThat(x.sort(0, true).indices().toLongs()).containsExactly(1, 1, 1, 0, 0, 0);
  }

  @Test
  void sort_ofOtherTypes() {
    Tensor x = Tensor.of(DEVICE, new long[] {3, -1, Long.MAX_VALUE, Long.MIN_VALUE}, 4);
    assertThat(x.sort(0, false).values().toLongs())
        .containsExactly(Long.MIN_VALUE, -1, 3, Long.MAX_VALUE);
    Tensor truth = Tensor.of(DEVICE, new boolean[] {true, false, true}, 3);
    assertThat(truth.sort(0, false).values().toBooleans()).containsExactly(false, true, true);
    assertThat(truth.argsort(0, true).toLongs()).containsExactly(0, 2, 1);
  }

  @Test
  void gradients_goWhereElementsCameFrom() {
    Tensor x = doubles(3, 1, 2).requireGrad();
    x.sort(0, false).values().mul(doubles(10, 20, 30)).sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(30, 10, 20);
    x.zeroGrad();
    x.topk(2, 0, true).values().mul(doubles(10, 20)).sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsExactly(10, 0, 20);
  }

  @Test
  void topk_givesTheFirstInOrder() {
    Tensor x = Tensor.of(DEVICE, new double[] {3, 1, 2, 6, 5, 4}, 2, 3);
    Ranked largest = x.topk(2, -1, true);
    assertThat(largest.values().toDoubles()).containsExactly(3, 2, 6, 5);
    assertThat(largest.indices().toLongs()).containsExactly(0, 2, 0, 1);
    Ranked smallest = x.topk(1, 0, false);
    assertThat(smallest.values().shape()).isEqualTo(Shape.of(1, 3));
    assertThat(smallest.values().toDoubles()).containsExactly(3, 1, 2);
    assertThat(x.topk(0, 1, true).values().shape()).isEqualTo(Shape.of(2, 0));
    assertThat(x.topk(0, 1, true).indices().dtype()).isEqualTo(DType.I64);
  }

  @Test
  void zeroDimensions_andNothing() {
    Tensor x = Tensor.full(DEVICE, DType.F32, 5);
    assertThat(x.sort(-1, false).values().item()).isEqualTo(5);
    assertThat(x.sort(0, true).indices().toLongs()).containsExactly(0);
    assertThat(x.topk(1, 0, true).values().shape()).isEqualTo(Shape.SCALAR);
    Tensor none = Tensor.zeros(DEVICE, DType.F32, 2, 0);
    assertThat(none.sort(1, false).values().shape()).isEqualTo(Shape.of(2, 0));
    assertThat(none.argsort(0, false).shape()).isEqualTo(Shape.of(2, 0));
  }

  @Test
  void refusals() {
    Tensor x = Tensor.zeros(DEVICE, DType.F32, 2, 3);
    Tensor number = Tensor.zeros(DEVICE, DType.F32);
    refused(() -> x.sort(2, false), "sort", "-2 to 1", "2", "(2, 3)");
    refused(() -> x.sort(-3, false), "sort", "-3");
    refused(() -> number.sort(1, false), "sort", "-1 to 0", "1");
    refused(() -> x.argsort(2, true), "argsort", "2", "(2, 3)");
    refused(() -> number.argsort(-2, true), "argsort", "-2");
    refused(() -> x.topk(4, 1, true), "topk", "k of 0 to the size 3", "4", "(2, 3)");
    refused(() -> x.topk(3, 0, true), "topk", "size 2", "3");
    refused(() -> x.topk(-1, 0, true), "topk", "-1");
    refused(() -> x.topk(1, 5, true), "topk", "5");
    refused(() -> number.topk(2, 0, true), "topk", "2", "()");
    refused(() -> number.topk(0, 0, true), "topk", "0", "()");
  }

  @Test
  void ended_isNamed() {
    Tensor x = doubles(1, 2);
    x.close();
    assertThatThrownBy(() -> x.sort(0, false))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("sort");
  }
}

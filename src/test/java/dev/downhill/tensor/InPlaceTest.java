package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What may be changed in place, and who notices. */
final class InPlaceTest {
  private static final Device DEVICE = Device.of("cpu");

  private static Tensor of(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static double[] gradient(Tensor x) {
    Tensor grad = x.grad();
    return grad == null ? new double[0] : grad.toDoubles();
  }

  @Test
  void plainTensorsChange() {
    Tensor x = of(1, 2, 3);
    assertThat(x.fill(7)).isSameAs(x);
    assertThat(x.toDoubles()).containsExactly(7, 7, 7);
    assertThat(x.copyFrom(of(4, 5, 6)).toDoubles()).containsExactly(4, 5, 6);
    assertThat(x.addInPlace(of(1, 1, 1)).toDoubles()).containsExactly(5, 6, 7);
  }

  @Test
  void writingThroughAViewChangesTheWhole() {
    Tensor x = of(1, 2, 3, 4, 5, 6).reshape(2, 3);
    x.slice(1, 1, 2, 1).fill(0);
    assertThat(x.toDoubles()).containsExactly(1, 0, 3, 4, 0, 6);
    x.transpose(0, 1).addInPlace(Tensor.of(DEVICE, new double[] {10, 20}, 2));
    assertThat(x.toDoubles()).containsExactly(11, 10, 13, 24, 20, 26);
  }

  @Test
  void sourceBroadcastsAndConverts() {
    Tensor x = Tensor.zeros(DEVICE, DType.F32, 2, 3);
    x.copyFrom(Tensor.of(DEVICE, new long[] {1, 2, 3}, 3));
    assertThat(x.toDoubles()).containsExactly(1, 2, 3, 1, 2, 3);
    x.copyFrom(Tensor.full(DEVICE, DType.F64, 0.5));
    assertThat(x.toDoubles()).containsOnly(0.5);
  }

  @Test
  void sourceOnTheSameMemoryIsReadBeforeItChanges() {
    Tensor x = of(1, 2, 3, 4).reshape(2, 2);
    x.copyFrom(x.transpose(0, 1));
    assertThat(x.toDoubles()).containsExactly(1, 3, 2, 4);
    Tensor y = of(1, 2, 3, 4);
    y.slice(0, 1, 4, 1).addInPlace(y.slice(0, 0, 3, 1));
    assertThat(y.toDoubles()).containsExactly(1, 3, 5, 7);
    y.addInPlace(y);
    assertThat(y.toDoubles()).containsExactly(2, 6, 10, 14);
  }

  @Test
  void operandsAreChecked() {
    Tensor x = of(1, 2, 3);
    assertThatThrownBy(() -> x.copyFrom(of(1, 2)))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("copyFrom: ")
        .hasMessageContaining("(3) and (2)");
    assertThatThrownBy(() -> x.addInPlace(Tensor.zeros(DEVICE, DType.F32, 3)))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("expected float64, got float32")
        .hasMessageContaining("(3) and (3)");
    assertThatThrownBy(() -> x.addInPlace(Tensor.zeros(DEVICE, DType.F64, 2, 3)))
        .isInstanceOf(ShapeException.class);
  }

  @Test
  void leafChangesOnlyUnderNoGrad() {
    Tensor x = of(1, 2).requireGrad();
    assertThatThrownBy(() -> x.fill(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("fill: a leaf (2) that requires a gradient can be changed only under noGrad");
    assertThatThrownBy(() -> x.addInPlace(of(1, 1))).hasMessageStartingWith("addInPlace: ");
    assertThatThrownBy(() -> x.copyFrom(of(1, 1))).hasMessageStartingWith("copyFrom: ");
    assertThat(x.toDoubles()).containsExactly(1, 2);
    try (var _ = Autograd.noGrad()) {
      x.addInPlace(of(1, 1));
    }
    assertThat(x.toDoubles()).containsExactly(2, 3);
  }

  @Test
  void tensorWithAGraphNeverChanges() {
    Tensor x = of(1, 2).requireGrad();
    Tensor y = x.mul(2);
    assertThatThrownBy(() -> y.fill(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "fill: expected a tensor without a graph, got the result of mul (2); use its detach()");
    try (var _ = Autograd.noGrad()) {
      assertThatThrownBy(() -> y.copyFrom(x)).isInstanceOf(IllegalStateException.class);
    }
    // A view of a leaf has a graph too.
    assertThatThrownBy(() -> x.slice(0, 0, 1, 1).fill(0))
        .hasMessageContaining("got the result of slice (1)");
  }

  @Test
  void viewWhoseElementsOverlapDoesNotChange() {
    Tensor x = of(1).expand(3);
    assertThatThrownBy(() -> x.fill(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("overlap")
        .hasMessageContaining("(3) strides [0]");
    assertThatThrownBy(() -> x.addInPlace(of(1, 2, 3))).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void changeOfASavedValueIsNoticed() {
    Tensor x = of(1, 2).requireGrad();
    Tensor y = x.mul(x).sum();
    try (var _ = Autograd.noGrad()) {
      x.fill(5);
    }
    assertThatThrownBy(y::backward)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "backward: mul saved a tensor (2) that was changed in place since, expected version 0,"
                + " got 1");
  }

  @Test
  void changeThroughAnyViewIsNoticed() {
    Tensor x = of(1, 2, 3).requireGrad();
    Tensor y = x.mul(x).sum();
    x.detach().slice(0, 2, 3, 1).fill(5);
    assertThatThrownBy(y::backward).hasMessageContaining("mul saved a tensor (3)");
  }

  @Test
  void changeOfASavedResultIsNoticed() {
    Tensor x = of(1, 2).requireGrad();
    Tensor y = x.mul(x);
    Tensor z = y.mul(y).sum();
    y.detach().fill(0);
    assertThatThrownBy(z::backward).hasMessageContaining("mul saved");
  }

  @Test
  void changeThatNobodyNeedsIsFine() {
    Tensor x = of(1, 2).requireGrad();
    // The gradient of a sum reads no value.
    Tensor y = x.add(x).add(1).sum();
    x.detach().fill(100);
    y.backward();
    assertThat(gradient(x)).containsExactly(2, 2);
    // After the pass nothing is saved any more.
    Tensor z = x.mul(x).sum();
    z.backward();
    x.detach().fill(0);
    assertThat(gradient(x)).containsExactly(202, 202);
  }

  @Test
  void gradientThatIsSavedIsWatchedToo() {
    Tensor x = of(1, 2).requireGrad();
    Tensor w = of(3, 4).requireGrad();
    w.mul(w).sum().backward();
    Tensor grad = w.grad();
    if (grad == null) {
      throw new AssertionError();
    }
    Tensor y = x.mul(grad).sum();
    w.mul(w).sum().backward();
    assertThatThrownBy(y::backward).hasMessageContaining("mul saved a tensor (2)");
  }

  @Test
  void clippingKeepsTheRules() {
    Tensor x = of(2, 3).requireGrad();
    Tensor y = x.mul(2);
    Tensor one = of(1).sum();
    assertThatThrownBy(() -> Clip.value(List.of(y), 1)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> Clip.scale(List.of(y), 1, one))
        .isInstanceOf(IllegalStateException.class);
    Tensor repeated = of(8).expand(3);
    assertThatThrownBy(() -> Clip.scale(List.of(repeated), 1, one))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> Clip.scale(List.of(of(2)), 1, one.to(Device.of("cpu:1"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cpu:0 and cpu:1");
    assertThatThrownBy(() -> Clip.scale(List.of(of(2)), 1, of(1, 2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("clip: ");
    assertThat(y.toDoubles()).containsExactly(4, 6);
    assertThat(repeated.toDoubles()).containsOnly(8);
  }
}

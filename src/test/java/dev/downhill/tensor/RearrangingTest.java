package dev.downhill.tensor;

import static dev.downhill.tensor.Refusals.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Elements turned round and moved on, and the diagonal. */
final class RearrangingTest {
  private static final Device DEVICE = Device.cpu();

  private static Tensor matrix(int rows, int columns) {
    return Tensor.arange(DEVICE, DType.F64, (long) rows * columns).reshape(rows, columns);
  }

  private static double[] gradient(Tensor leaf) {
    return Objects.requireNonNull(leaf.grad()).toDoubles();
  }

  @Test
  void flip_turnsRound() {
    Tensor x = matrix(2, 3);
    assertThat(x.flip(0).toDoubles()).containsExactly(3, 4, 5, 0, 1, 2);
    assertThat(x.flip(1).toDoubles()).containsExactly(2, 1, 0, 5, 4, 3);
    assertThat(x.flip(-1, 0).toDoubles()).containsExactly(5, 4, 3, 2, 1, 0);
    assertThat(Tensor.of(DEVICE, new boolean[] {true, false}, 2).flip(0).toBooleans())
        .containsExactly(false, true);
  }

  @Test
  void flip_givesMemoryOfItsOwn() {
    Tensor x = matrix(1, 2);
    x.flip().fill(9);
    x.flip(0).fill(9);
    assertThat(x.toDoubles()).containsExactly(0, 1);
    assertThat(Tensor.full(DEVICE, DType.F32, 3).flip(0).item()).isEqualTo(3);
    assertThat(Tensor.zeros(DEVICE, DType.F32, 0, 2).flip(0, 1).shape()).isEqualTo(Shape.of(0, 2));
  }

  @Test
  void flip_gradientIsTurnedBack() {
    Tensor x = matrix(2, 2).requireGrad();
    x.flip(1).mul(matrix(2, 2)).sum().backward();
    assertThat(gradient(x)).containsExactly(1, 0, 3, 2);
  }

  @Test
  void roll_movesOn() {
    Tensor x = matrix(2, 3);
    assertThat(x.roll(1).toDoubles()).containsExactly(5, 0, 1, 2, 3, 4);
    assertThat(x.roll(-7).toDoubles()).containsExactly(1, 2, 3, 4, 5, 0);
    assertThat(x.roll(new long[] {1}, new int[] {1}).toDoubles()).containsExactly(2, 0, 1, 5, 3, 4);
    assertThat(x.roll(new long[] {-1, 2}, new int[] {0, -1}).toDoubles())
        .containsExactly(4, 5, 3, 1, 2, 0);
    assertThat(x.roll(new long[] {1, 1, 4}, new int[] {1, 1, 1}).toDoubles())
        .containsExactly(x.toDoubles());
  }

  @Test
  void roll_ofNothing_andANumber() {
    assertThat(Tensor.zeros(DEVICE, DType.F32, 2, 0).roll(3).shape()).isEqualTo(Shape.of(2, 0));
    Tensor number = Tensor.full(DEVICE, DType.F32, 3);
    assertThat(number.roll(2).shape()).isEqualTo(Shape.SCALAR);
    assertThat(number.roll(new long[] {1}, new int[] {0}).item()).isEqualTo(3);
  }

  @Test
  void roll_gradientIsMovedBack() {
    Tensor x = matrix(1, 4).requireGrad();
    x.roll(1).mul(matrix(1, 4)).sum().backward();
    assertThat(gradient(x)).containsExactly(1, 2, 3, 0);
  }

  @Test
  void diagonal_isAView() {
    Tensor x = matrix(3, 4);
    assertThat(x.diagonal(0, 0, 1).toDoubles()).containsExactly(0, 5, 10);
    assertThat(x.diagonal(2, 0, 1).toDoubles()).containsExactly(2, 7);
    assertThat(x.diagonal(-1, 0, 1).toDoubles()).containsExactly(4, 9);
    assertThat(x.diagonal(-1, 1, 0).toDoubles()).containsExactly(1, 6, 11);
    assertThat(x.diagonal(4, 0, 1).shape()).isEqualTo(Shape.of(0));
    assertThat(x.diagonal(-9, 0, 1).shape()).isEqualTo(Shape.of(0));
    x.diagonal(0, 0, 1).fill(7);
    assertThat(x.toDoubles()).containsExactly(7, 1, 2, 3, 4, 7, 6, 7, 8, 9, 7, 11);
  }

  @Test
  void diagonal_gradientIsPlaced() {
    Tensor x = matrix(2, 2).requireGrad();
    x.diagonal(0, 0, 1).mul(3).sum().backward();
    assertThat(gradient(x)).containsExactly(3, 0, 0, 3);
  }

  @Test
  void flip_refusals() {
    Tensor x = matrix(2, 3);
    Tensor number = Tensor.full(DEVICE, DType.F32, 3);
    refused(() -> x.flip(2), "flip", "-2 to 1", "2", "(2, 3)");
    refused(() -> x.flip(-3), "flip", "-3");
    refused(() -> x.flip(0, 0), "flip", "at most once", "[0, 0]", "(2, 3)");
    refused(() -> x.flip(1, -1), "flip", "[1, -1]");
    refused(() -> x.flip(0, 1, 0), "flip", "[0, 1, 0]");
    refused(() -> x.flip(0, 7), "flip", "7");
    refused(() -> number.flip(1), "flip", "-1 to 0", "1");
    refused(() -> number.flip(0, -1), "flip", "[0, -1]", "()");
  }

  @Test
  void roll_refusals() {
    Tensor x = matrix(2, 3);
    refused(() -> x.roll(new long[] {1}, new int[] {2}), "roll", "-2 to 1", "(2, 3)");
    refused(() -> x.roll(new long[] {1}, new int[] {-3}), "roll", "-3");
    refused(() -> x.roll(new long[] {1, 2}, new int[] {0}), "roll", "[1, 2]", "[0]", "(2, 3)");
    refused(() -> x.roll(new long[] {1}, new int[] {0, 1}), "roll", "[1]", "[0, 1]");
    refused(() -> x.roll(new long[] {}, new int[] {}), "roll", "[]");
    refused(() -> x.roll(new long[] {}, new int[] {0}), "roll", "[]", "[0]");
    refused(() -> x.roll(new long[] {1, 1}, new int[] {0, 9}), "roll", "9");
    refused(() -> x.sum().roll(new long[] {1}, new int[] {1}), "roll", "-1 to 0");
  }

  @Test
  void diagonal_refusals() {
    Tensor x = matrix(2, 3);
    refused(() -> x.diagonal(0, 0, 0), "diagonal", "two different dimensions", "0 and 0", "(2, 3)");
    refused(() -> x.diagonal(0, 1, -1), "diagonal", "1 and -1");
    refused(() -> x.diagonal(0, 0, 2), "diagonal", "-2 to 1", "2");
    refused(() -> x.diagonal(0, -3, 0), "diagonal", "-3");
    refused(() -> x.sum().diagonal(0, 0, -1), "diagonal", "()");
    refused(() -> x.sum().diagonal(0, 0, 1), "diagonal", "-1 to 0");
    refused(() -> x.sum(0).diagonal(0, 0, 0), "diagonal", "(3)");
    refused(() -> x.sum(0).diagonal(0, 0, 1), "diagonal", "1");
  }
}

package dev.downhill.tensor;

import static dev.downhill.tensor.Refusals.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Windows, padding and interpolation on small numbers. */
final class WindowsTest {
  private static final Device DEVICE = Device.cpu();
  private static final double INFINITY = Double.POSITIVE_INFINITY;

  private static Tensor range(long n, long... sizes) {
    return Tensor.arange(DEVICE, DType.F64, n).reshape(sizes);
  }

  /** A refusal leaves the device as it was. */
  @AfterEach
  void theDeviceStillWorks() {
    assertThat(range(3, 3).sum().item()).isEqualTo(3);
  }

  @Test
  void windowsAreAViewAndOverlap() {
    Tensor x = range(5, 5);
    Tensor y = x.unfold(0, 3, 1);
    assertThat(y.shape()).isEqualTo(Shape.of(3, 3));
    assertThat(y.toDoubles()).containsExactly(0, 1, 2, 1, 2, 3, 2, 3, 4);
    assertThat(y.storage()).isSameAs(x.storage());
    assertThat(range(6, 2, 3).unfold(-2, 1, 5).toDoubles()).containsExactly(0, 1, 2);
    assertThatThrownBy(() -> y.fill(0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void anElementGetsTheSumOverItsWindows() {
    assertThat(Slope.of(x -> x.unfold(0, 3, 1), 1, 1, 1, 1, 1)).containsExactly(1, 2, 3, 2, 1);
    assertThat(Slope.of(x -> x.unfold(0, 2, 3), 1, 1, 1, 1, 1)).containsExactly(1, 1, 0, 1, 1);
  }

  @Test
  void foldIsTheAdjointOfUnfold() {
    Windows windows = new Windows(2, 2, 3);
    Tensor x = range(9, 9);
    Tensor y = range(6, 3, 2).square();
    Tensor there = windows.unfold(x, 0, 3);
    assertThat(there.toDoubles()).containsExactly(0, 3, 2, 5, 4, 7);
    assertThat(there.mul(y).sum().item()).isEqualTo(windows.fold(y, 0, 9).mul(x).sum().item());
  }

  @Test
  void unfoldRefuses() {
    Tensor x = range(6, 2, 3);
    refused(
        () -> x.unfold(1, 4, 1), "unfold: ", "no larger than dimension 1, got size 4", "(2, 3)");
    refused(() -> x.unfold(1, 0, 1), "unfold: expected windows", "got 0, 1 and 1", "(2, 3)");
    refused(() -> x.unfold(1, -1, 1), "got -1, 1 and 1");
    refused(() -> x.unfold(1, 1, 0), "got 1, 0 and 1");
    refused(() -> x.unfold(1, 1, -2), "got 1, -2 and 1");
    refused(() -> x.unfold(1, 1, 1L << 40), "got 1, 1099511627776 and 1");
    refused(() -> x.unfold(2, 1, 1), "unfold: dimension out of range", "(2, 3)");
    refused(() -> x.unfold(-3, 1, 1), "unfold: dimension out of range", "got -3");
    refused(() -> x.sum().unfold(0, 1, 1), "unfold: expected windows no larger", "()");
  }

  @Test
  void paddingAddsAndCutsOff() {
    Tensor x = range(4, 2, 2);
    assertThat(Padding.pad(x, 1, 0).toDoubles()).containsExactly(0, 0, 1, 0, 2, 3);
    assertThat(Padding.pad(x, new long[] {-1, 1, 0, 1}, 7).toDoubles())
        .containsExactly(1, 7, 3, 7, 7, 7);
    assertThat(Padding.pad(x, 0, -2).shape()).isEqualTo(Shape.of(2, 0));
    assertThat(Padding.pad(x, 2, -2).toDoubles()).containsExactly(0, 0, 0, 0);
    assertThat(Padding.pad(x).toDoubles()).containsExactly(0, 1, 2, 3);
    assertThat(Padding.pad(range(0, 0, 2), 0, 0, 1, 0).toDoubles()).containsExactly(0, 0);
    assertThat(Padding.pad(x.gt(1), new long[] {1, 0}, 1).toBooleans())
        .containsExactly(true, false, false, true, true, true);
  }

  @Test
  void paddingMirrorsAndRepeats() {
    Tensor x = range(3, 3);
    assertThat(Padding.pad(x, new long[] {2, 1}, Padding.Mode.REFLECT).toDoubles())
        .containsExactly(2, 1, 0, 1, 2, 1);
    assertThat(Padding.pad(x, new long[] {2, -1}, Padding.Mode.REPLICATE).toDoubles())
        .containsExactly(0, 0, 0, 1);
    assertThat(Padding.pad(x, new long[] {1, 0}, Padding.Mode.CONSTANT).toDoubles())
        .containsExactly(0, 0, 1, 2);
    assertThat(Slope.of(y -> Padding.pad(y, new long[] {2, 1}, Padding.Mode.REFLECT), 1, 1, 1))
        .containsExactly(1, 3, 2);
    assertThat(Slope.of(y -> Padding.pad(y, new long[] {2, 1}, Padding.Mode.REPLICATE), 1, 1, 1))
        .containsExactly(3, 1, 2);
  }

  @Test
  void paddingRefuses() {
    Tensor x = range(6, 2, 3);
    long[] large = {3, 0};
    long[] three = {1, 1, 1};
    refused(() -> Padding.pad(x, 1), "pad: expected pairs", "got [1]", "(2, 3)");
    refused(() -> Padding.pad(x, three, 0), "got [1, 1, 1]");
    refused(() -> Padding.pad(x, 0, 0, 0, 0, 0, 0), "at most 2 dimensions");
    refused(() -> Padding.pad(x, 1L << 40, 0), "below 2^31");
    refused(() -> Padding.pad(x, Long.MIN_VALUE, 0), "below 2^31");
    refused(() -> Padding.pad(x, -2, -2), "cut off at most the size of dimension 1, got -2 and -2");
    refused(() -> Padding.pad(x, -4, 9), "cut off", "got -4 and 9");
    refused(() -> Padding.pad(x, large, Padding.Mode.REFLECT), "reflect at most 2", "got 3 and 0");
    refused(
        () -> Padding.pad(range(0, 2, 0), large, Padding.Mode.REPLICATE), "replicate at most 0");
    assertThatThrownBy(() -> Padding.pad(x.to(DType.I64), large, 0.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("pad: expected a number that int64 can hold, got 0.5");
  }

  // Interpolation

  private static double[] row(Interpolation.Mode mode, long size, double... values) {
    Tensor x = Tensor.of(DEVICE, values, 1, 1, 1, values.length);
    return Interpolation.interpolate(x, new long[] {1, size}, mode).toDoubles();
  }

  @Test
  void nearestTakesTheElementWhereItLies() {
    assertThat(row(Interpolation.Mode.NEAREST, 6, 1, 2, 3)).containsExactly(1, 1, 2, 2, 3, 3);
    assertThat(row(Interpolation.Mode.NEAREST, 2, 1, 2, 3)).containsExactly(1, 2);
    assertThat(row(Interpolation.Mode.NEAREST, 4, 1, 2, 3)).containsExactly(1, 1, 2, 3);
    Tensor vectors = range(6, 1, 2, 3);
    assertThat(
            Interpolation.interpolate(vectors, new long[] {1}, Interpolation.Mode.NEAREST)
                .toDoubles())
        .containsExactly(0, 3);
  }

  @Test
  void bilinearWeighsNeighbours() {
    assertThat(row(Interpolation.Mode.BILINEAR, 4, 0, 4)).containsExactly(0, 1, 3, 4);
    assertThat(row(Interpolation.Mode.BILINEAR, 1, 0, 4)).containsExactly(2);
    assertThat(row(Interpolation.Mode.BILINEAR_ALIGN_CORNERS, 5, 0, 4))
        .containsExactly(new double[] {0, 1, 2, 3, 4}, within(1e-12));
    assertThat(row(Interpolation.Mode.BILINEAR_ALIGN_CORNERS, 1, 5, 4)).containsExactly(5);
  }

  @Test
  void factorsRoundSizesDown() {
    Tensor x = range(20, 1, 1, 4, 5);
    Tensor y = Interpolation.interpolate(x, new double[] {0.5, 1.5}, Interpolation.Mode.BILINEAR);
    assertThat(y.shape()).isEqualTo(Shape.of(1, 1, 2, 7));
    Tensor none = range(0, 0, 2, 3, 3);
    assertThat(
            Interpolation.interpolate(none, new double[] {2}, Interpolation.Mode.NEAREST).shape())
        .isEqualTo(Shape.of(0, 2, 6, 6));
  }

  @Test
  void interpolationRefuses() {
    Tensor x = range(6, 1, 1, 2, 3);
    Interpolation.Mode nearest = Interpolation.Mode.NEAREST;
    Interpolation.Mode bilinear = Interpolation.Mode.BILINEAR;
    double[] none = {};
    refused(
        () -> Interpolation.interpolate(x, new long[] {1, 2, 3}, nearest),
        "interpolate: expected a size of 1 or 2 numbers",
        "(1, 1, 2, 3)");
    refused(() -> Interpolation.interpolate(x, new long[] {0}, nearest), "got [0]");
    refused(() -> Interpolation.interpolate(x, new long[] {-1}, bilinear), "got [-1]");
    refused(() -> Interpolation.interpolate(x, none, nearest), "1 or 2 positive factors");
    refused(() -> Interpolation.interpolate(x, new double[] {0}, nearest), "got [0.0]");
    refused(() -> Interpolation.interpolate(x, new double[] {Double.NaN}, nearest), "got [NaN]");
    refused(() -> Interpolation.interpolate(x, new double[] {INFINITY}, nearest), "Infinity");
    refused(() -> Interpolation.interpolate(x, new double[] {0.3}, nearest), "sizes of 1");
    refused(
        () -> Interpolation.interpolate(range(6, 1, 2, 3), new long[] {2}, bilinear),
        "two spatial dimensions",
        "BILINEAR");
    refused(
        () -> Interpolation.interpolate(range(6, 2, 3), new long[] {2}, nearest), "(N, C, ...)");
    refused(
        () -> Interpolation.interpolate(range(0, 1, 1, 0, 2), new long[] {2}, nearest),
        "spatial sizes of 1 or more");
    refused(
        () -> Interpolation.interpolate(x.to(DType.I64), new long[] {2}, nearest),
        "floating-point tensor, got int64");
  }
}

package dev.downhill.tensor;

import static dev.downhill.tensor.Refusals.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pools of small images, and what they refuse. */
final class PoolingTest {
  private static final Device DEVICE = Device.cpu();
  private static final double LEAST = Double.NEGATIVE_INFINITY;

  private static Tensor image(long height, long width, double... values) {
    return Tensor.of(DEVICE, values, 1, height, width);
  }

  private static Tensor range(long height, long width) {
    return Tensor.arange(DEVICE, DType.F64, height * width).reshape(1, height, width);
  }

  /** A refusal leaves the device as it was. */
  @AfterEach
  void theDeviceStillWorks() {
    assertThat(range(1, 3).sum().item()).isEqualTo(3);
  }

  @Test
  void theLargestOfEachWindowAndWhereItWas() {
    Ranked y = Pooling.maxPool2dWithIndices(range(4, 4).reshape(1, 1, 4, 4), Pooling.Max.of(2));
    assertThat(y.values().shape()).isEqualTo(Shape.of(1, 1, 2, 2));
    assertThat(y.values().toDoubles()).containsExactly(5, 7, 13, 15);
    assertThat(y.indices().toLongs()).containsExactly(5, 7, 13, 15);
  }

  @Test
  void theFirstOfEqualElementsIsChosenAndPaddingNever() {
    Pooling.Max windows = Pooling.Max.of(3).withStride(2).withPadding(1);
    Tensor least = Tensor.full(DEVICE, DType.F64, LEAST, 1, 3, 3);
    Ranked y = Pooling.maxPool2dWithIndices(least, windows);
    assertThat(y.indices().toLongs()).containsExactly(0, 1, 3, 4);
    assertThat(y.values().toDoubles()).containsOnly(LEAST);
    assertThat(Pooling.maxPool2d(image(1, 2, -5, -3), Pooling.Max.of(1, 2)).toDoubles())
        .containsExactly(-3);
    double[] ties =
        Slope.of(x -> Pooling.maxPool2d(x.reshape(1, 2, 2), Pooling.Max.of(2)), 4, 4, 4, 4);
    assertThat(ties).containsExactly(1, 0, 0, 0);
  }

  @Test
  void nanWinsAndDilationSkips() {
    assertThat(Pooling.maxPool2d(image(1, 3, 1, Double.NaN, 2), Pooling.Max.of(1, 3)).toDoubles())
        .containsExactly(Double.NaN);
    Pooling.Max windows = Pooling.Max.of(1, 2).withStride(1).withDilation(2);
    assertThat(Pooling.maxPool2d(image(1, 4, 1, 9, 3, 2), windows).toDoubles())
        .containsExactly(3, 9);
  }

  @Test
  void ceilModeAddsWindowsThatStartInsideAlone() {
    assertThat(Pooling.maxPool2d(range(1, 5), Pooling.Max.of(1, 2).withCeilMode()).toDoubles())
        .containsExactly(1, 3, 4);
    Pooling.Max padded = Pooling.Max.of(1, 2).withPadding(0, 1).withCeilMode();
    assertThat(Pooling.maxPool2d(range(1, 5), padded).toDoubles()).containsExactly(0, 2, 4);
  }

  @Test
  void meansDivideByWhatCounts() {
    Tensor x = image(1, 5, 1, 2, 3, 4, 5);
    Pooling.Average windows = Pooling.Average.of(1, 2);
    assertThat(Pooling.avgPool2d(x, windows).toDoubles()).containsExactly(1.5, 3.5);
    assertThat(Pooling.avgPool2d(x, windows.withCeilMode()).toDoubles())
        .containsExactly(1.5, 3.5, 5);
    Pooling.Average padded = windows.withPadding(0, 1);
    assertThat(Pooling.avgPool2d(x, padded).toDoubles()).containsExactly(0.5, 2.5, 4.5);
    assertThat(Pooling.avgPool2d(x, padded.withoutCountingPad()).toDoubles())
        .containsExactly(1, 2.5, 4.5);
    assertThat(Pooling.avgPool2d(x, padded.withDivisor(-1)).toDoubles())
        .containsExactly(-1, -5, -9);
  }

  @Test
  void adaptiveCellsMayOverlap() {
    Tensor x = image(1, 5, 1, 2, 3, 4, 5);
    assertThat(Pooling.adaptiveAvgPool2d(x, 1, 3).toDoubles()).containsExactly(1.5, 3, 4.5);
    assertThat(Pooling.adaptiveAvgPool2d(x, -1, 1).toDoubles()).containsExactly(3);
    assertThat(Pooling.adaptiveAvgPool2d(x, 2, -1).shape()).isEqualTo(Shape.of(1, 2, 5));
    assertThat(Pooling.adaptiveAvgPool2d(x, 0, 2).shape()).isEqualTo(Shape.of(1, 0, 2));
    // What is infinite stays in its cells.
    assertThat(
            Pooling.adaptiveAvgPool2d(image(1, 3, 1, 2, Double.POSITIVE_INFINITY), 1, 2)
                .toDoubles())
        .containsExactly(1.5, Double.POSITIVE_INFINITY);
  }

  @Test
  void adaptiveCellsHaveTheirLargestElements() {
    Tensor x = image(2, 5, 1, 9, 3, 4, 5, 6, 2, 8, 8, 0);
    Ranked y = Pooling.adaptiveMaxPool2dWithIndices(x, 1, 3);
    assertThat(y.values().toDoubles()).containsExactly(9, 9, 8);
    assertThat(y.indices().toLongs()).containsExactly(1, 1, 8);
    y = Pooling.adaptiveMaxPool2dWithIndices(x, 2, 5);
    assertThat(y.values().toDoubles()).containsExactly(x.toDoubles());
    assertThat(y.indices().toLongs()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    assertThat(Pooling.adaptiveMaxPool2d(x, 3, -1).shape()).isEqualTo(Shape.of(1, 3, 5));
    assertThat(Pooling.adaptiveMaxPool2d(x, 0, 2).shape()).isEqualTo(Shape.of(1, 0, 2));
    assertThat(Pooling.adaptiveMaxPool2d(image(1, 3, 1, Double.NaN, LEAST), 1, 2).toDoubles())
        .containsExactly(Double.NaN, Double.NaN);
    double[] slope = Slope.of(v -> Pooling.adaptiveMaxPool2d(v.reshape(1, 1, 3), 1, 2), 7, 7, 7);
    assertThat(slope).containsExactly(1, 1, 0);
  }

  @Test
  void poolsRefuse() {
    Tensor x = range(3, 3);
    Pooling.Max two = Pooling.Max.of(2);
    String name = "maxPool2d: ";
    refused(() -> Pooling.maxPool2d(x.squeeze(0), two), name + "expected an input", "(3, 3)");
    refused(() -> Pooling.maxPool2d(x, Pooling.Max.of(4)), name, "see an element", "of 4 for 3");
    refused(() -> Pooling.maxPool2d(x, Pooling.Max.of(0)), name + "expected a kernel", "got [0]");
    refused(() -> Pooling.maxPool2d(x, Pooling.Max.of(1, 2, 3)), "got [1, 2, 3]");
    refused(() -> Pooling.maxPool2d(x, Pooling.Max.of()), "a kernel of 1 or 2 numbers", "got []");
    refused(() -> Pooling.maxPool2d(x, two.withStride(0)), "a stride", "got [0]");
    refused(() -> Pooling.maxPool2d(x, two.withPadding(2)), "at most half a window of 2, got 2");
    refused(() -> Pooling.maxPool2d(x, two.withPadding(-1)), "a padding", "got [-1]");
    refused(() -> Pooling.maxPool2d(x, two.withDilation(0)), "a dilation", "got [0]");
    refused(() -> Pooling.maxPool2d(x.to(DType.I64), two), "floating-point tensor, got int64");
    refused(() -> Pooling.maxPool2d(range(0, 3), two.withPadding(1)), "see an element", "(1, 0, 3");
    refused(
        () -> Pooling.maxPool2d(range(1, 3), two.withStride(1).withPadding(1).withDilation(2)),
        "see an element");
  }

  @Test
  void meansRefuse() {
    Tensor x = range(3, 3);
    Pooling.Average two = Pooling.Average.of(2);
    refused(() -> Pooling.avgPool2d(x.squeeze(0), two), "avgPool2d: expected an input", "(3, 3)");
    refused(() -> Pooling.avgPool2d(x, Pooling.Average.of(4)), "avgPool2d: ", "of 4 for 3");
    refused(() -> Pooling.avgPool2d(x, Pooling.Average.of(-1)), "a kernel", "got [-1]");
    refused(() -> Pooling.avgPool2d(x, two.withStride(0, 1)), "a stride", "got [0, 1]");
    refused(() -> Pooling.avgPool2d(x, two.withPadding(2)), "at most half a window");
    refused(() -> Pooling.avgPool2d(x, two.withDivisor(0)), "divisor other than 0, got 0.0");
    refused(() -> Pooling.avgPool2d(x, two.withDivisor(Double.NaN)), "got NaN");
    refused(() -> Pooling.avgPool2d(x.gt(1), two), "floating-point tensor, got bool");
    String name = "adaptiveAvgPool2d: expected an input";
    refused(() -> Pooling.adaptiveAvgPool2d(x, -2, 1), name, "got -2 and 1");
    refused(() -> Pooling.adaptiveAvgPool2d(x, 1, -2), name, "got 1 and -2");
    refused(() -> Pooling.adaptiveAvgPool2d(x, 1, 1L << 40), name);
    refused(() -> Pooling.adaptiveAvgPool2d(x.squeeze(0), 1, 1), name, "(3, 3)");
    refused(() -> Pooling.adaptiveAvgPool2d(x.reshape(1, 1, 1, 3, 3), 1, 1), name);
    refused(() -> Pooling.adaptiveAvgPool2d(range(0, 3), 1, 1), name, "(1, 0, 3)");
    refused(() -> Pooling.adaptiveAvgPool2d(range(3, 0), 1, 1), name, "(1, 3, 0)");
    refused(() -> Pooling.adaptiveAvgPool2d(x.to(DType.I64), 1, 1), "got int64");
    name = "adaptiveMaxPool2d: expected an input";
    refused(() -> Pooling.adaptiveMaxPool2d(x, -2, 1), name, "got -2 and 1");
    refused(() -> Pooling.adaptiveMaxPool2d(x.squeeze(0), 1, 1), name, "(3, 3)");
    refused(() -> Pooling.adaptiveMaxPool2d(range(0, 3), 1, 1), name, "(1, 0, 3)");
    refused(() -> Pooling.adaptiveMaxPool2d(x.to(DType.I64), 1, 1), "got int64");
  }
}

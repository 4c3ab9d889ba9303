package dev.downhill.cli.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComparisonTest {
  private static final Comparison LOOSE = new Comparison(0.1, 0.01);

  private static Values f64(Shape shape, double... values) {
    return new Values(DType.F64, shape, MemorySegment.ofArray(values));
  }

  private static Values f32(float... values) {
    return new Values(DType.F32, Shape.of(values.length), MemorySegment.ofArray(values));
  }

  private static Values i64(long... values) {
    return new Values(DType.I64, Shape.of(values.length), MemorySegment.ofArray(values));
  }

  private static Values bool(boolean... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (values[i] ? 1 : 0);
    }
    return new Values(DType.BOOL, Shape.of(bytes.length), MemorySegment.ofArray(bytes));
  }

  private static @Nullable String difference(double expected, double actual) {
    return LOOSE.difference(f64(Shape.SCALAR, expected), f64(Shape.SCALAR, actual));
  }

  @ParameterizedTest
  @CsvSource({
    "NaN, NaN",
    "Infinity, Infinity",
    "-Infinity, -Infinity",
    "0.0, -0.0",
    "10, 11.0099",
    "10, 8.9901",
    "-10, -11.0099",
    "0, 0.01",
  })
  void matches(double expected, double actual) {
    assertThat(difference(expected, actual)).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "NaN, 1",
    "1, NaN",
    "Infinity, -Infinity",
    "Infinity, 1e308",
    "1e308, Infinity",
    "10, 11.0101",
    "10, 8.9899",
    "0, 0.0101",
    "0, NaN",
  })
  void differs(double expected, double actual) {
    assertThat(difference(expected, actual)).isNotNull();
  }

  @Test
  void zeroTolerancesAskForTheSameNumber() {
    Comparison exact = new Comparison(0, 0);
    assertThat(exact.difference(f32(1, 0f), f32(1, -0f))).isNull();
    assertThat(exact.difference(f32(1, 2), f32(1, Math.nextUp(2f)))).isNotNull();
  }

  @Test
  void integersAndTruthValuesHaveNoTolerance() {
    assertThat(LOOSE.difference(i64(100, -1), i64(100, -1))).isNull();
    assertThat(LOOSE.difference(i64(100), i64(101)))
        .isEqualTo("[0]: expected 100, got 101, error 1, 1 of 1 differ");
    assertThat(LOOSE.difference(bool(true, false), bool(true, true)))
        .isEqualTo("[1]: expected false, got true, error 1, 1 of 2 differ");
    // Not told apart as doubles.
    assertThat(LOOSE.difference(i64(1L << 60), i64((1L << 60) + 1))).isNotNull();
  }

  @Test
  void namesTheFirstElementThatDiffers() {
    Shape shape = Shape.of(2, 3);
    assertThat(LOOSE.difference(f64(shape, 0, 1, 2, 3, 4, 5), f64(shape, 0, 1, 2, 3, 4.5, 7)))
        .isEqualTo("[1, 1]: expected 4.0, got 4.5, error 0.500, 2 of 6 differ");
  }

  @Test
  void shapesAndDtypesMustBeEqual() {
    assertThat(LOOSE.difference(f64(Shape.of(1), 1), f64(Shape.SCALAR, 1)))
        .isEqualTo(": expected float64 (1), got float64 ()");
    assertThat(LOOSE.difference(f64(Shape.of(1), 1), f32(1)))
        .isEqualTo(": expected float64 (1), got float32 (1)");
    assertThat(LOOSE.difference(f64(Shape.of(0, 2)), f64(Shape.of(2, 0)))).isNotNull();
    assertThat(LOOSE.difference(f64(Shape.of(0, 2)), f64(Shape.of(0, 2)))).isNull();
  }
}

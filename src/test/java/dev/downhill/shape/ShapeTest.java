package dev.downhill.shape;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class ShapeTest {
  @Test
  void numelIsTheProductOfTheSizes() {
    assertThat(Shape.of(3, 5, 7).numel()).isEqualTo(105);
    assertThat(Shape.of(1).numel()).isEqualTo(1);
    assertThat(Shape.of(3, 0, 7).numel()).isZero();
    assertThat(Shape.SCALAR.numel()).isEqualTo(1);
    assertThat(Shape.of()).isEqualTo(Shape.SCALAR);
    assertThat(Shape.SCALAR.rank()).isZero();
  }

  @Test
  void shapeDoesNotShareItsArrays() {
    long[] sizes = {2, 3};
    Shape shape = Shape.of(sizes);
    sizes[0] = 9;
    shape.toArray()[1] = 9;
    assertThat(shape.toArray()).containsExactly(2, 3);
    assertThat(shape.numel()).isEqualTo(6);
  }

  @Test
  void negativeSizeIsRefused() {
    assertThatThrownBy(() -> Shape.of(2, -1))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("(2, -1)");
  }

  @Test
  void tooManyElementsAreRefused() {
    assertThatThrownBy(() -> Shape.of(1L << 32, 1L << 31))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("(4294967296, 2147483648)");
    assertThat(Shape.of(1L << 32, 1L << 30).numel()).isEqualTo(1L << 62);
    assertThat(Shape.of(1L << 32, 0, 1L << 32).numel()).isZero();
  }

  @Test
  void rankIsAtMostEight() {
    assertThat(Shape.of(1, 2, 1, 2, 1, 2, 1, 2).rank()).isEqualTo(Shape.MAX_RANK);
    assertThatThrownBy(() -> Shape.of(1, 2, 1, 2, 1, 2, 1, 2, 1))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("at most 8")
        .hasMessageContaining("got 9");
    assertThatThrownBy(() -> Shape.of(1, 2, 1, 2, 1, 2, 1, 2).insert(0, 1))
        .isInstanceOf(ShapeException.class);
  }

  @Test
  void dimCountsFromTheEnd() {
    Shape shape = Shape.of(2, 3, 5);
    assertThat(shape.dim("sum", -1)).isEqualTo(2);
    assertThat(shape.dim("sum", -3)).isEqualTo(0);
    assertThat(shape.dim("sum", 2)).isEqualTo(2);
    assertThatThrownBy(() -> shape.dim("sum", 3))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("sum: ")
        .hasMessageContaining("expected -3 to 2, got 3")
        .hasMessageContaining("(2, 3, 5)");
    assertThatThrownBy(() -> shape.dim("sum", -4)).isInstanceOf(ShapeException.class);
  }

  @Test
  void scalarAcceptsTheDimensionsThatPyTorchAccepts() {
    assertThat(Shape.SCALAR.dim("sum", 0)).isZero();
    assertThat(Shape.SCALAR.dim("sum", -1)).isZero();
    assertThatThrownBy(() -> Shape.SCALAR.dim("sum", 1)).isInstanceOf(ShapeException.class);
    assertThatThrownBy(() -> Shape.SCALAR.dim("sum", -2)).isInstanceOf(ShapeException.class);
  }

  @Test
  void dimensionsAreReplacedInsertedAndRemoved() {
    Shape shape = Shape.of(2, 3, 5);
    assertThat(shape.with(1, 7)).isEqualTo(Shape.of(2, 7, 5));
    assertThat(shape.insert(0, 7)).isEqualTo(Shape.of(7, 2, 3, 5));
    assertThat(shape.insert(3, 7)).isEqualTo(Shape.of(2, 3, 5, 7));
    assertThat(shape.remove(1)).isEqualTo(Shape.of(2, 5));
    assertThat(Shape.of(4).remove(0)).isSameAs(Shape.SCALAR);
    assertThat(shape.slice(1, 3)).isEqualTo(Shape.of(3, 5));
    assertThat(shape.slice(1, 1)).isEqualTo(Shape.SCALAR);
    assertThat(shape.append(Shape.of(7))).isEqualTo(Shape.of(2, 3, 5, 7));
    assertThat(shape).isEqualTo(Shape.of(2, 3, 5));
  }

  @Test
  void equalityAndText() {
    assertThat(Shape.of(2, 3)).isEqualTo(Shape.of(2, 3)).hasSameHashCodeAs(Shape.of(2, 3));
    assertThat(Shape.of(2, 3)).isNotEqualTo(Shape.of(3, 2)).isNotEqualTo(Shape.of(2, 3, 1));
    assertThat(Shape.of(2, 3)).hasToString("(2, 3)");
    assertThat(Shape.SCALAR).hasToString("()");
    assertThat(Shape.of(0)).hasToString("(0)");
  }

  @Test
  void dtypesHaveTheirNamesAndSizes() {
    assertThat(DType.values())
        .extracting(DType::toString)
        .containsExactly("float64", "float32", "bfloat16", "int64", "int32", "uint8", "bool");
    assertThat(DType.values())
        .extracting(DType::suffix)
        .containsExactly("f64", "f32", "bf16", "i64", "i32", "u8", "bool");
    assertThat(DType.values()).extracting(DType::bytes).containsExactly(8, 4, 2, 8, 4, 1, 1);
    assertThat(DType.values())
        .extracting(DType::isFloating)
        .containsExactly(true, true, true, false, false, false, false);
  }
}

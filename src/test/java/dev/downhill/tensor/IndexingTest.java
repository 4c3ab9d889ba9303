package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class IndexingTest {
  private static final Device DEVICE = Device.cpu();

  private static Tensor range(long n, long... sizes) {
    return Tensor.arange(DEVICE, DType.F64, n).reshape(sizes);
  }

  private static Tensor longs(long... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  @Test
  void repeatedIndicesAddUp() {
    assertThat(Slope.of(x -> x.indexSelect(0, longs(2, 0, 2, 2)), 1, 1, 1))
        .containsExactly(1, 0, 3);
    Tensor zeros = Tensor.zeros(DEVICE, DType.F64, 3);
    assertThat(zeros.scatterAdd(0, longs(1, 1), range(2, 2).add(1)).toDoubles())
        .containsExactly(0, 3, 0);
    assertThat(zeros.toDoubles()).containsOnly(0.0);
  }

  @Test
  void embeddingKeepsTheIndexShape() {
    Tensor weight = range(6, 3, 2);
    assertThat(Indexing.embedding(longs(2, 0), weight).toDoubles()).containsExactly(4, 5, 0, 1);
    Tensor none = Tensor.zeros(DEVICE, DType.I64, 0, 4);
    assertThat(Indexing.embedding(none, weight).shape()).isEqualTo(Shape.of(0, 4, 2));
    Tensor one = Tensor.zeros(DEVICE, DType.I64);
    assertThat(Indexing.embedding(one, weight).shape()).isEqualTo(Shape.of(2));
  }

  @Test
  void paddingIsLookedUpButGetsNoGradient() {
    for (long padding : new long[] {1, -2}) {
      Tensor weight = range(6, 3, 2).requireGrad();
      Tensor y = Indexing.embedding(longs(1, 2, 1, 2), weight, padding);
      assertThat(y.select(0, 0).toDoubles()).containsExactly(2, 3);
      y.sum().backward();
      assertThat(Objects.requireNonNull(weight.grad()).toDoubles())
          .containsExactly(0, 0, 0, 0, 2, 2);
    }
  }

  @Test
  void sourceMayBeLargerThanTheIndex() {
    Tensor source = range(6, 2, 3).requireGrad();
    Tensor index = Tensor.zeros(DEVICE, DType.I64, 1, 2);
    Tensor y = Tensor.zeros(DEVICE, DType.F64, 1, 3).scatterAdd(0, index, source);
    assertThat(y.toDoubles()).containsExactly(0, 1, 0);
    y.sum().backward();
    assertThat(Objects.requireNonNull(source.grad()).toDoubles()).containsExactly(1, 1, 0, 0, 0, 0);
  }

  @Test
  void oneHotOfIndices() {
    Tensor y = Indexing.oneHot(longs(2, 0), 3);
    assertThat(y.dtype()).isEqualTo(DType.I64);
    assertThat(y.toLongs()).containsExactly(0, 0, 1, 1, 0, 0);
    assertThat(Indexing.oneHot(longs(2, 0), -1).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(Indexing.oneHot(longs(), 3).shape()).isEqualTo(Shape.of(0, 3));
    assertThatThrownBy(() -> Indexing.oneHot(longs(), -1))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("oneHot: expected 1 or more classes");
    assertThatThrownBy(() -> Indexing.oneHot(longs(3), 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3");
  }

  @Test
  void indicesOutOfRangeAreErrors() {
    Tensor x = range(3, 3);
    assertThatThrownBy(() -> x.indexSelect(0, longs(3)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> x.gather(0, longs(-1))).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Indexing.embedding(longs(5), range(6, 3, 2)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shapesAndDtypesAreChecked() {
    Tensor x = range(6, 2, 3);
    assertThatThrownBy(() -> x.gather(0, Tensor.zeros(DEVICE, DType.I64, 2, 4)))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("gather: expected an index of the tensor's rank, no larger than it")
        .hasMessageContaining("(2, 3) and (2, 4)");
    assertThatThrownBy(() -> x.indexSelect(0, longs(0, 1).to(DType.I32)))
        .hasMessageStartingWith("indexSelect: expected int64 for argument 2, got int32");
    assertThatThrownBy(() -> x.indexSelect(0, Tensor.zeros(DEVICE, DType.I64, 1, 1)))
        .hasMessageStartingWith("indexSelect: expected an index with one dimension");
    assertThatThrownBy(() -> x.scatterAdd(0, Tensor.zeros(DEVICE, DType.I64, 2, 3), range(3, 1, 3)))
        .hasMessageStartingWith("scatterAdd: expected an index")
        .hasMessageContaining("(2, 3) and (2, 3) and (1, 3)");
    assertThatThrownBy(
            () ->
                x.scatterAdd(
                    0,
                    Tensor.zeros(DEVICE, DType.I64, 1, 3),
                    Tensor.zeros(DEVICE, DType.F32, 1, 3)))
        .hasMessageStartingWith("scatterAdd: dtypes differ, expected float64, got float32");
    assertThatThrownBy(() -> Indexing.embedding(longs(0), range(3, 3)))
        .hasMessageStartingWith("embedding: expected a weight with two dimensions");
    assertThatThrownBy(() -> Indexing.embedding(longs(0), x, 2))
        .hasMessageStartingWith("embedding: paddingIdx out of range, expected -2 to 1, got 2");
  }

  @Test
  void flattenMergesDimensions() {
    Tensor x = range(24, 2, 3, 4);
    assertThat(x.flatten().shape()).isEqualTo(Shape.of(24));
    assertThat(x.flatten(1, -1).shape()).isEqualTo(Shape.of(2, 12));
    assertThat(x.flatten(0, 1).shape()).isEqualTo(Shape.of(6, 4));
    assertThat(x.transpose(0, 1).flatten(0, 1).select(0, 1).toDoubles())
        .isEqualTo(x.select(0, 1).select(0, 0).toDoubles());
    assertThat(Tensor.zeros(DEVICE, DType.F32).flatten().shape()).isEqualTo(Shape.of(1));
    assertThat(Tensor.zeros(DEVICE, DType.F32, 0, 3, 2).flatten(1, 2).shape())
        .isEqualTo(Shape.of(0, 6));
    assertThatThrownBy(() -> x.flatten(2, 1))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("flatten: expected a first dimension not after the last");
  }
}

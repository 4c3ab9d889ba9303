package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gather and scatterAdd element by element as their formulas say, and indices out of range. */
final class CpuIndexingTest {
  private final CpuIndexing indexing = new CpuIndexing(new Workers(1));
  private final SplittableRandom random = new SplittableRandom(5);

  private View random(DType dtype, long... sizes) {
    View view = Elements.zeros(dtype, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(
        values, i -> dtype.isFloating() ? random.nextGaussian() : random.nextInt(256) - 100);
    return Elements.set(view, values);
  }

  private View index(long bound, long... sizes) {
    View view = Elements.zeros(DType.I64, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(values, i -> random.nextLong(bound));
    return Elements.set(view, values);
  }

  /** Where p with p[dim] replaced by the index lies in row-major order of {@code target}. */
  private static int place(Shape shape, long p, int dim, double index, Shape target) {
    long place = 0;
    long step = 1;
    for (int d = shape.rank() - 1; d >= 0; d--) {
      place += (d == dim ? (long) index : p % shape.size(d)) * step;
      step *= target.size(d);
      p /= shape.size(d);
    }
    return (int) place;
  }

  private void assertGathered(View x, int dim, View index) {
    View y = Elements.zeros(x.dtype(), index.shape().toArray());
    indexing.gather(x, dim, index, y);
    double[] values = Elements.get(x);
    double[] indices = Elements.get(index);
    double[] expected = new double[indices.length];
    Arrays.setAll(expected, p -> values[place(index.shape(), p, dim, indices[p], x.shape())]);
    assertThat(Elements.get(y)).isEqualTo(expected);
  }

  private void assertScattered(CpuIndexing indexing, View x, int dim, View index, View y) {
    double[] expected = Elements.get(y);
    double[] values = Elements.get(x);
    double[] indices = Elements.get(index);
    for (int p = 0; p < values.length; p++) {
      int at = place(x.shape(), p, dim, indices[p], y.shape());
      expected[at] =
          switch (y.dtype()) {
            case F32 -> (float) (expected[at] + values[p]);
            case U8 -> (int) (expected[at] + values[p]) & 0xff;
            default -> expected[at] + values[p];
          };
    }
    indexing.scatterAdd(x, dim, index, y);
    assertThat(Elements.get(y)).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource
  void gather_everyTypeAndDimension(DType dtype) {
    View x = random(dtype, 5, 6, 7);
    for (int dim = 0; dim < 3; dim++) {
      assertGathered(x, dim, index(x.shape().size(dim), 5, 6, 7));
      // A smaller index, along which x is cut off.
      assertGathered(x, dim, index(x.shape().size(dim), 3, 2, 4));
      assertGathered(x, dim, index(x.shape().size(dim), x.shape().with(dim, 11).toArray()));
      View turned = random(dtype, 7, 5, 6);
      View view = turned.with(turned.layout().permute(1, 2, 0));
      assertGathered(view, dim, index(view.shape().size(dim), 5, 6, 7));
    }
  }

  @ParameterizedTest
  @EnumSource
  void gather_rows(DType dtype) {
    View x = random(dtype, 9, 4, 50);
    for (int dim = 0; dim < 3; dim++) {
      Shape shape = x.shape().with(dim, 13);
      View column = index(x.shape().size(dim), Shape.of(1, 1, 1).with(dim, 13).toArray());
      View index = column.with(column.layout().expand(shape));
      assertGathered(x, dim, index);
      View wide = random(dtype, 9, 4, 100);
      assertGathered(wide.with(wide.layout().slice(2, 1, 50, 2)), dim, index);
    }
  }

  @Test
  void gather_ofLargeTables_andNone() {
    View index = index(3000, 5000, 1);
    assertGathered(
        random(DType.F32, 3000, 64), 0, index.with(index.layout().expand(Shape.of(5000, 64))));
    assertGathered(random(DType.F32, 40_000, 5), 1, index(5, 40_000, 1));
    assertGathered(random(DType.F32), 0, index(1));
    assertGathered(random(DType.F32, 4, 3), 0, index(4, 0, 3));
    assertGathered(random(DType.F32, 0, 3), 0, Elements.zeros(DType.I64, 0, 3));
  }

  @ParameterizedTest
  @EnumSource
  void gather_rowsOfAnyLength(DType dtype) {
    for (long length : new long[] {1, 3, 4, 15, 16, 17, 31, 63, 64, 65, 200}) {
      View column = index(9, 150, 1);
      View x = random(dtype, 9, length);
      assertGathered(x, 0, column.with(column.layout().expand(Shape.of(150, length))));
      View wide = random(dtype, 9, length + 3);
      View inside = wide.with(wide.layout().slice(1, 2, length, 1));
      assertGathered(inside, 0, column.with(column.layout().expand(Shape.of(150, length))));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32"})
  void scatterAdd_rowsOfAnyLength_manyToOnePlace(DType dtype) {
    for (long length : new long[] {1, 3, 4, 15, 16, 17, 31, 63, 64, 65, 200}) {
      View column = index(2, 150, 1);
      View index = column.with(column.layout().expand(Shape.of(150, length)));
      View wide = random(dtype, 2, length + 3);
      View y = wide.with(wide.layout().slice(1, 2, length, 1));
      double[] before = Elements.get(wide);
      assertScattered(indexing, random(dtype, 150, length), 0, index, y);
      int last = (int) length + 2;
      assertThat(Elements.get(wide)[last]).isEqualTo(before[last]);
      assertThat(Elements.get(wide)[last + 1]).isEqualTo(before[last + 1]);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "I64", "I32", "U8"})
  void scatterAdd_everyTypeAndDimension(DType dtype) {
    for (int dim = 0; dim < 3; dim++) {
      View x = random(dtype, 5, 6, 40);
      View y = random(dtype, x.shape().with(dim, 3).toArray());
      assertScattered(indexing, x, dim, index(3, 5, 6, 40), y);
      View column = index(3, Shape.of(1, 1, 1).with(dim, x.shape().size(dim)).toArray());
      View index = column.with(column.layout().expand(x.shape()));
      assertScattered(indexing, x, dim, index, y);
      View turned = random(dtype, 40, 5, 6);
      assertScattered(
          indexing, turned.with(turned.layout().permute(1, 2, 0)), dim, index(3, 5, 6, 40), y);
      View wide = random(dtype, y.shape().with(2, 2 * y.shape().size(2)).toArray());
      View everySecond = wide.with(wide.layout().slice(2, 0, y.shape().size(2), 2));
      assertScattered(indexing, x, dim, index, everySecond);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void scatterAdd_keepsTheOrder_forAnyNumberOfThreads(int threads) {
    try (Workers workers = new Workers(threads)) {
      CpuIndexing parallel = new CpuIndexing(workers);
      View column = index(7, 2000, 1);
      View index = column.with(column.layout().expand(Shape.of(2000, 67)));
      View x = random(DType.F32, 2000, 67);
      assertScattered(parallel, x, 0, index, random(DType.F32, 7, 67));
      assertScattered(parallel, x, 1, index(7, 2000, 67), random(DType.F32, 2000, 7));
      assertScattered(
          parallel, random(DType.F32, 90_000), 0, index(3, 90_000), random(DType.F32, 3));
    }
  }

  @Test
  void scatterAdd_ofNothing() {
    View y = random(DType.F32, 3, 4);
    assertScattered(
        indexing, Elements.zeros(DType.F32, 0, 4), 0, Elements.zeros(DType.I64, 0, 4), y);
    assertScattered(indexing, random(DType.F32), 0, index(1), random(DType.F32));
  }

  @ParameterizedTest
  @CsvSource({"5", "7", "-1", "9223372036854775807", "-9223372036854775808"})
  void indexOutOfRange_isNamed_andNothingIsWritten(long bad) {
    View x = random(DType.F32, 5, 3);
    View index = index(5, 2, 3);
    Scalars.storeI64(bad, CpuBuffer.segment(index), 4 * 8);
    Scalars.storeI64(bad, CpuBuffer.segment(index), 5 * 8);
    View y = random(DType.F32, 2, 3);
    double[] before = Elements.get(y);
    assertThatThrownBy(() -> indexing.gather(x, 0, index, y))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "gather: index %d at position [1, 1] out of range, expected 0 to 4".formatted(bad)
                + " (input (5, 3), dimension 0, index (2, 3))");
    assertThat(Elements.get(y)).isEqualTo(before);
    double[] target = Elements.get(x);
    assertThatThrownBy(() -> indexing.scatterAdd(y, 0, index, x))
        .isExactlyInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("scatterAdd: index %d at position [1, 1] out".formatted(bad));
    assertThat(Elements.get(x)).isEqualTo(target);
  }

  @Test
  void indexOutOfRange_inARepeatedIndex_isNamedAtItsFirstPlace() {
    try (Workers workers = new Workers(2)) {
      View column = Elements.zeros(DType.I64, 1, 70_000, 1);
      Scalars.storeI64(9, CpuBuffer.segment(column), 69_999 * 8);
      Scalars.storeI64(8, CpuBuffer.segment(column), 40_000 * 8);
      Shape shape = Shape.of(2, 70_000, 4);
      View x = Elements.zeros(DType.F32, 2, 8, 4);
      View y = Elements.zeros(DType.F32, shape.toArray());
      View index = column.with(column.layout().expand(shape));
      assertThatThrownBy(() -> new CpuIndexing(workers).gather(x, 1, index, y))
          .hasMessageContaining("index 8 at position [0, 40000, 0] out of range, expected 0 to 7");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 16_383, 16_384, 40_000, 89_999})
  void indexOutOfRange_inALongLine_isTheFirst(int at) {
    View index = Elements.zeros(DType.I64, 90_000);
    Scalars.storeI64(-3, CpuBuffer.segment(index), at * 8L);
    Scalars.storeI64(5, CpuBuffer.segment(index), 89_999 * 8L);
    View y = Elements.zeros(DType.F32, 90_000);
    View x = Elements.zeros(DType.F32, 5);
    try (Workers workers = new Workers(3)) {
      assertThatThrownBy(() -> new CpuIndexing(workers).gather(x, 0, index, y))
          .hasMessageContaining(
              "index %d at position [%d] out of range".formatted(at == 89_999 ? 5 : -3, at));
    }
  }

  @Test
  void indexOutOfRange_inAView_isNamedByItsPositionInTheView() {
    View all = Elements.zeros(DType.I64, 6, 10);
    View index = all.with(all.layout().slice(0, 1, 5, 1).slice(1, 3, 4, 2).transpose(0, 1));
    Scalars.storeI64(7, CpuBuffer.segment(all), (3 * 10 + 5) * 8);
    Scalars.storeI64(8, CpuBuffer.segment(all), 4 * 8); // not in the view
    View x = random(DType.F32, 7, 5);
    View y = Elements.zeros(DType.F32, 4, 5);
    assertThatThrownBy(() -> indexing.gather(x, 0, index, y))
        .hasMessageContaining("index 7 at position [1, 2] out of range, expected 0 to 6");
    Scalars.storeI64(6, CpuBuffer.segment(all), (3 * 10 + 5) * 8);
    assertGathered(x, 0, index);
  }

  @Test
  void anyIndex_isOutOfRange_whereThereIsNothing() {
    View index = Elements.zeros(DType.I64, 2, 3);
    View x = Elements.zeros(DType.F32, 0, 3);
    assertThatThrownBy(() -> indexing.gather(x, 0, index, random(DType.F32, 2, 3)))
        .hasMessageContaining("index 0 at position [0, 0] out of range, expected 0 to -1");
  }

  @Test
  void index_mayHaveStrides() {
    View all = index(5, 3, 8);
    View index = all.with(Layout.of(Shape.of(4, 3), new long[] {2, 8}, 1));
    assertGathered(random(DType.F32, 5, 3), 0, index);
  }
}

package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchIllegalArgumentException;

import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Gather and scatterAdd give the bits of the CPU backend, and its words for an index out of range.
 */
@Tag("cuda")
final class CudaIndexingTest {
  private static final Twins TWINS = new Twins();

  private void assertGathers(Twin x, int dim, Twin index) {
    Twin y = TWINS.random(x.cpu().dtype(), index.layout().shape().toArray());
    TWINS.both((b, cuda) -> b.gather(on(x, cuda), dim, on(index, cuda), on(y, cuda)));
    TWINS.assertSameBits(y, "gather of %s in %d by %s".formatted(x.layout(), dim, index.layout()));
  }

  private void assertScatters(Twin x, int dim, Twin index, Twin y) {
    TWINS.both((b, cuda) -> b.scatterAdd(on(x, cuda), dim, on(index, cuda), on(y, cuda)));
    TWINS.assertSameBits(y, "scatterAdd of %s in %d to %s".formatted(x.layout(), dim, y.layout()));
  }

  private static View on(Twin twin, boolean cuda) {
    return cuda ? twin.cuda() : twin.cpu();
  }

  private static Twin column(long bound, long n, Shape shape, int dim) {
    Twin column = TWINS.index(bound, Shape.of(1, 1, 1).with(dim, n).toArray());
    return column.with(column.layout().expand(shape.with(dim, n)));
  }

  @ParameterizedTest
  @EnumSource
  void gather_everyTypeAndDimension(DType dtype) {
    Twin x = TWINS.random(dtype, 5, 6, 7);
    Twin turned = TWINS.random(dtype, 7, 5, 6);
    Twin view = turned.with(turned.layout().permute(1, 2, 0));
    for (int dim = 0; dim < 3; dim++) {
      Shape shape = x.layout().shape();
      assertGathers(x, dim, TWINS.index(shape.size(dim), 5, 6, 7));
      assertGathers(x, dim, TWINS.index(shape.size(dim), 3, 2, 4));
      assertGathers(x, dim, TWINS.index(shape.size(dim), shape.with(dim, 11).toArray()));
      assertGathers(view, dim, TWINS.index(shape.size(dim), 5, 6, 7));
    }
  }

  @ParameterizedTest
  @EnumSource
  void gather_rows_alignedAndNot(DType dtype) {
    for (long run : new long[] {48, 50}) {
      Twin x = TWINS.random(dtype, 9, 4, run);
      Twin wide = TWINS.random(dtype, 9, 4, 2 * run);
      for (int dim = 0; dim < 3; dim++) {
        Shape shape = Shape.of(9, 4, run);
        Twin index = column(shape.size(dim), 13, shape, dim);
        assertGathers(x, dim, index);
        assertGathers(wide.with(wide.layout().slice(2, 1, run, 2)), dim, index);
        assertGathers(wide.with(wide.layout().slice(2, 1, run, 1)), dim, index);
      }
    }
  }

  @Test
  void gather_ofLargeTables_andSmallest() {
    Twin rows = TWINS.index(3000, 700, 1);
    assertGathers(
        TWINS.random(DType.F32, 3000, 64), 0, rows.with(rows.layout().expand(Shape.of(700, 64))));
    assertGathers(TWINS.random(DType.F32, 20_000, 5), 1, TWINS.index(5, 20_000, 1));
    assertGathers(TWINS.random(DType.F32), 0, TWINS.index(1));
    assertGathers(TWINS.random(DType.F32, 4, 3), 0, TWINS.index(4, 0, 3));
  }

  @Test
  void index_mayHaveStrides() {
    Twin all = TWINS.index(5, 3, 8);
    Twin index = all.with(Layout.of(Shape.of(4, 3), new long[] {2, 8}, 1));
    assertGathers(TWINS.random(DType.F32, 5, 3), 0, index);
    assertScatters(TWINS.random(DType.F32, 4, 3), 0, index, TWINS.random(DType.F32, 5, 3));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "BOOL")
  void scatterAdd_everyTypeAndDimension(DType dtype) {
    for (int dim = 0; dim < 3; dim++) {
      Twin x = TWINS.random(dtype, 5, 6, 40);
      Shape shape = x.layout().shape();
      Twin y = TWINS.random(dtype, shape.with(dim, 3).toArray());
      assertScatters(x, dim, TWINS.index(3, 5, 6, 40), y);
      assertScatters(x, dim, column(3, shape.size(dim), shape, dim), y);
      Twin turned = TWINS.random(dtype, 40, 5, 6);
      Twin view = turned.with(turned.layout().permute(1, 2, 0));
      assertScatters(view, dim, TWINS.index(3, 5, 6, 40), y);
      Twin wide = TWINS.random(dtype, y.layout().shape().with(2, 100).toArray());
      Layout second = wide.layout().slice(2, 1, y.layout().shape().size(2), 2);
      assertScatters(x, dim, TWINS.index(3, 5, 6, 40), wide.with(second));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "1, 3, 2",
    "1, 1024, 7",
    "3, 500, 9",
    "1, 1025, 1",
    "2, 3000, 5",
    "1, 9001, 4000",
    "1500, 2, 3",
    "700, 1, 9"
  })
  void scatterAdd_keepsTheOrder_ofListsOfAnyLength(int lists, int length, int bound) {
    assertScatters(
        TWINS.random(DType.F32, lists, length),
        1,
        TWINS.index(bound, lists, length),
        TWINS.random(DType.F32, lists, bound));
    assertScatters(
        TWINS.random(DType.BF16, length, lists),
        0,
        TWINS.index(bound, length, lists),
        TWINS.random(DType.BF16, bound, lists));
  }

  @Test
  void scatterAdd_ofEmbeddingRows_manyOfOneWord() {
    double[] words = new double[2500];
    for (int i = 0; i < words.length; i++) {
      words[i] = i % 3 == 0 ? 7 : i * 31 % 5000;
    }
    Twin column = TWINS.of(DType.I64, Shape.of(2500, 1), words);
    Twin index = column.with(column.layout().expand(Shape.of(2500, 20)));
    assertScatters(TWINS.random(DType.F32, 2500, 20), 0, index, TWINS.random(DType.F32, 5000, 20));
  }

  @Test
  void scatterAdd_ofNothing_andOfOne() {
    assertScatters(
        TWINS.random(DType.F32, 0, 4), 0, TWINS.index(1, 0, 4), TWINS.random(DType.F32, 3, 4));
    assertScatters(TWINS.random(DType.F32), 0, TWINS.index(1), TWINS.random(DType.F32));
  }

  @ParameterizedTest
  @CsvSource({"5", "-1", "9007199254740992", "-9007199254740992"})
  void indexOutOfRange_isSaidAsTheCpuSaysIt_andNothingIsWrittenThroughIt(double bad) {
    Twin x = TWINS.random(DType.F32, 5, 3);
    Twin index = TWINS.of(DType.I64, Shape.of(2, 3), 0, 4, 2, 1, bad, 3);
    Twin y = TWINS.random(DType.F32, 2, 3);
    double[] before = TWINS.values(y, true);
    String said =
        catchIllegalArgumentException(() -> TWINS.cpu.gather(x.cpu(), 0, index.cpu(), y.cpu()))
            .getMessage();
    TWINS.cuda.gather(x.cuda(), 0, index.cuda(), y.cuda());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TWINS.cuda.synchronize().await())
        .withMessage(said);
    assertThat(TWINS.values(y, true)[4]).isEqualTo(before[4]);

    double[] target = TWINS.values(x, true);
    double[] added = TWINS.values(y, true);
    TWINS.cuda.scatterAdd(y.cuda(), 0, index.cuda(), x.cuda());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TWINS.cuda.synchronize().await())
        .withMessage(said.replace("gather", "scatterAdd"));
    target[0] = (float) (target[0] + added[0]);
    target[13] = (float) (target[13] + added[1]);
    target[8] = (float) (target[8] + added[2]);
    target[3] = (float) (target[3] + added[3]);
    target[11] = (float) (target[11] + added[5]);
    assertThat(TWINS.values(x, true)).isEqualTo(target);
    TWINS.cuda.synchronize().await();
  }

  @Test
  void indicesOutOfRange_inTwoCalls_theFirstIsNamed() {
    Twin x = TWINS.random(DType.F32, 5, 1);
    Twin y = TWINS.random(DType.F32, 2, 1);
    for (double bad : new double[] {7, 8}) {
      Twin index = TWINS.of(DType.I64, Shape.of(2, 1), 0, bad);
      TWINS.cuda.gather(x.cuda(), 0, index.cuda(), y.cuda());
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TWINS.cuda.synchronize().await())
        .withMessageContaining("index 7 at position [1, 0]");
    TWINS.cuda.synchronize().await();
  }

  @Test
  void indexOutOfRange_inARepeatedIndex_isNamedAtItsFirstPlace() {
    double[] values = new double[3000];
    values[1700] = 9;
    Twin column = TWINS.of(DType.I64, Shape.of(1, 3000, 1), values);
    Twin index = column.with(column.layout().expand(Shape.of(2, 3000, 4)));
    Twin x = TWINS.random(DType.F32, 2, 8, 4);
    Twin y = TWINS.random(DType.F32, 2, 3000, 4);
    String problem = "index 9 at position [0, 1700, 0] out of range, expected 0 to 7";
    TWINS.cuda.gather(x.cuda(), 1, index.cuda(), y.cuda());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TWINS.cuda.synchronize().await())
        .withMessageContaining(problem);
    TWINS.cuda.scatterAdd(y.cuda(), 1, index.cuda(), x.cuda());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TWINS.cuda.synchronize().await())
        .withMessageContaining(problem);
  }

  @Test
  void aCallTakesNoHeap() {
    Twin x = TWINS.random(DType.F32, 50, 8);
    Twin column = TWINS.index(50, 6, 1);
    Twin index = column.with(column.layout().expand(Shape.of(6, 8)));
    Twin y = TWINS.random(DType.F32, 6, 8);
    assertThat(Twins.heapOf(() -> TWINS.cuda.gather(x.cuda(), 0, index.cuda(), y.cuda())))
        .isLessThan(8);
    assertThat(Twins.heapOf(() -> TWINS.cuda.scatterAdd(y.cuda(), 0, index.cuda(), x.cuda())))
        .isLessThan(8);
  }
}

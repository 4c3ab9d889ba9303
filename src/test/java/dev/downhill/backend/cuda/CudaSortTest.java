package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Sorting gives the bits of the CPU backend: values, places, order of equal elements. */
@Tag("cuda")
final class CudaSortTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final Twins TWINS = new Twins();

  private final SplittableRandom random = new SplittableRandom(5);

  private static View on(Twin twin, boolean cuda) {
    return cuda ? twin.cuda() : twin.cpu();
  }

  private void assertSorts(Twin x, int dim) {
    Shape shape = x.layout().shape();
    assertSorts(x, dim, Layout.contiguous(shape), Layout.contiguous(shape));
  }

  private void assertSorts(Twin x, int dim, Layout of, Layout at) {
    for (boolean descending : new boolean[] {false, true}) {
      Twin values = TWINS.random(x.cpu().dtype(), of.reach());
      Twin indices = TWINS.index(3, at.reach());
      TWINS.both(
          (b, cuda) ->
              b.sort(
                  on(x, cuda),
                  dim,
                  descending,
                  on(values, cuda).with(of),
                  on(indices, cuda).with(at)));
      String what = "%s in %d, descending %s".formatted(x.layout(), dim, descending);
      TWINS.assertSameBits(indices, "indices of " + what);
      TWINS.assertSameBits(values, "values of " + what);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyTypeAndDimension(DType dtype) {
    Twin x = TWINS.random(dtype, 5, 6, 7);
    Twin turned = TWINS.random(dtype, 7, 5, 6);
    Twin view = turned.with(turned.layout().permute(1, 2, 0));
    Twin wide = TWINS.random(dtype, 5, 6, 15);
    for (int dim = 0; dim < 3; dim++) {
      assertSorts(x, dim);
      assertSorts(view, dim);
      assertSorts(wide.with(wide.layout().slice(2, 1, 7, 2)), dim);
      Layout out = Layout.of(Shape.of(5, 6, 7), new long[] {1, 40, 5}, 3);
      assertSorts(x, dim, out, Layout.of(Shape.of(5, 6, 7), new long[] {100, 15, 2}, 1));
    }
  }

  /** Below a tile, many lines to one, exactly one, and several for a line that are merged. */
  @ParameterizedTest
  @CsvSource({
    "1, 1", "3000, 1", "700, 3", "5, 511", "3, 512", "3, 513", "3, 1023", "3, 1024", "3, 1025",
    "2, 2048", "2, 2049", "3, 3000", "1, 5000", "2, 9001"
  })
  void linesOfAllLengths(int lines, int n) {
    for (DType dtype : new DType[] {DType.F32, DType.F64, DType.I32}) {
      assertSorts(TWINS.random(dtype, lines, n), 1);
    }
    // Many equal elements, in lines across the memory.
    double[] few = new double[lines * n];
    Arrays.setAll(few, _ -> random.nextInt(3) - 1);
    assertSorts(TWINS.of(DType.F32, Shape.of(n, lines), few), 0);
    assertSorts(TWINS.of(DType.U8, Shape.of(n, lines), few), 0);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16"})
  void specialNumbers(DType dtype) {
    double[] values = {0, NAN, -0.0, INF, -1, NAN, 0, -INF, 1e-40, -0.0, -1e-40, INF, 3e38, -3e38};
    assertSorts(TWINS.of(dtype, Shape.of(values.length), values), 0);
    double[] many = new double[2500];
    Arrays.setAll(many, _ -> values[random.nextInt(values.length)]);
    assertSorts(TWINS.of(dtype, Shape.of(2500), many), 0);
  }

  @Test
  void largestIntegers() {
    double[] values = {0, -1, Long.MAX_VALUE, Long.MIN_VALUE, 1, Long.MIN_VALUE, Long.MAX_VALUE};
    assertSorts(TWINS.of(DType.I64, Shape.of(7), values), 0);
    double[] ints = {0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 1, Integer.MIN_VALUE, 2};
    assertSorts(TWINS.of(DType.I32, Shape.of(7), ints), 0);
    assertSorts(TWINS.of(DType.U8, Shape.of(7), 0, 255, 128, 127, 1, 254, 128), 0);
  }

  @Test
  void repeatedElements_andNothing() {
    Twin row = TWINS.random(DType.F32, 1, 9);
    Layout repeated = row.layout().expand(Shape.of(4, 9));
    assertSorts(row.with(repeated), 0);
    assertSorts(row.with(repeated), 1);
    assertSorts(TWINS.random(DType.F32, 3, 0, 2), 0);
    assertSorts(TWINS.random(DType.F32, 3, 0, 2), 1);
  }

  @Test
  void noHeap() {
    Twin x = TWINS.random(DType.F32, 3, 2000);
    Twin values = TWINS.random(DType.F32, 3, 2000);
    Twin indices = TWINS.index(3, 3, 2000);
    assertThat(
            Twins.heapOf(() -> TWINS.cuda.sort(x.cuda(), 1, true, values.cuda(), indices.cuda())))
        .isZero();
  }
}

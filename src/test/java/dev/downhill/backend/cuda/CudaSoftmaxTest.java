package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Backend;
import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Softmax and cross-entropy against the CPU backend, on rows of all lengths and layouts. */
@Tag("cuda")
final class CudaSoftmaxTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final long IGNORE = -100;

  private static final Twins TWINS = new Twins();

  private final SplittableRandom random = new SplittableRandom(7);

  /** In registers of one lane to a warp, in shared memory, and too long for both. */
  private static final int[] LENGTHS = {
    1, 2, 3, 4, 5, 8, 10, 31, 33, 100, 129, 500, 513, 1000, 1024, 1025, 2051, 6100, 12_500, 24_500
  };

  private static Stream<Arguments> rows() {
    return Arrays.stream(LENGTHS)
        .boxed()
        .flatMap(
            n -> Stream.of(DType.F32, DType.F64, DType.BF16).map(dtype -> Arguments.of(dtype, n)));
  }

  /** Rows side by side, unaligned, with gaps that keep them aligned, apart, repeated. */
  private static List<Layout> layouts(int n) {
    int rows = n > 1000 ? 2 : 5;
    return List.of(
        Layout.contiguous(Shape.of(rows, n)),
        Layout.of(Shape.of(rows, n), new long[] {n, 1}, 1),
        Layout.of(Shape.of(rows, n), new long[] {n + 15 & -8, 1}, 8),
        Layout.of(Shape.of(rows, n), new long[] {1, rows}, 0),
        Layout.of(Shape.of(rows, n), new long[] {0, 1}, 0),
        Layout.of(Shape.of(2, 3, n), new long[] {n, 2L * n, 1}, 0));
  }

  private static Twin of(DType dtype, double... values) {
    return TWINS.of(dtype, Shape.of(values.length), values);
  }

  /** Memory for results that shows which elements were written. */
  private static Twin blank(DType dtype, long count) {
    double[] values = new double[(int) count];
    Arrays.fill(values, 99);
    return of(dtype, values);
  }

  private static Twin blank(DType dtype, Shape shape) {
    return blank(dtype, shape.numel()).with(Layout.contiguous(shape));
  }

  private static double[] values(Twin twin, boolean cuda) {
    return Floats.of(TWINS.bytes(twin, cuda), twin.cpu().dtype());
  }

  private static View on(Twin twin, boolean cuda) {
    return cuda ? twin.cuda() : twin.cpu();
  }

  private double[] normal(double scale, long count) {
    double[] values = new double[(int) count];
    Arrays.setAll(values, _ -> scale * random.nextGaussian());
    return values;
  }

  private Twin normal(DType dtype, double scale, Layout layout) {
    return of(dtype, normal(scale, layout.reach())).with(layout);
  }

  /** Results with a gap before them, and rows turned round in memory. */
  private static Twin out(DType dtype, Shape shape, boolean turned) {
    if (!turned) {
      return blank(dtype, shape);
    }
    long[] strides = new long[shape.rank()];
    long step = 1;
    for (int d = 0; d < strides.length; d++) {
      strides[d] = step;
      step *= shape.size(d);
    }
    return blank(dtype, shape.numel() + 3).with(Layout.of(shape, strides, 3));
  }

  /** The rounding of what is computed, and of bf16 results besides. */
  private static double tolerance(DType dtype, double scale, double value) {
    double eps = dtype == DType.F64 ? 0x1p-52 : 0x1p-23;
    double once = dtype == DType.BF16 ? 0x1p-7 : 0;
    return eps * (scale + 16 * Math.abs(value)) + once * Math.abs(value);
  }

  private static void assertClose(Twin y, DType dtype, double scale, Object what) {
    double[] cpu = values(y, false);
    double[] gpu = values(y, true);
    for (int i = 0; i < cpu.length; i++) {
      if (Double.isFinite(cpu[i])) {
        assertThat(gpu[i])
            .as("%s %s, element %d", dtype, what, i)
            .isCloseTo(cpu[i], within(tolerance(dtype, scale, cpu[i])));
      } else {
        assertThat(gpu[i])
            .as("%s %s, element %d", dtype, what, i)
            .isEqualTo(Double.valueOf(cpu[i]));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void softmaxAndItsLogarithm(DType dtype, int n) {
    for (Layout layout : layouts(n)) {
      for (boolean log : new boolean[] {false, true}) {
        Twin x = normal(dtype, 3, layout);
        Twin y = out(dtype, layout.shape(), log);
        TWINS.both((b, cuda) -> b.softmax(on(x, cuda), log, on(y, cuda)));
        assertClose(y, dtype, log ? 8 : 4.0 / n, layout);
        // The derivative reads any values: a layout of its own for each.
        Twin dy = normal(dtype, 1, layouts(n).get(layout.shape().rank() == 3 ? 5 : 2));
        Twin values = normal(dtype, 0.1, layout);
        Twin dx = out(dtype, layout.shape(), !log);
        TWINS.both(
            (b, cuda) -> b.softmaxBackward(on(values, cuda), on(dy, cuda), log, on(dx, cuda)));
        assertClose(dx, dtype, 16 + n / 8.0, layout);
      }
    }
  }

  private Twin targets(int n, Shape shape, boolean apart) {
    double[] values = new double[(int) shape.numel() * 2];
    Arrays.setAll(values, i -> i % 4 == 2 ? IGNORE : random.nextInt(n));
    long[] strides = new long[shape.rank()];
    long step = apart ? 2 : 1;
    for (int d = strides.length - 1; d >= 0; d--) {
      strides[d] = step;
      step *= shape.size(d);
    }
    return of(DType.I64, values).with(Layout.of(shape, strides, 0));
  }

  private static DType wide(DType dtype) {
    return dtype == DType.BF16 ? DType.F32 : dtype;
  }

  @ParameterizedTest
  @MethodSource("rows")
  void crossEntropyAndItsDerivative(DType dtype, int n) {
    for (Layout layout : layouts(n)) {
      Shape rows = layout.shape().remove(layout.shape().rank() - 1);
      boolean turned = layout.stride(0) % 2 == 1;
      Twin x = normal(dtype, 3, layout);
      Twin target = targets(n, rows, turned);
      Twin y = out(dtype, rows, turned);
      Twin z = out(wide(dtype), rows, turned);
      TWINS.both(
          (b, cuda) ->
              b.crossEntropy(on(x, cuda), on(target, cuda), IGNORE, on(y, cuda), on(z, cuda)));
      assertClose(y, dtype, 8, layout);
      assertClose(z, wide(dtype), 8, layout);
      Twin dy = normal(dtype, 1, y.cpu().layout());
      Twin dx = out(dtype, layout.shape(), turned);
      TWINS.both(
          (b, cuda) ->
              b.crossEntropyBackward(
                  on(x, cuda), on(target, cuda), IGNORE, on(z, cuda), on(dy, cuda), on(dx, cuda)));
      assertClose(dx, dtype, 16, layout);
    }
    TWINS.cuda.synchronize().await();
  }

  private static void crossEntropy(Backend b, boolean cuda, Twin x, Twin target, Twin y, Twin z) {
    b.crossEntropy(on(x, cuda), on(target, cuda), IGNORE, on(y, cuda), on(z, cuda));
  }

  /** Groups of every size and blocks; a row of its own, and rows beside it that are not touched. */
  @Test
  void rowsWithoutADistribution() {
    for (int n : new int[] {2, 40, 700, 3000}) {
      double[] values = normal(1, 6L * n);
      Arrays.fill(values, 0, n, -INF);
      values[n] = NAN;
      values[3 * n - 1] = INF;
      Arrays.fill(values, 3 * n, 4 * n, -INF);
      values[3 * n + n / 2] = NAN;
      Arrays.fill(values, 4 * n, 5 * n - 1, -INF);
      Layout layout = Layout.contiguous(Shape.of(6, n));
      for (DType dtype : new DType[] {DType.F32, DType.F64, DType.BF16}) {
        Twin x = of(dtype, values).with(layout);
        for (boolean log : new boolean[] {false, true}) {
          Twin y = blank(dtype, layout.shape());
          TWINS.both((b, cuda) -> b.softmax(on(x, cuda), log, on(y, cuda)));
          assertClose(y, dtype, 8, n);
        }
        for (double c : new double[] {0, n - 1}) {
          Twin target = of(DType.I64, c, c, c, c, c, c);
          Twin y = blank(dtype, 6);
          Twin z = blank(wide(dtype), 6);
          TWINS.both(
              (b, cuda) ->
                  b.crossEntropy(on(x, cuda), on(target, cuda), IGNORE, on(y, cuda), on(z, cuda)));
          assertClose(y, dtype, 8, n);
          assertClose(z, wide(dtype), 8, n);
        }
      }
    }
  }

  @Test
  void greatLogits() {
    Twin x = of(DType.F32, 3e38, 3e38, -3e38, -3e38, 1e6, 1e6 - 10, 7, 7);
    Layout layout = Layout.contiguous(Shape.of(4, 2));
    Twin y = blank(DType.F32, layout.shape());
    TWINS.cuda.softmax(x.with(layout).cuda(), false, y.cuda());
    assertThat(values(y, true)[0]).isEqualTo(0.5);
    assertThat(values(y, true)[2]).isEqualTo(0.5);
    Twin target = of(DType.I64, 0, 0, 0, 0);
    Twin loss = blank(DType.F32, 4);
    TWINS.cuda.crossEntropy(
        x.with(layout).cuda(), target.cuda(), IGNORE, loss.cuda(), blank(DType.F32, 4).cuda());
    assertThat(values(loss, true)[2]).isCloseTo(Math.log1p(Math.exp(-10)), within(1e-7));
  }

  @Test
  void classOutOfRange_isNamedAtTheNextWait() {
    for (int n : new int[] {4, 3000}) {
      Twin x = normal(DType.F32, 1, Layout.contiguous(Shape.of(3, n)));
      Twin y = blank(DType.F32, 3);
      Twin z = blank(DType.F32, 3);
      for (long bad : new long[] {n, -1}) {
        Twin target = of(DType.I64, 0, bad, IGNORE);
        String message =
            catchIllegalArgumentException(() -> crossEntropy(TWINS.cpu, false, x, target, y, z))
                .getMessage();
        crossEntropy(TWINS.cuda, true, x, target, y, z);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> TWINS.cuda.synchronize().await())
            .withMessage(message);
        assertThat(values(y, true)[1]).isNaN();
        assertThat(values(y, true)[2]).isZero();
        Twin dx = blank(DType.F32, x.cpu().shape());
        TWINS.cuda.crossEntropyBackward(
            x.cuda(), target.cuda(), IGNORE, z.cuda(), y.cuda(), dx.cuda());
        TWINS.cuda.synchronize().await();
      }
    }
  }

  @Test
  void nothing_andRank0() {
    Twin none = blank(DType.F32, Shape.of(0, 5));
    TWINS.cuda.softmax(none.cuda(), true, none.cuda());
    TWINS.cuda.softmaxBackward(none.cuda(), none.cuda(), true, none.cuda());
    Twin x = of(DType.F64, 5).with(Layout.contiguous(Shape.SCALAR));
    Twin y = blank(DType.F64, Shape.SCALAR);
    TWINS.cuda.softmax(x.cuda(), false, y.cuda());
    assertThat(values(y, true)).containsExactly(1);
    // No class at all: only ignored samples have a loss.
    Twin empty = blank(DType.F32, Shape.of(2, 0));
    Twin target = of(DType.I64, IGNORE, IGNORE);
    Twin loss = blank(DType.F32, 2);
    Twin z = blank(DType.F32, 2);
    TWINS.cuda.crossEntropy(empty.cuda(), target.cuda(), IGNORE, loss.cuda(), z.cuda());
    TWINS.cuda.crossEntropyBackward(
        empty.cuda(), target.cuda(), IGNORE, z.cuda(), loss.cuda(), empty.cuda());
    assertThat(values(loss, true)).containsExactly(0, 0);
    TWINS.cuda.synchronize().await();
  }

  @Test
  void noHeap() {
    Twin target = of(DType.I64, 0, 1, IGNORE);
    for (int n : new int[] {10, 2000}) {
      Twin x = blank(DType.F32, Shape.of(3, n));
      Twin y = blank(DType.F32, Shape.of(3, n));
      Twin dx = blank(DType.F32, Shape.of(3, n));
      Twin loss = blank(DType.F32, 3);
      Twin z = blank(DType.F32, 3);
      List<Runnable> calls =
          List.of(
              () -> TWINS.cuda.softmax(x.cuda(), true, y.cuda()),
              () -> TWINS.cuda.softmaxBackward(y.cuda(), x.cuda(), true, dx.cuda()),
              () -> TWINS.cuda.crossEntropy(x.cuda(), target.cuda(), IGNORE, loss.cuda(), z.cuda()),
              () ->
                  TWINS.cuda.crossEntropyBackward(
                      x.cuda(), target.cuda(), IGNORE, z.cuda(), loss.cuda(), dx.cuda()));
      for (Runnable call : calls) {
        assertThat(Twins.heapOf(call)).isZero();
      }
    }
  }
}

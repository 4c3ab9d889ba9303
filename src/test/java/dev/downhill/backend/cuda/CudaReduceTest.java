package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Reduce;
import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Reductions against the CPU backend. Sums and products are of numbers for which every order gives
 * the exact result, so that results have to be equal.
 */
@Tag("cuda")
final class CudaReduceTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  private static final Twins TWINS = new Twins();

  private final SplittableRandom random = new SplittableRandom(3);

  /** Rows one by one, by warps, by a block and split; columns likewise; anything else. */
  private static final List<Form> FORMS = new ArrayList<>();

  /** A layout and the dimensions over which it is reduced. */
  private record Form(Layout layout, int... dims) {
    Shape kept() {
      Shape kept = layout.shape();
      for (int d : dims) {
        kept = kept.with(d, 1);
      }
      return kept;
    }
  }

  private static Layout plain(long... sizes) {
    return Layout.contiguous(Shape.of(sizes));
  }

  private static Layout strided(long offset, long[] sizes, long... strides) {
    return Layout.of(Shape.of(sizes), strides, offset);
  }

  private static void form(Layout layout, int... dims) {
    FORMS.add(new Form(layout, dims));
  }

  static {
    form(plain());
    form(plain(1), 0);
    form(plain(5));
    form(plain(0, 3), 0);
    form(plain(3, 0), 1);
    form(plain(3, 0), 0);
    for (int n : new int[] {1, 2, 3, 4, 5, 31, 32, 33, 130, 1100, 2500, 9001}) {
      form(plain(3, n), 1);
      form(plain(n), 0);
      form(plain(n, 3), 0);
      form(plain(3, n), 0);
      // Not aligned; with gaps that keep it aligned; elements apart.
      form(strided(1, new long[] {3, n}, n, 1), 1);
      form(strided(16, new long[] {3, n}, n + 31 & -16, 1), 1);
      form(strided(2, new long[] {3, n}, 2L * n, 2), 1);
      form(strided(1, new long[] {n, 3}, 4, 1), 0);
      form(strided(0, new long[] {n, 3}, 16, 1), 0);
      form(strided(2, new long[] {n, 3}, 8, 2), 0);
    }
    form(plain(70, 3), 1);
    form(plain(300, 40), 0);
    form(plain(17, 520), 0);
    form(plain(400, 257), 0);
    // Batches of columns and of rows, and both.
    form(plain(5, 70, 9), 1);
    form(plain(3, 40, 64), 1);
    form(plain(2, 3, 4, 16), 0, 2, 3);
    form(plain(4, 3, 5, 7), 0, 2, 3);
    form(plain(2, 3, 40, 64), 0, 2, 3);
    form(plain(2, 3, 41, 63), 0, 2, 3);
    form(plain(6, 5, 4), 0, 2);
    form(plain(6, 5, 4), 0, 1, 2);
    // Permuted, repeated, in steps.
    form(plain(6, 5, 40).permute(2, 0, 1), 1);
    form(plain(6, 5, 40).permute(1, 2, 0), 0, 2);
    form(plain(1, 37).expand(Shape.of(50, 37)), 0);
    form(plain(1, 37).expand(Shape.of(50, 37)), 1);
    form(plain(50, 1).expand(Shape.of(50, 37)), 1);
    form(plain(50, 1).expand(Shape.of(50, 37)), 0);
    form(plain(9, 50, 6).slice(1, 3, 40, 1).slice(0, 0, 4, 2), 0, 1);
    form(plain(9, 50, 6).slice(1, 3, 40, 1).slice(0, 0, 4, 2), 1, 2);
  }

  private double[] numbers(DType dtype, Reduce op, long count) {
    double[] values = new double[(int) count];
    Arrays.setAll(
        values,
        _ ->
            switch (op) {
              // A quarter and few of them: no more than 8 bits, even in bf16 sums of f32.
              case SUM -> dtype == DType.BOOL ? random.nextInt(2) : random.nextInt(3);
              case PROD ->
                  dtype.isFloating() ? random.nextInt(2) * 2 - 1 : 1 + random.nextInt(2) * 2;
              case MAX, MIN ->
                  dtype == DType.BOOL
                      ? random.nextInt(2)
                      : dtype == DType.U8 ? random.nextInt(256) : random.nextInt(400) - 200;
            });
    return values;
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

  private static double[] values(Twin twin, boolean cuda) {
    return Floats.of(TWINS.bytes(twin, cuda), twin.cpu().dtype());
  }

  private static View on(Twin twin, boolean cuda) {
    return cuda ? twin.cuda() : twin.cpu();
  }

  private static void reduce(Reduce op, Twin x, Twin y) {
    TWINS.both((b, cuda) -> b.reduce(op, on(x, cuda), on(y, cuda)));
  }

  private static void argReduce(Reduce op, Twin x, Twin y) {
    TWINS.both((b, cuda) -> b.argReduce(op, on(x, cuda), 1, on(y, cuda)));
  }

  private static DType result(DType dtype, Reduce op) {
    boolean widens = !dtype.isFloating() && (op == Reduce.SUM || op == Reduce.PROD);
    return widens ? DType.I64 : dtype;
  }

  /** A result of the shape, with gaps and its dimensions turned round in memory. */
  private static Layout turned(Shape shape) {
    long[] strides = new long[shape.rank()];
    long step = 2;
    for (int d = 0; d < strides.length; d++) {
      strides[d] = step;
      step *= Math.max(1, shape.size(d));
    }
    return Layout.of(shape, strides, 1);
  }

  @ParameterizedTest
  @EnumSource
  void equalsTheCpu(DType dtype) {
    for (Reduce op : Reduce.values()) {
      for (Form form : FORMS) {
        Shape kept = form.kept();
        boolean nothing = form.layout.shape().numel() == 0 && kept.numel() > 0;
        if (nothing && (op == Reduce.MAX || op == Reduce.MIN)) {
          continue;
        }
        Twin x = of(dtype, numbers(dtype, op, form.layout.reach())).with(form.layout);
        for (Layout out : new Layout[] {Layout.contiguous(kept), turned(kept)}) {
          Twin y = blank(result(dtype, op), 2 * kept.numel() + 1).with(out);
          reduce(op, x, y);
          TWINS.assertSameBits(
              y,
              "%s of %s %s over %s".formatted(op, dtype, form.layout, Arrays.toString(form.dims)));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16"})
  void sumsOfManyNumbersKeepTheirDigits(DType dtype) {
    double[] values = new double[50_000];
    Arrays.setAll(values, _ -> random.nextDouble());
    Twin x = of(dtype, values);
    double exact = Arrays.stream(values(x, false)).sum();
    double eps = dtype == DType.F64 ? 0x1p-52 : dtype == DType.F32 ? 0x1p-23 : 0x1p-8;
    for (Layout layout : new Layout[] {plain(50_000, 1), plain(1, 50_000)}) {
      Twin y = blank(dtype, 1).with(plain(1, 1));
      reduce(Reduce.SUM, x.with(layout), y);
      assertThat(values(y, true)[0]).isCloseTo(exact, within(4 * eps * exact));
    }
  }

  @Test
  void nanWins_andZerosHaveSigns() {
    Twin x = of(DType.F32, 0, -0.0, -0.0, 0, 1, NAN, NAN, 1, -INF, INF);
    for (Reduce op : new Reduce[] {Reduce.MAX, Reduce.MIN}) {
      Twin y = blank(DType.F32, 5).with(plain(5, 1));
      reduce(op, x.with(plain(5, 2)), y);
      assertThat(values(y, true)).isEqualTo(values(y, false));
    }
  }

  /** The extreme may stand at any place, twice, or behind a NaN. */
  @ParameterizedTest
  @EnumSource
  void firstIndexOfAnExtreme(DType dtype) {
    for (int n : new int[] {1, 2, 7, 33, 300, 1030, 3000}) {
      for (Layout layout :
          new Layout[] {
            plain(3, n), strided(1, new long[] {3, n}, 1, 3), strided(0, new long[] {3, n}, 0, 2)
          }) {
        double[] values = numbers(dtype, Reduce.MAX, layout.reach());
        if (dtype.isFloating()) {
          values[values.length / 2] = NAN;
          values[values.length - 1] = NAN;
        }
        Twin x = of(dtype, values).with(layout);
        for (Reduce op : new Reduce[] {Reduce.MAX, Reduce.MIN}) {
          Twin y = blank(DType.I64, 7).with(turned(Shape.of(3, 1)));
          argReduce(op, x, y);
          TWINS.assertSameBits(y, "%s of %s %s".formatted(op, dtype, layout));
        }
      }
    }
    Twin x = of(dtype, numbers(dtype, Reduce.MIN, 120)).with(plain(4, 5, 6));
    Twin y = blank(DType.I64, 24).with(plain(4, 1, 6));
    argReduce(Reduce.MIN, x, y);
    TWINS.assertSameBits(y, "inner dimension");
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16", "I64"})
  void runningSums(DType dtype) {
    for (int n : new int[] {1, 3, 4, 5, 127, 128, 129, 1000, 1024, 1025, 2100, 40_000}) {
      // Sums that bf16 holds: steps up and down.
      double[] values = new double[2 * n + 3];
      Arrays.setAll(values, i -> i % 4 < 2 ? 1 : -1);
      values[0] = 3;
      Twin all = of(dtype, values);
      for (Layout layout :
          new Layout[] {plain(2, n), strided(1, new long[] {2, n}, 1, 2), plain(n, 2)}) {
        int dim = layout.shape().size(0) == 2 && n != 2 ? 1 : 0;
        Twin x = all.with(layout);
        for (Layout out :
            new Layout[] {Layout.contiguous(layout.shape()), turned(layout.shape())}) {
          Twin y = blank(dtype, 4L * n + 1).with(out);
          TWINS.both((b, cuda) -> b.cumsum(on(x, cuda), dim, on(y, cuda)));
          TWINS.assertSameBits(y, "cumsum of %s %s".formatted(dtype, layout));
        }
      }
    }
    Twin none = blank(dtype, 0).with(plain(0, 3));
    TWINS.both((b, cuda) -> b.cumsum(on(none, cuda), 0, on(none, cuda)));
  }

  /** Neither alignment nor what lay in the scratch memory before shows in a sum. */
  @Test
  void again_givesTheSameBits() {
    double[] numbers = new double[30_002];
    Arrays.setAll(numbers, _ -> random.nextGaussian());
    Twin x = of(DType.F32, numbers);
    numbers = Arrays.copyOf(numbers, 30_000);
    Twin shifted =
        of(DType.F32, DoubleStream.concat(DoubleStream.of(0), Arrays.stream(numbers)).toArray());
    for (Layout layout : new Layout[] {plain(1, 30_000), plain(3000, 10)}) {
      long results = layout.shape().size(0) == 1 ? 1 : layout.shape().size(1);
      Layout behind = Layout.of(layout.shape(), new long[] {layout.stride(0), layout.stride(1)}, 1);
      double[] first = null;
      for (Twin same : List.of(x.with(layout), shifted.with(behind), x.with(layout))) {
        Twin y = blank(DType.F32, results).with(plain(1, results));
        reduce(Reduce.SUM, same, y);
        first = first == null ? values(y, true) : first;
        assertThat(values(y, true)).isEqualTo(first);
      }
    }
  }

  @Test
  void noHeap() {
    for (Layout layout : new Layout[] {plain(1, 30_000), plain(3000, 10)}) {
      boolean columns = layout.shape().size(0) > 1;
      Twin x = blank(DType.F32, 30_000).with(layout);
      Twin y = blank(DType.F32, columns ? 10 : 1).with(plain(1, columns ? 10 : 1));
      Twin at = blank(DType.I64, columns ? 10 : 1).with(plain(1, columns ? 10 : 1));
      Twin running = blank(DType.F32, 30_000).with(layout);
      int dim = columns ? 0 : 1;
      assertThat(Twins.heapOf(() -> TWINS.cuda.reduce(Reduce.SUM, x.cuda(), y.cuda()))).isZero();
      assertThat(Twins.heapOf(() -> TWINS.cuda.argReduce(Reduce.MAX, x.cuda(), dim, at.cuda())))
          .isZero();
      assertThat(Twins.heapOf(() -> TWINS.cuda.cumsum(x.cuda(), dim, running.cuda()))).isZero();
    }
  }
}

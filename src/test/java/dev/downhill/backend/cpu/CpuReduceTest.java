package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Reduce;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reductions bit for bit as {@link CpuReduce} defines them, over all dimensions and layouts. */
final class CpuReduceTest {
  private static final double INF = Double.POSITIVE_INFINITY;

  private final CpuReduce reduce = new CpuReduce(new Workers(1));
  private final SplittableRandom random = new SplittableRandom(11);

  private View random(DType dtype, long... sizes) {
    View view = Elements.zeros(dtype, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(
        values,
        i ->
            switch (dtype) {
              case F64, F32, BF16 -> random.nextGaussian();
              case I64 -> random.nextLong() >> 16;
              case I32 -> random.nextInt();
              case U8 -> random.nextInt(256);
              case BOOL -> random.nextInt(2);
            });
    return Elements.set(view, values);
  }

  private static View result(Reduce op, View x, Shape shape) {
    boolean widen = (op == Reduce.SUM || op == Reduce.PROD) && !x.dtype().isFloating();
    return Elements.zeros(widen ? DType.I64 : x.dtype(), shape.toArray());
  }

  /** The definition. */
  private static double[] expected(Reduce op, View x, Shape shape) {
    double[] elements = Elements.get(x);
    List<List<Double>> groups = new ArrayList<>();
    for (long i = 0; i < shape.numel(); i++) {
      groups.add(new ArrayList<>());
    }
    for (int i = 0; i < elements.length; i++) {
      groups.get(target(x.shape(), shape, i)).add(elements[i]);
    }
    return groups.stream()
        .mapToDouble(g -> x.dtype().isFloating() ? floating(op, x.dtype(), g) : integer(op, g))
        .toArray();
  }

  private static int target(Shape from, Shape to, long index) {
    long target = 0;
    long step = 1;
    for (int d = from.rank() - 1; d >= 0; d--) {
      target += to.size(d) == 1 ? 0 : index % from.size(d) * step;
      step *= to.size(d);
      index /= from.size(d);
    }
    return (int) target;
  }

  private static double floating(Reduce op, DType dtype, List<Double> elements) {
    double total = identity(op);
    for (int from = 0; from < elements.size(); from += 4096) {
      double[] lanes = new double[16];
      Arrays.fill(lanes, identity(op));
      for (int i = from; i < Math.min(elements.size(), from + 4096); i++) {
        lanes[i % 16] = round(dtype, apply(op, lanes[i % 16], elements.get(i)));
      }
      for (int half = 8; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
          lanes[l] = round(dtype, apply(op, lanes[l], lanes[l + half]));
        }
      }
      total = from == 0 ? lanes[0] : apply(op, total, lanes[0]);
    }
    return round(dtype, total);
  }

  private static double round(DType dtype, double x) {
    return dtype == DType.F32 ? (float) x : x;
  }

  private static double identity(Reduce op) {
    return switch (op) {
      case SUM -> 0;
      case PROD -> 1;
      case MAX -> -INF;
      case MIN -> INF;
    };
  }

  private static double apply(Reduce op, double x, double y) {
    return switch (op) {
      case SUM -> x + y;
      case PROD -> x * y;
      case MAX -> Math.max(x, y);
      case MIN -> Math.min(x, y);
    };
  }

  private static double integer(Reduce op, List<Double> elements) {
    return elements.stream()
        .mapToLong(Double::longValue)
        .reduce(
            (x, y) ->
                switch (op) {
                  case SUM -> x + y;
                  case PROD -> x * y;
                  case MAX -> Math.max(x, y);
                  case MIN -> Math.min(x, y);
                })
        .orElse((long) identity(op));
  }

  private void assertAsDefined(Reduce op, View x, Shape shape) {
    View y = result(op, x, shape);
    reduce.reduce(op, x, y);
    assertThat(Elements.get(y))
        .as("%s of %s %s to %s", op, x.dtype(), x.layout(), shape)
        .isEqualTo(expected(op, x, shape));
  }

  /** Several layouts of the same shape. */
  private List<View> views(DType dtype, long a, long b, long c) {
    View turned = random(dtype, c, a, b);
    View other = random(dtype, b, a, c);
    View sliced = random(dtype, a, 2 * b + 1, c + 3);
    View repeated = random(dtype, a, 1, c);
    return List.of(
        random(dtype, a, b, c),
        turned.with(turned.layout().permute(1, 2, 0)),
        other.with(other.layout().transpose(0, 1)),
        sliced.with(sliced.layout().slice(1, 1, b, 2).slice(2, 2, c, 1)),
        repeated.with(repeated.layout().expand(Shape.of(a, b, c))));
  }

  private static Shape reduced(Shape shape, int dims) {
    Shape result = shape;
    for (int d = 0; d < shape.rank(); d++) {
      result = (dims >> d & 1) != 0 ? result.with(d, 1) : result;
    }
    return result;
  }

  @ParameterizedTest
  @EnumSource(names = "BF16", mode = EnumSource.Mode.EXCLUDE)
  void everyOp_overEveryDimension_inEveryLayout(DType dtype) {
    for (Reduce op : Reduce.values()) {
      for (long[] sizes : new long[][] {{3, 5, 17}, {37, 2, 33}, {1, 70, 16}, {4, 1, 1}}) {
        for (View x : views(dtype, sizes[0], sizes[1], sizes[2])) {
          for (int dims = 0; dims < 8; dims++) {
            assertAsDefined(op, x, reduced(x.shape(), dims));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F32, 9000, 3",
    "F32, 3, 9000",
    "F32, 4097, 20",
    "F32, 5, 600",
    "F32, 300, 700",
    "F64, 4097, 17",
    "F64, 2, 8200",
    "F64, 300, 700",
    "I32, 4100, 17",
    "I32, 300, 700",
    "BOOL, 1, 20000"
  })
  void manyBlocksAndStrips(DType dtype, long rows, long cols) {
    View x = random(dtype, rows, cols);
    View turned = random(dtype, cols, rows);
    for (Reduce op : Reduce.values()) {
      for (int dims = 1; dims < 4; dims++) {
        assertAsDefined(op, x, reduced(x.shape(), dims));
        View view = turned.with(turned.layout().transpose(0, 1));
        assertAsDefined(op, view, reduced(x.shape(), dims));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void threads_doNotChangeBits(int threads) {
    try (Workers workers = new Workers(threads)) {
      CpuReduce parallel = new CpuReduce(workers);
      View x = random(DType.F32, 5000, 50);
      for (int dims = 1; dims < 4; dims++) {
        View y = result(Reduce.SUM, x, reduced(x.shape(), dims));
        parallel.reduce(Reduce.SUM, x, y);
        assertThat(Elements.get(y)).isEqualTo(expected(Reduce.SUM, x, y.shape()));
      }
    }
  }

  @Test
  void rank0AndRank8() {
    assertAsDefined(Reduce.SUM, random(DType.F32), Shape.SCALAR);
    View x = random(DType.F32, 2, 1, 3, 2, 1, 2, 3, 2);
    for (int dims = 0; dims < 256; dims++) {
      assertAsDefined(Reduce.SUM, x, reduced(x.shape(), dims));
    }
  }

  @ParameterizedTest
  @EnumSource(names = "BF16", mode = EnumSource.Mode.EXCLUDE)
  void ofNothing_isTheNeutralElement(DType dtype) {
    View x = Elements.zeros(dtype, 3, 0);
    for (Reduce op : List.of(Reduce.SUM, Reduce.PROD)) {
      View y = result(op, x, Shape.of(3, 1));
      Elements.set(y, 7, 7, 7);
      reduce.reduce(op, x, y);
      assertThat(Elements.get(y)).containsOnly(op == Reduce.SUM ? 0 : 1);
    }
    View none = result(Reduce.SUM, x, Shape.of(1, 0));
    reduce.reduce(Reduce.SUM, x, none);
    assertThat(Elements.get(none)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void notANumber_wins_whereverItIs(DType dtype) {
    for (int n : new int[] {1, 15, 16, 40, 5000}) {
      for (int at : new int[] {0, n / 2, n - 1}) {
        View x = random(dtype, n);
        double[] values = Elements.get(x);
        values[at] = Double.NaN;
        for (Reduce op : Reduce.values()) {
          View y = result(op, x, Shape.of(1));
          reduce.reduce(op, Elements.set(x, values), y);
          assertThat(Elements.get(y)).containsExactly(Double.NaN);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void zeros_haveASign(DType dtype) {
    for (int n : new int[] {1, 2, 15, 16, 33, 130}) {
      View x = random(dtype, n, 20);
      double[] values = Elements.get(x);
      Arrays.setAll(values, _ -> random.nextInt(n) == 0 ? 0.0 : -0.0);
      Elements.set(x, values);
      for (Reduce op : Reduce.values()) {
        assertAsDefined(op, x, Shape.of(1, 20));
        View turned = x.with(x.layout().transpose(0, 1));
        assertAsDefined(op, turned, Shape.of(20, 1));
        View copy = Elements.set(Elements.zeros(dtype, 20, n), Elements.get(turned));
        assertAsDefined(op, copy, Shape.of(20, 1));
      }
    }
  }

  @Test
  void y_mayHaveStrides() {
    View x = random(DType.F32, 6, 40, 5);
    View all = Elements.zeros(DType.F32, 40, 2, 6);
    View y = all.with(all.layout().slice(1, 1, 1, 1).permute(2, 0, 1));
    reduce.reduce(Reduce.SUM, x, y);
    assertThat(Elements.get(y)).isEqualTo(expected(Reduce.SUM, x, y.shape()));
    View rest = all.with(all.layout().slice(1, 0, 1, 1));
    assertThat(Elements.get(rest)).containsOnly(0);
  }

  @Test
  void sums_areAccurate() {
    int n = 1_000_003;
    View x = random(DType.F32, n);
    View y = Elements.zeros(DType.F32, 1);
    reduce.reduce(Reduce.SUM, x, y);
    double exact = Arrays.stream(Elements.get(x)).sum();
    assertThat(Elements.get(y)[0]).isCloseTo(exact, within(2e-3));
  }

  @Test
  void integers_wrapIn64Bits_andUnsignedBytesAreUnsigned() {
    View x = Elements.zeros(DType.I64, 2);
    Scalars.storeI64(Long.MAX_VALUE, CpuBuffer.segment(x), 0);
    Scalars.storeI64(1, CpuBuffer.segment(x), 8);
    View y = Elements.zeros(DType.I64, 1);
    reduce.reduce(Reduce.SUM, x, y);
    assertThat(Scalars.loadI64(CpuBuffer.segment(y), 0)).isEqualTo(Long.MIN_VALUE);
    View bytes = Elements.set(Elements.zeros(DType.U8, 3), 200, 255, 3);
    View max = Elements.zeros(DType.U8, 1);
    reduce.reduce(Reduce.MAX, bytes, max);
    assertThat(Elements.get(max)).containsExactly(255);
  }

  // argReduce and cumsum

  private View argReduce(Reduce op, View x, int dim) {
    Shape shape = x.shape().rank() == 0 ? x.shape() : x.shape().with(dim, 1);
    View y = Elements.zeros(DType.I64, shape.toArray());
    reduce.argReduce(op, x, dim, y);
    return y;
  }

  private static View floats(double... values) {
    return Elements.set(Elements.zeros(DType.F32, values.length), values);
  }

  @ParameterizedTest
  @EnumSource(names = "BF16", mode = EnumSource.Mode.EXCLUDE)
  void argReduce_namesTheFirstBest(DType dtype) {
    for (View x : views(dtype, 4, 6, 19)) {
      double[] values = Elements.get(x);
      for (int dim = 0; dim < 3; dim++) {
        Shape shape = x.shape().with(dim, 1);
        double[] greatest = new double[(int) shape.numel()];
        double[] least = new double[greatest.length];
        double[] max = new double[greatest.length];
        double[] min = new double[greatest.length];
        Arrays.fill(max, -INF);
        Arrays.fill(min, INF);
        long inner = 1;
        for (int d = dim + 1; d < 3; d++) {
          inner *= x.shape().size(d);
        }
        for (int i = 0; i < values.length; i++) {
          int t = target(x.shape(), shape, i);
          long at = i / inner % x.shape().size(dim);
          if (values[i] > max[t]) {
            max[t] = values[i];
            greatest[t] = at;
          }
          if (values[i] < min[t]) {
            min[t] = values[i];
            least[t] = at;
          }
        }
        assertThat(Elements.get(argReduce(Reduce.MAX, x, dim))).isEqualTo(greatest);
        assertThat(Elements.get(argReduce(Reduce.MIN, x, dim))).isEqualTo(least);
      }
    }
  }

  @Test
  void argReduce_tiesAndNotANumber() {
    assertThat(Elements.get(argReduce(Reduce.MAX, floats(1, 3, 3, 2), 0))).containsExactly(1);
    assertThat(Elements.get(argReduce(Reduce.MIN, floats(2, 1, 1), 0))).containsExactly(1);
    View x = floats(1, Double.NaN, 5, Double.NaN);
    assertThat(Elements.get(argReduce(Reduce.MAX, x, 0))).containsExactly(1);
    assertThat(Elements.get(argReduce(Reduce.MIN, x, 0))).containsExactly(1);
    assertThat(Elements.get(argReduce(Reduce.MAX, floats(-INF, -INF), 0))).containsExactly(0);
    assertThat(Elements.get(argReduce(Reduce.MAX, random(DType.F32), 0))).containsExactly(0);
  }

  @ParameterizedTest
  @EnumSource(names = "BF16", mode = EnumSource.Mode.EXCLUDE)
  void cumsum_addsUpAlongADimension(DType dtype) {
    for (View x : views(dtype, 4, 6, 19)) {
      double[] values = Elements.get(x);
      for (int dim = 0; dim < 3; dim++) {
        View y = Elements.zeros(dtype.isFloating() ? dtype : DType.I64, x.shape().toArray());
        reduce.cumsum(x, dim, y);
        double[] sums = new double[(int) x.shape().with(dim, 1).numel()];
        double[] expected = new double[values.length];
        for (int i = 0; i < values.length; i++) {
          int t = target(x.shape(), x.shape().with(dim, 1), i);
          sums[t] += values[i];
          expected[i] = round(dtype, sums[t]);
        }
        assertThat(Elements.get(y)).isEqualTo(expected);
      }
    }
    View none = Elements.zeros(dtype.isFloating() ? dtype : DType.I64, 3, 0);
    reduce.cumsum(Elements.zeros(dtype, 3, 0), 1, none);
    assertThat(Elements.get(none)).isEmpty();
  }

  @Test
  void cumsum_ofALongRowIsAccurate() {
    View x = Elements.zeros(DType.F32, 1_000_000);
    double[] values = new double[1_000_000];
    Arrays.fill(values, 0.1f);
    View y = Elements.zeros(DType.F32, 1_000_000);
    reduce.cumsum(Elements.set(x, values), 0, y);
    assertThat(Elements.get(y.with(Layout.of(Shape.of(1), new long[] {1}, 999_999)))[0])
        .isCloseTo(100_000, within(0.01));
  }
}

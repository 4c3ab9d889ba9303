package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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

/** Softmax against its formula in double, on all kinds of views and rows. */
final class CpuSoftmaxTest {
  private static final double INF = Double.POSITIVE_INFINITY;

  private final CpuSoftmax softmax = new CpuSoftmax(new Workers(1));
  private final SplittableRandom random = new SplittableRandom(42);

  private View normal(DType dtype, double scale, long... sizes) {
    View view = Elements.zeros(dtype, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(values, i -> scale * random.nextGaussian());
    return Elements.set(view, values);
  }

  private static View of(double... values) {
    return Elements.set(Elements.zeros(DType.F32, values.length), values);
  }

  /** Contiguous, with the elements of {@code x} rounded to a type. */
  private static View plain(View x, DType dtype) {
    return Elements.set(Elements.zeros(dtype, x.shape().toArray()), Elements.get(x));
  }

  private View forward(View x, boolean log) {
    View y = Elements.zeros(x.dtype(), x.shape().toArray());
    softmax.softmax(x, log, y);
    return y;
  }

  private View backward(View y, View dy, boolean log) {
    View dx = Elements.zeros(y.dtype(), y.shape().toArray());
    softmax.softmaxBackward(y, dy, log, dx);
    return dx;
  }

  /** log(softmax) of every row of length n. */
  private static double[] logSoftmax(double[] x, int n) {
    double[] y = new double[x.length];
    for (int row = 0; row < x.length; row += n) {
      double max = Arrays.stream(x, row, row + n).max().orElseThrow();
      double sum = Arrays.stream(x, row, row + n).map(v -> Math.exp(v - max)).sum();
      for (int i = row; i < row + n; i++) {
        y[i] = x[i] - max - Math.log(sum);
      }
    }
    return y;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 100, 1000, 4097})
  void forward_equalsTheFormula(int n) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      double eps = dtype == DType.F64 ? 0x1p-52 : 0x1p-23;
      View x = normal(dtype, 3, 5, n);
      double[] expected = logSoftmax(Elements.get(x), n);
      double[] log = Elements.get(forward(x, true));
      double[] y = Elements.get(forward(x, false));
      for (int i = 0; i < y.length; i++) {
        double p = Math.exp(expected[i]);
        // x - max is rounded once, and e^x makes that relative to the result.
        assertThat(y[i]).isCloseTo(p, within(p * eps * (4 + Math.abs(expected[i]))));
        assertThat(log[i]).isCloseTo(expected[i], within(eps * (4 + 2 * Math.abs(expected[i]))));
      }
      for (int row = 0; row < y.length; row += n) {
        assertThat(Arrays.stream(y, row, row + n).sum()).isCloseTo(1, within(10 * eps));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, false", "F32, true", "F64, false", "F64, true", "BF16, false", "BF16, true"})
  void strides_ofAnyKindGiveTheBitsOfPlainRows(DType dtype, boolean log) {
    View memory = normal(dtype, 2, 4 * 5 * 7 * 3 + 2);
    Layout[] layouts = {
      Layout.of(Shape.of(4, 5, 7), new long[] {3, 12, 60}, 2),
      Layout.of(Shape.of(4, 5, 7), new long[] {35, 7, 1}, 1),
      Layout.of(Shape.of(4, 5, 7), new long[] {0, 14, 2}, 0),
      Layout.of(Shape.of(4, 5, 7), new long[] {7, 0, 1}, 0),
      Layout.of(Shape.of(4, 5, 7), new long[] {5, 1, 0}, 3)
    };
    for (Layout layout : layouts) {
      View x = memory.with(layout);
      View plain = plain(x, dtype);
      View y = forward(plain, log);
      assertThat(Elements.get(forward(x, log))).isEqualTo(Elements.get(y));
      assertThat(Elements.get(backward(y, x, log)))
          .isEqualTo(Elements.get(backward(y, plain, log)));
      View out =
          Elements.zeros(dtype, 4 * 5 * 7 * 2).with(Layout.of(x.shape(), new long[] {2, 8, 40}, 1));
      softmax.softmax(x, log, out);
      assertThat(Elements.get(out)).isEqualTo(Elements.get(y));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bf16_isF32RoundedOnce(boolean log) {
    View x = normal(DType.BF16, 2, 6, 21);
    View rounded = plain(forward(plain(x, DType.F32), log), DType.BF16);
    assertThat(Elements.get(forward(x, log))).isEqualTo(Elements.get(rounded));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 18, 64, 777})
  void vectors_giveTheBitsOfScalarLoops(int n) {
    int padded = (n + 15) / 16 * 16;
    SoftmaxLoops scalar = new ScalarSoftmax();
    SoftmaxLoops vectors = HiddenClass.inlined(VectorSoftmax.class, SoftmaxLoops.class).get();
    for (boolean log : new boolean[] {false, true}) {
      float[] x = new float[padded];
      Arrays.fill(x, Float.NEGATIVE_INFINITY);
      float[] dy = new float[padded];
      for (int i = 0; i < n; i++) {
        x[i] = (float) random.nextGaussian() * 4;
        dy[i] = (float) random.nextGaussian();
      }
      float[] vectorX = x.clone();
      float[] vectorDy = dy.clone();
      float[] lanes = new float[16];
      scalar.forward(x, padded, log, lanes);
      vectors.forward(vectorX, padded, log, lanes);
      assertThat(vectorX).isEqualTo(x);
      scalar.backward(x, dy, padded, log, lanes);
      vectors.backward(vectorX, vectorDy, padded, log, lanes);
      assertThat(vectorDy).isEqualTo(dy);
    }
  }

  /** The order of the sum is part of the result: 16 lanes, folded by halves. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void sum_hasSixteenLanesFoldedByHalves(DType dtype) {
    View y = normal(dtype, 1, 37);
    View dy = normal(dtype, 1, 37);
    double[] a = Elements.get(y);
    double[] b = Elements.get(dy);
    double[] lanes = new double[16];
    for (int i = 0; i < 37; i++) {
      lanes[i % 16] = fma(dtype, a[i], b[i], lanes[i % 16]);
    }
    for (int half = 8; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] = fma(dtype, 1, lanes[i], lanes[i + half]);
      }
    }
    double[] dx = Elements.get(backward(y, dy, false));
    for (int i = 0; i < 37; i++) {
      double difference = fma(dtype, 1, b[i], -lanes[0]);
      assertThat(dx[i]).isEqualTo(fma(dtype, a[i], difference, 0));
    }
  }

  private static double fma(DType dtype, double a, double b, double c) {
    return dtype == DType.F64 ? Math.fma(a, b, c) : Math.fma((float) a, (float) b, (float) c);
  }

  @Test
  void bits_doNotDependOnThreads() {
    View x = normal(DType.F32, 2, 501, 97);
    View dy = normal(DType.F32, 1, 501, 97);
    View y = forward(x, false);
    View dx = backward(y, dy, false);
    try (Workers workers = new Workers(3)) {
      CpuSoftmax threaded = new CpuSoftmax(workers);
      View z = Elements.zeros(DType.F32, 501, 97);
      threaded.softmax(x, false, z);
      assertThat(Elements.get(z)).isEqualTo(Elements.get(y));
      threaded.softmaxBackward(y, dy, false, z);
      assertThat(Elements.get(z)).isEqualTo(Elements.get(dx));
    }
  }

  @Test
  void masked_hasProbabilityZero() {
    View x = of(1, -INF, 1, -INF);
    assertThat(Elements.get(forward(x, false))).containsExactly(0.5, 0, 0.5, 0);
    double half = -(float) Math.log(2);
    assertThat(Elements.get(forward(x, true))).containsExactly(half, -INF, half, -INF);
    View dy = of(1, 2, 3, 4);
    assertThat(Elements.get(backward(of(0.5, 0, 0.5, 0), dy, false)))
        .containsExactly(-0.5, 0, 0.5, 0);
    assertThat(Elements.get(backward(of(-INF, 0), of(0, 2), true))).containsExactly(0, 0);
  }

  @Test
  void rowsWithoutADistribution_areNaN() {
    double nan = Double.NaN;
    for (boolean log : new boolean[] {false, true}) {
      assertThat(Elements.get(forward(of(-INF, -INF, -INF), log))).containsExactly(nan, nan, nan);
      assertThat(Elements.get(forward(of(1, Double.NaN, 3), log))).containsExactly(nan, nan, nan);
      assertThat(Elements.get(forward(of(Double.NaN, -INF), log))).containsExactly(nan, nan);
      assertThat(Elements.get(forward(of(1, INF), log))).containsExactly(nan, nan);
    }
  }

  @Test
  void greatArguments_doNotOverflow() {
    assertThat(Elements.get(forward(of(3e38, 3e38, -3e38), false))).containsExactly(0.5, 0.5, 0);
    assertThat(Elements.get(forward(of(-3e38, -3e38), false))).containsExactly(0.5, 0.5);
    assertThat(Elements.get(forward(of(-200, 0), true))).containsExactly(-200, 0);
    assertThat(Elements.get(forward(of(7), false))).containsExactly(1);
    assertThat(Elements.get(forward(of(7), true))).containsExactly(0);
  }

  @Test
  void rank0_isARowOfOne_andNothingStaysNothing() {
    View x = Elements.zeros(DType.F64);
    Elements.set(x, 5);
    assertThat(Elements.get(forward(x, false))).containsExactly(1);
    assertThat(Elements.get(backward(forward(x, true), x, true))).containsExactly(0);
    assertThat(forward(Elements.zeros(DType.F32, 0, 5), true).shape().numel()).isZero();
    assertThat(forward(Elements.zeros(DType.F32, 5, 0), false).shape().numel()).isZero();
    assertThat(
            backward(Elements.zeros(DType.F64, 2, 0), Elements.zeros(DType.F64, 2, 0), true)
                .shape()
                .numel())
        .isZero();
  }

  /** Rows longer and shorter than before, on one thread, must not see each other's remains. */
  @Test
  void lengths_mayVaryFromCallToCall() {
    View shortRow = normal(DType.F32, 1, 1, 5);
    double[] before = Elements.get(forward(shortRow, false));
    forward(normal(DType.F32, 50, 2, 300), false);
    assertThat(Elements.get(forward(shortRow, false))).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource({"false, 1", "false, 9", "false, 20", "true, 1", "true, 9", "true, 20"})
  void backward_equalsCentralDifferences(boolean log, int n) {
    View x = normal(DType.F64, 1.5, 3, n);
    View dy = normal(DType.F64, 1, 3, n);
    double[] dx = Elements.get(backward(forward(x, log), dy, log));
    double[] at = Elements.get(x);
    double h = 1e-5;
    for (int i = 0; i < at.length; i++) {
      double[] moved = at.clone();
      moved[i] = at[i] + h;
      double above = dot(forward(Elements.set(x, moved), log), dy);
      moved[i] = at[i] - h;
      double below = dot(forward(Elements.set(x, moved), log), dy);
      assertThat(dx[i]).isCloseTo((above - below) / (2 * h), within(1e-8));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void backward_f32_isCloseToF64(boolean log) {
    View x = normal(DType.F64, 2, 4, 130);
    View dy = normal(DType.F64, 1, 4, 130);
    double[] expected = Elements.get(backward(forward(x, log), dy, log));
    View y = forward(plain(x, DType.F32), log);
    double[] dx = Elements.get(backward(y, plain(dy, DType.F32), log));
    for (int i = 0; i < dx.length; i++) {
      assertThat(dx[i]).isCloseTo(expected[i], within(1e-5));
    }
  }

  private static double dot(View a, View b) {
    double[] x = Elements.get(a);
    double[] y = Elements.get(b);
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}

package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cross-entropy against its formula in double, on all kinds of rows, views and targets. */
final class CpuCrossEntropyTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final long IGNORE = -100;

  private final CpuCrossEntropy crossEntropy = new CpuCrossEntropy(new Workers(1));
  private final SplittableRandom random = new SplittableRandom(5);

  private View normal(DType dtype, double scale, long... sizes) {
    View view = Elements.zeros(dtype, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(values, i -> scale * random.nextGaussian());
    return Elements.set(view, values);
  }

  /** Classes 0 to n - 1, every fifth ignored. */
  private View targets(int n, long... sizes) {
    View view = Elements.zeros(DType.I64, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(values, i -> i % 5 == 4 ? IGNORE : random.nextInt(n));
    return Elements.set(view, values);
  }

  private static View of(DType dtype, double... values) {
    return Elements.set(Elements.zeros(dtype, values.length), values);
  }

  private static View row(double... values) {
    return Elements.set(Elements.zeros(DType.F32, 1, values.length), values);
  }

  private static DType wide(DType dtype) {
    return dtype == DType.BF16 ? DType.F32 : dtype;
  }

  /** y and z. */
  private View[] forward(View x, View target) {
    long[] sizes = target.shape().toArray();
    View y = Elements.zeros(x.dtype(), sizes);
    View z = Elements.zeros(wide(x.dtype()), sizes);
    crossEntropy.crossEntropy(x, target, IGNORE, y, z);
    return new View[] {y, z};
  }

  private double[] losses(View x, View target) {
    return Elements.get(forward(x, target)[0]);
  }

  private View backward(View x, View target, View dy) {
    View dx = Elements.zeros(x.dtype(), x.shape().toArray());
    View z = forward(x, target)[1];
    crossEntropy.crossEntropyBackward(x, target, IGNORE, z, dy, dx);
    return dx;
  }

  private static double logSum(double[] x, int from, int n) {
    double max = Arrays.stream(x, from, from + n).max().orElseThrow();
    return max + Math.log(Arrays.stream(x, from, from + n).map(v -> Math.exp(v - max)).sum());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 10, 15, 16, 17, 33, 1000})
  void equalsTheFormula(int n) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      double eps = dtype == DType.F64 ? 0x1p-52 : 0x1p-23;
      int rows = 7;
      View x = normal(dtype, 3, rows, n);
      View target = targets(n, rows);
      View dy = normal(dtype, 1, rows);
      double[] logits = Elements.get(x);
      double[] classes = Elements.get(target);
      double[] slopes = Elements.get(dy);
      double[] y = losses(x, target);
      double[] dx = Elements.get(backward(x, target, dy));
      for (int row = 0; row < rows; row++) {
        double z = logSum(logits, row * n, n);
        boolean ignored = classes[row] == IGNORE;
        int c = ignored ? 0 : (int) classes[row];
        double loss = ignored ? 0 : z - logits[row * n + c];
        assertThat(y[row]).isCloseTo(loss, within(eps * (20 + 2 * loss)));
        for (int i = 0; i < n; i++) {
          double p = Math.exp(logits[row * n + i] - z) - (i == c ? 1 : 0);
          double slope = ignored ? 0 : slopes[row] * p;
          assertThat(dx[row * n + i]).isCloseTo(slope, within(30 * eps * Math.abs(slopes[row])));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16"})
  void strides_ofAnyKindGiveTheBitsOfPlainRows(DType dtype) {
    View memory = normal(dtype, 2, 4 * 5 * 7 * 3 + 2);
    View target = targets(7, 4, 5);
    View slopes = normal(dtype, 1, 40);
    View dy = slopes.with(Layout.of(Shape.of(4, 5), new long[] {1, 8}, 2));
    View plainDy = Elements.set(Elements.zeros(dtype, 4, 5), Elements.get(dy));
    View turned = Elements.zeros(DType.I64, 5, 4);
    View targetT = turned.with(turned.layout().transpose(0, 1));
    Elements.set(targetT, Elements.get(target));
    for (Layout layout :
        new Layout[] {
          Layout.of(Shape.of(4, 5, 7), new long[] {3, 12, 60}, 2),
          Layout.of(Shape.of(4, 5, 7), new long[] {0, 14, 2}, 0),
          Layout.of(Shape.of(4, 5, 7), new long[] {5, 1, 0}, 3)
        }) {
      View x = memory.with(layout);
      View plain = Elements.set(Elements.zeros(dtype, 4, 5, 7), Elements.get(x));
      View[] expected = forward(plain, target);
      View y = Elements.zeros(dtype, 40).with(Layout.of(Shape.of(4, 5), new long[] {2, 8}, 1));
      View z =
          Elements.zeros(wide(dtype), 20).with(Layout.of(Shape.of(4, 5), new long[] {1, 4}, 0));
      crossEntropy.crossEntropy(x, targetT, IGNORE, y, z);
      assertThat(Elements.get(y)).isEqualTo(Elements.get(expected[0]));
      assertThat(Elements.get(z)).isEqualTo(Elements.get(expected[1]));
      View dx = Elements.zeros(dtype, 7, 4, 5);
      View dxLast = dx.with(dx.layout().permute(1, 2, 0));
      crossEntropy.crossEntropyBackward(x, targetT, IGNORE, z, dy, dxLast);
      assertThat(Elements.get(dxLast)).isEqualTo(Elements.get(backward(plain, target, plainDy)));
    }
  }

  @Test
  void bf16_isF32RoundedOnce() {
    View x = normal(DType.BF16, 2, 6, 21);
    View target = targets(21, 6);
    View wide = Elements.set(Elements.zeros(DType.F32, 6, 21), Elements.get(x));
    View[] expected = forward(wide, target);
    View[] actual = forward(x, target);
    View rounded = Elements.set(Elements.zeros(DType.BF16, 6), Elements.get(expected[0]));
    assertThat(Elements.get(actual[0])).isEqualTo(Elements.get(rounded));
    assertThat(Elements.get(actual[1])).isEqualTo(Elements.get(expected[1]));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 18, 777})
  void vectors_giveTheBitsOfScalarLoops(int n) {
    int padded = (n + 15) / 16 * 16;
    float[] x = new float[padded];
    Arrays.fill(x, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian() * 4;
    }
    SoftmaxLoops scalar = new ScalarSoftmax();
    SoftmaxLoops vectors = HiddenClass.inlined(VectorSoftmax.class, SoftmaxLoops.class).get();
    float max = scalar.max(x, padded);
    assertThat(vectors.max(x, padded)).isEqualTo(max);
    float sum = scalar.sumExp(x, padded, max, new float[16]);
    assertThat(vectors.sumExp(x, padded, max, new float[16])).isEqualTo(sum);
    float[] vectorX = x.clone();
    scalar.scaledExp(x, padded, max + 1, -0.3f);
    vectors.scaledExp(vectorX, padded, max + 1, -0.3f);
    assertThat(vectorX).isEqualTo(x);
  }

  @Test
  void bits_doNotDependOnThreads() {
    View x = normal(DType.F32, 2, 501, 97);
    View target = targets(97, 501);
    View dy = normal(DType.F32, 1, 501);
    View[] expected = forward(x, target);
    try (Workers workers = new Workers(3)) {
      CpuCrossEntropy threaded = new CpuCrossEntropy(workers);
      View y = Elements.zeros(DType.F32, 501);
      View z = Elements.zeros(DType.F32, 501);
      threaded.crossEntropy(x, target, IGNORE, y, z);
      assertThat(Elements.get(y)).isEqualTo(Elements.get(expected[0]));
      assertThat(Elements.get(z)).isEqualTo(Elements.get(expected[1]));
      View dx = Elements.zeros(DType.F32, 501, 97);
      threaded.crossEntropyBackward(x, target, IGNORE, z, dy, dx);
      assertThat(Elements.get(dx)).isEqualTo(Elements.get(backward(x, target, dy)));
    }
  }

  @Test
  void greatLogits_keepTheDigitsOfSmallLosses() {
    assertThat(losses(row(1e6, 1e6 - 10), of(DType.I64, 0))[0])
        .isCloseTo(Math.log1p(Math.exp(-10)), within(1e-7));
    assertThat(losses(row(3e38, -3e38), of(DType.I64, 0))).containsExactly(0);
  }

  @Test
  void withoutProbabilities_isNaN() {
    for (View x :
        new View[] {row(-INF, -INF), row(1, INF), row(Double.NaN, -INF), row(2, Double.NaN)}) {
      for (int c = 0; c < 2; c++) {
        View target = of(DType.I64, c);
        View[] yz = forward(x, target);
        assertThat(Elements.get(yz[0])).containsExactly(Double.NaN);
        assertThat(Elements.get(yz[1])).containsExactly(Double.NaN);
        assertThat(Elements.get(backward(x, target, of(DType.F32, 1))))
            .containsExactly(Double.NaN, Double.NaN);
      }
      View ignored = of(DType.I64, IGNORE);
      assertThat(losses(x, ignored)).containsExactly(0);
      assertThat(Elements.get(backward(x, ignored, of(DType.F32, 1)))).containsExactly(0, 0);
    }
  }

  @Test
  void impossibleTarget_costsInfinitelyMuch() {
    View x = row(-INF, 0, 0);
    assertThat(losses(x, of(DType.I64, 0))).containsExactly(INF);
    assertThat(Elements.get(backward(x, of(DType.I64, 0), of(DType.F32, 2))))
        .containsExactly(new double[] {-2, 1, 1}, within(1e-6));
  }

  @Test
  void classOutOfRange_isNamed_andNothingIsWritten() {
    View x = normal(DType.F64, 1, 3, 4);
    View y = Elements.set(Elements.zeros(DType.F64, 3), 7, 7, 7);
    View z = Elements.zeros(DType.F64, 3);
    for (long bad : new long[] {4, -1}) {
      View target = of(DType.I64, 0, bad, IGNORE);
      assertThatThrownBy(() -> crossEntropy.crossEntropy(x, target, IGNORE, y, z))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith(
              "crossEntropy: class %d at position 1 out of range, expected 0 to 3", bad);
    }
    assertThat(Elements.get(y)).containsExactly(7, 7, 7);
    // A class may be the ignored index itself.
    crossEntropy.crossEntropy(x, of(DType.I64, 3, 0, 1), 3, y, z);
    assertThat(Elements.get(y)[0]).isZero();
  }

  @Test
  void oneSample_andNothing() {
    View scalar = Elements.set(Elements.zeros(DType.I64), 1);
    assertThat(losses(of(DType.F64, 0, 0), scalar)).containsExactly(Math.log(2));
    assertThat(losses(Elements.zeros(DType.F32, 0, 5), Elements.zeros(DType.I64, 0))).isEmpty();
    View none = Elements.zeros(DType.F32, 1, 0);
    assertThat(losses(none, of(DType.I64, IGNORE))).containsExactly(0);
    assertThatThrownBy(() -> losses(none, of(DType.I64, 0)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}

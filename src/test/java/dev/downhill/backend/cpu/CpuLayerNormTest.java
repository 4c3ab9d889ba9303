package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layer normalisation against its formula in double, on all kinds of views and rows. */
final class CpuLayerNormTest {
  private static final double EPS = 1e-3;

  private final SplittableRandom random = new SplittableRandom(42);

  private View normal(DType dtype, long... sizes) {
    View view = Elements.zeros(dtype, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(values, i -> random.nextGaussian() + 0.5);
    return Elements.set(view, values);
  }

  /** The operands of a call, and its results. */
  private static final class Call {
    final View x;
    final View dy;
    final View weight;
    final View bias;
    final View y;
    final View mean;
    final View rstd;
    final View dx;
    final View dweight;
    final View dbias;

    Call(View x, View dy, View weight, View bias, View out) {
      this.x = x;
      this.dy = dy;
      this.weight = weight;
      this.bias = bias;
      long[] rows = x.shape().slice(0, x.shape().rank() - 1).toArray();
      DType wide = x.dtype() == DType.BF16 ? DType.F32 : x.dtype();
      y = out;
      mean = Elements.zeros(wide, rows);
      rstd = Elements.zeros(wide, rows);
      dx = Elements.zeros(x.dtype(), x.shape().toArray());
      dweight = Elements.zeros(x.dtype(), weight.shape().toArray());
      dbias = Elements.zeros(x.dtype(), weight.shape().toArray());
    }

    Call run(Workers workers) {
      CpuLayerNorm norm = new CpuLayerNorm(workers);
      norm.layerNorm(x, weight, bias, EPS, y, mean, rstd);
      norm.layerNormBackward(x, weight, mean, rstd, dy, dx, dweight, dbias);
      return this;
    }

    double[][] results() {
      return new double[][] {
        Elements.get(y),
        Elements.get(mean),
        Elements.get(rstd),
        Elements.get(dx),
        Elements.get(dweight),
        Elements.get(dbias)
      };
    }
  }

  private Call call(DType dtype, int rows, int n) {
    View x = normal(dtype, rows, n);
    View y = Elements.zeros(dtype, rows, n);
    return new Call(x, normal(dtype, rows, n), normal(dtype, n), normal(dtype, n), y);
  }

  /** y, mean, rstd, dx, dweight and dbias as the formulas say, in double. */
  private static double[][] formula(Call c, boolean centred, boolean weighted) {
    double[] x = Elements.get(c.x);
    double[] dy = Elements.get(c.dy);
    double[] w = Elements.get(c.weight);
    double[] b = Elements.get(c.bias);
    int n = w.length;
    int rows = x.length / n;
    double[][] all = {
      new double[x.length],
      new double[rows],
      new double[rows],
      new double[x.length],
      new double[n],
      new double[n]
    };
    for (int row = 0; row < rows; row++) {
      int at = row * n;
      double mean = centred ? Arrays.stream(x, at, at + n).average().orElseThrow() : 0;
      double square = Arrays.stream(x, at, at + n).map(v -> (v - mean) * (v - mean)).sum() / n;
      double rstd = 1 / Math.sqrt(square + EPS);
      double sum = 0;
      double product = 0;
      for (int i = 0; i < n; i++) {
        double z = (x[at + i] - mean) * rstd;
        double g = dy[at + i] * (weighted ? w[i] : 1);
        all[0][at + i] = weighted ? z * w[i] + b[i] : z;
        all[4][i] += dy[at + i] * z;
        all[5][i] += dy[at + i];
        sum += g / n;
        product += g * z / n;
      }
      for (int i = 0; i < n; i++) {
        double z = (x[at + i] - mean) * rstd;
        double g = dy[at + i] * (weighted ? w[i] : 1);
        all[3][at + i] = rstd * (g - (centred ? sum : 0) - z * product);
      }
      all[1][row] = mean;
      all[2][row] = rstd;
    }
    return all;
  }

  private static void assertClose(double[][] found, double[][] expected, double tolerance) {
    for (int k = 0; k < expected.length; k++) {
      double scale = Arrays.stream(expected[k]).map(Math::abs).max().orElse(0) + 1;
      assertThat(found[k])
          .as("result %d", k)
          .containsExactly(expected[k], within(tolerance * scale));
    }
  }

  private static double tolerance(DType dtype) {
    return switch (dtype) {
      case F64 -> 1e-12;
      case F32 -> 4e-6;
      default -> 0x1p-7;
    };
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 100, 128, 777, 4096, 4099, 9000})
  void everyResult_isThatOfTheFormula(int n) {
    for (DType dtype : new DType[] {DType.F32, DType.F64, DType.BF16}) {
      Call c = call(dtype, 19, n).run(new Workers(1));
      assertClose(c.results(), formula(c, true, true), tolerance(dtype));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16"})
  void withoutMean_isTheRootMeanSquare_andNullsAreLeftOut(DType dtype) {
    Call c = call(dtype, 21, 37);
    CpuLayerNorm norm = new CpuLayerNorm(new Workers(1));
    norm.layerNorm(c.x, null, null, EPS, c.y, null, c.rstd);
    norm.layerNormBackward(c.x, null, null, c.rstd, c.dy, c.dx, c.dweight, null);
    double[][] expected = formula(c, false, false);
    expected[5] = new double[37];
    assertClose(c.results(), expected, tolerance(dtype));
    double[] dx = Elements.get(c.dx);
    norm.layerNormBackward(c.x, null, null, c.rstd, c.dy, null, null, c.dbias);
    assertThat(Elements.get(c.dx)).isEqualTo(dx);
    expected = formula(c, false, false);
    assertClose(c.results(), expected, tolerance(dtype));
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16"})
  void strides_ofAnyKindGiveTheBitsOfPlainRows(DType dtype) {
    View memory = normal(dtype, 4 * 5 * 7 * 3 + 2);
    Layout[] layouts = {
      Layout.of(Shape.of(4, 5, 7), new long[] {3, 12, 60}, 2),
      Layout.of(Shape.of(4, 5, 7), new long[] {35, 7, 1}, 1),
      Layout.of(Shape.of(4, 5, 7), new long[] {0, 14, 2}, 0),
      Layout.of(Shape.of(4, 5, 7), new long[] {7, 0, 1}, 0),
      Layout.of(Shape.of(4, 5, 7), new long[] {5, 1, 0}, 3)
    };
    View w = normal(dtype, 14).with(Layout.of(Shape.of(7), new long[] {2}, 0));
    View b = normal(dtype, 7);
    for (Layout layout : layouts) {
      View x = memory.with(layout);
      View plain = Elements.set(Elements.zeros(dtype, 4, 5, 7), Elements.get(x));
      View plainW = Elements.set(Elements.zeros(dtype, 7), Elements.get(w));
      View y = Elements.zeros(dtype, 4, 5, 7);
      Call expected = new Call(plain, plain, plainW, b, y).run(new Workers(1));
      View out =
          Elements.zeros(dtype, 4 * 5 * 7 * 2).with(Layout.of(x.shape(), new long[] {2, 8, 40}, 1));
      Call c = new Call(x, x, w, b, out).run(new Workers(1));
      assertThat(c.results()).isDeepEqualTo(expected.results());
    }
  }

  @Test
  void bf16_isF32RoundedOnce() {
    Call c = call(DType.BF16, 9, 41).run(new Workers(1));
    View[] wide = {c.x, c.dy, c.weight, c.bias, c.y};
    for (int i = 0; i < wide.length; i++) {
      View zeros = Elements.zeros(DType.F32, wide[i].shape().toArray());
      wide[i] = Elements.set(zeros, Elements.get(wide[i]));
    }
    double[][] expected =
        new Call(wide[0], wide[1], wide[2], wide[3], wide[4]).run(new Workers(1)).results();
    double[][] found = c.results();
    for (int k = 0; k < found.length; k++) {
      boolean kept = k == 1 || k == 2;
      double[] rounded = Arrays.stream(expected[k]).map(v -> kept ? v : bf16(v)).toArray();
      assertThat(found[k]).as("result %d", k).isEqualTo(rounded);
    }
  }

  private static double bf16(double value) {
    return Float.intBitsToFloat(Scalars.bf16((float) value) << 16);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 18, 31, 32, 40, 64, 777, 4100, 8192})
  void vectors_giveTheBitsOfScalarLoops(int n) {
    for (boolean centred : new boolean[] {false, true}) {
      double[][][] both = new double[2][][];
      View x = normal(DType.F32, 5, n);
      View dy = normal(DType.F32, 5, n);
      View w = normal(DType.F32, n);
      View b = normal(DType.F32, n);
      for (int k = 0; k < 2; k++) {
        View y = Elements.zeros(DType.F32, 5, n);
        @Nullable View mean = centred ? Elements.zeros(DType.F32, 5) : null;
        View rstd = Elements.zeros(DType.F32, 5);
        LayerNormCall call = new LayerNormCall(new LayerNormCall.Shares());
        LayerNormBunch bunch = new LayerNormBunch();
        call.setForward(x, w, b, EPS, y, mean, rstd);
        call.readWeights();
        bunch.read(call, 0, 1, false);
        if (k == 0) {
          LayerNormF32.forward(call, bunch);
        } else {
          VectorLayerNorm.forward(call, bunch);
        }
        View dx = Elements.zeros(DType.F32, 5, n);
        call.setBackward(x, w, mean, rstd, dy, dx, null, null);
        call.readWeights();
        float m = bunch.mean[0];
        float r = bunch.rstd[0];
        bunch.read(call, 0, 1, true);
        if (k == 0) {
          LayerNormF32.backward(call, bunch, 0);
        } else {
          VectorLayerNorm.backward(call, bunch, 0);
        }
        double[] shares = new double[2 * call.padded];
        Arrays.setAll(shares, i -> i % call.padded < n ? call.shares()[i] : 0);
        both[k] = new double[][] {Elements.get(y), Elements.get(dx), shares, new double[] {m, r}};
      }
      assertThat(both[1]).isDeepEqualTo(both[0]);
    }
  }

  /** Rows in bunches and blocks, one more than whole ones, on several threads. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void bits_doNotDependOnThreads(DType dtype) {
    Call c = call(dtype, 3 * CpuLayerNorm.BLOCK + 1, 97).run(new Workers(1));
    double[][] expected = c.results();
    assertClose(expected, formula(c, true, true), 10 * tolerance(dtype));
    try (Workers workers = new Workers(3)) {
      View y = Elements.zeros(dtype, c.x.shape().toArray());
      assertThat(new Call(c.x, c.dy, c.weight, c.bias, y).run(workers).results())
          .isDeepEqualTo(expected);
    }
  }

  @Test
  void noRows_haveNoGradient() {
    View w = normal(DType.F32, 3);
    View dw = normal(DType.F32, 3);
    View none = Elements.zeros(DType.F32, 0, 3);
    View rows = Elements.zeros(DType.F32, 0);
    CpuLayerNorm norm = new CpuLayerNorm(new Workers(1));
    norm.layerNorm(none, w, w, EPS, none, rows, rows);
    norm.layerNormBackward(none, w, rows, rows, none, none, dw, null);
    assertThat(Elements.get(dw)).containsExactly(0, 0, 0);
  }
}

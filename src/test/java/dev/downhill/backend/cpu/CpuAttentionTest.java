package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Attention against its formula in double, in one block and in several, on all kinds of views. */
final class CpuAttentionTest {
  private final SplittableRandom random = new SplittableRandom(42);

  private View normal(DType dtype, long... sizes) {
    View view = Elements.zeros(dtype, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(values, i -> random.nextGaussian());
    return Elements.set(view, values);
  }

  /** Queries, keys, values and dy of a call, and how it is made. */
  private record Call(View q, View k, View v, View dy, boolean causal, double scale) {
    View blank(View like) {
      return Elements.zeros(like.dtype(), like.shape().toArray());
    }

    /** y, z, dq, dk and dv, in memory of their own. */
    List<View> run(Workers workers) {
      DType wide = q.dtype() == DType.BF16 ? DType.F32 : q.dtype();
      View z = Elements.zeros(wide, q.shape().slice(0, q.shape().rank() - 1).toArray());
      return run(workers, List.of(blank(dy), z, blank(q), blank(k), blank(v)));
    }

    List<View> run(Workers workers, List<View> to) {
      CpuAttention attention = new CpuAttention(workers);
      View y = to.get(0);
      View z = to.get(1);
      attention.attention(q, k, v, causal, scale, y, z);
      attention.attentionBackward(
          q, k, v, causal, scale, y, z, dy, to.get(2), to.get(3), to.get(4));
      return to;
    }
  }

  private Call call(
      DType dtype, long count, long queries, long keys, long size, long valueSize, boolean causal) {
    return new Call(
        normal(dtype, count, queries, size),
        normal(dtype, count, keys, size),
        normal(dtype, count, keys, valueSize),
        normal(dtype, count, queries, valueSize),
        causal,
        0.4);
  }

  private static double[][] values(List<View> views) {
    return views.stream().map(Elements::get).toArray(double[][]::new);
  }

  /** y, z, dq, dk and dv as the formulas say, in double. */
  private static double[][] formula(Call c) {
    int count = (int) c.q.shape().size(0);
    int queries = (int) c.q.shape().size(1);
    int keys = (int) c.k.shape().size(1);
    int e = (int) c.q.shape().size(2);
    int f = (int) c.v.shape().size(2);
    double[] q = Elements.get(c.q);
    double[] k = Elements.get(c.k);
    double[] v = Elements.get(c.v);
    double[] dy = Elements.get(c.dy);
    double[][] all = {
      new double[dy.length],
      new double[count * queries],
      new double[q.length],
      new double[k.length],
      new double[v.length]
    };
    for (int row = 0; row < count * queries; row++) {
      int first = row / queries * keys;
      int seen = c.causal ? Math.min(keys, row % queries + 1) : keys;
      double[] p = new double[seen];
      double[] dp = new double[seen];
      for (int j = 0; j < seen; j++) {
        p[j] = c.scale * dot(q, row * e, k, (first + j) * e, e);
        dp[j] = dot(dy, row * f, v, (first + j) * f, f);
      }
      double max = Arrays.stream(p).max().orElse(0);
      double z = max + Math.log(Arrays.stream(p).map(s -> Math.exp(s - max)).sum());
      Arrays.setAll(p, j -> Math.exp(p[j] - z));
      double d = dot(p, 0, dp, 0, seen);
      all[1][row] = z;
      for (int j = 0; j < seen; j++) {
        double ds = c.scale * p[j] * (dp[j] - d);
        for (int i = 0; i < f; i++) {
          all[0][row * f + i] += p[j] * v[(first + j) * f + i];
          all[4][(first + j) * f + i] += p[j] * dy[row * f + i];
        }
        for (int i = 0; i < e; i++) {
          all[2][row * e + i] += ds * k[(first + j) * e + i];
          all[3][(first + j) * e + i] += ds * q[row * e + i];
        }
      }
    }
    return all;
  }

  private static double dot(double[] a, int i, double[] b, int j, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++) {
      sum += a[i + k] * b[j + k];
    }
    return sum;
  }

  private static double tolerance(DType dtype) {
    return dtype == DType.F64 ? 1e-12 : 1e-5;
  }

  private static void assertClose(double[][] found, double[][] expected, double tolerance) {
    for (int r = 0; r < expected.length; r++) {
      double scale = Arrays.stream(expected[r]).map(Math::abs).max().orElse(0) + 1;
      assertThat(found[r])
          .as("result %d", r)
          .containsExactly(expected[r], within(tolerance * scale));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 1",
    "3, 1, 7, 5, 2",
    "2, 7, 1, 16, 16",
    "2, 6, 6, 32, 32",
    "1, 13, 29, 3, 20",
    "1, 127, 127, 32, 32",
    "9, 100, 100, 8, 8",
    "1, 128, 128, 33, 65",
    "2, 129, 130, 17, 16",
    "1, 300, 140, 20, 32",
    "1, 140, 300, 16, 70",
    "8, 130, 270, 4, 5",
    "1, 3, 1, 0, 4",
    "1, 260, 260, 64, 64"
  })
  void everyResult_isThatOfTheFormula(int count, int queries, int keys, int size, int valueSize) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      for (boolean causal : new boolean[] {false, true}) {
        Call c = call(dtype, count, queries, keys, size, valueSize, causal);
        assertClose(values(c.run(new Workers(1))), formula(c), tolerance(dtype));
      }
    }
  }

  /** Heads inside positions, elements apart, one key for all heads, results in any order. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void strides_ofAnyKindGiveTheBitsOfPlainTensors(DType dtype) {
    for (long size : new long[] {16, 5}) {
      Shape inside = Shape.of(2, 140, 3, size);
      Layout apart = Layout.contiguous(inside).permute(0, 2, 1, 3);
      Layout backwards = Layout.contiguous(Shape.of(size, 140, 3, 2)).permute(3, 2, 1, 0);
      Layout repeated =
          Layout.contiguous(Shape.of(1, 1, 140, size)).expand(Shape.of(2, 3, 140, size));
      View memory = normal(dtype, inside.numel());
      for (List<Layout> l :
          List.of(
              List.of(apart, apart, apart, apart),
              List.of(backwards, apart, backwards, backwards),
              List.of(apart, repeated, repeated, apart))) {
        View[] in = l.stream().map(memory::with).toArray(View[]::new);
        View[] plain =
            Arrays.stream(in)
                .map(x -> Elements.set(Elements.zeros(dtype, 2, 3, 140, size), Elements.get(x)))
                .toArray(View[]::new);
        Call expected = new Call(plain[0], plain[1], plain[2], plain[3], true, 0.3);
        Call c = new Call(in[0], in[1], in[2], in[3], true, 0.3);
        for (Layout out : List.of(apart, backwards)) {
          View[] to = new View[5];
          Arrays.setAll(to, _ -> Elements.zeros(dtype, inside.numel()).with(out));
          to[1] = Elements.zeros(dtype, 2, 3, 140);
          assertThat(values(c.run(new Workers(1), List.of(to))))
              .isDeepEqualTo(values(expected.run(new Workers(1))));
        }
      }
    }
  }

  /** One sequence block by block, and many in one go, give the same bits. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void bits_dependNeitherOnThreads_norOnHowManySequencesThereAre(DType dtype) {
    Call all = call(dtype, 9, 270, 150, 20, 16, true);
    double[][] expected = values(all.run(new Workers(1)));
    try (Workers workers = new Workers(3)) {
      assertThat(values(all.run(workers))).isDeepEqualTo(expected);
      for (int s = 0; s < 9; s += 4) {
        View[] one = {all.q, all.k, all.v, all.dy};
        for (int i = 0; i < one.length; i++) {
          one[i] = one[i].with(one[i].layout().slice(0, s, 1, 1));
        }
        double[][] found = values(new Call(one[0], one[1], one[2], one[3], true, 0.4).run(workers));
        for (int r = 0; r < found.length; r++) {
          int n = found[r].length;
          assertThat(found[r]).isEqualTo(Arrays.copyOfRange(expected[r], s * n, (s + 1) * n));
        }
      }
    }
  }

  @Test
  void vectors_giveTheBitsOfScalarLoops() {
    AttentionRow vectors = HiddenClass.inlined(VectorAttention.class, AttentionRow.class).get();
    View s = normal(DType.F32, 2, 64);
    for (int n : new int[] {0, 1, 7, 16, 17, 33, 64}) {
      int end = Math.min(64, n + 6);
      double[][] both = new double[2][];
      for (int i = 0; i < 2; i++) {
        AttentionRow row = i == 0 ? new AttentionF32() : vectors;
        View x = Elements.set(Elements.zeros(DType.F32, 2, 64), Elements.get(s));
        View y = Elements.set(Elements.zeros(DType.F32, 2, 64), Elements.get(s));
        double max = row.max(CpuBuffer.segment(x), 0, n, -0.7, -3e38f);
        double[] dots = new double[3];
        row.dot(CpuBuffer.segment(x), 0, 256, CpuBuffer.segment(x), 256, -256, 2, n, dots, 1);
        double sum = row.exp(CpuBuffer.segment(x), 0, n, end, -0.7, 0.5);
        row.slopes(CpuBuffer.segment(y), 0, 256, n, end, -0.7, 0.5, 0.125);
        double[] by = {3, -0.7f};
        row.divide(CpuBuffer.segment(y), 0, 256, by, 2, n, CpuBuffer.segment(y), 0, 256);
        double[] a = Elements.get(x);
        double[] b = Elements.get(y);
        both[i] = new double[6 + 3 * end];
        both[i][0] = max;
        both[i][1] = dots[1];
        both[i][2] = sum;
        both[i][3] = row.exp(-0.3f);
        both[i][4] = dots[2];
        both[i][5] = row.log(0.3f);
        System.arraycopy(a, 0, both[i], 6, end);
        System.arraycopy(b, 0, both[i], 6 + end, end);
        System.arraycopy(b, 64, both[i], 6 + 2 * end, end);
      }
      assertThat(both[1]).isEqualTo(both[0]);
    }
  }

  @Test
  void greatScores_doNotOverflow_andSmallOnesCountForNothing() {
    View q = Elements.set(Elements.zeros(DType.F32, 1, 1, 1), 1e20);
    View k = Elements.zeros(DType.F32, 1, 300, 1);
    View v = normal(DType.F32, 1, 300, 2);
    double[] keys = new double[300];
    Arrays.fill(keys, -1e18);
    keys[200] = 1e18;
    Call c = new Call(q, Elements.set(k, keys), v, normal(DType.F32, 1, 1, 2), false, 1);
    double[][] found = values(c.run(new Workers(1)));
    assertThat(found[0]).containsExactly(Elements.get(v)[400], Elements.get(v)[401]);
    assertThat(found[2]).containsOnly(0);
  }

  @Test
  void withoutKeys_thereAreZeros() {
    Call c = call(DType.F32, 2, 3, 0, 4, 5, true);
    double[][] found = values(c.run(new Workers(1)));
    assertThat(found[0]).containsOnly(0);
    assertThat(found[1]).containsOnly(Double.NEGATIVE_INFINITY);
    assertThat(found[2]).containsOnly(0);
    double[][] none = values(call(DType.F32, 2, 0, 3, 4, 5, true).run(new Workers(1)));
    assertThat(none[3]).containsOnly(0);
    assertThat(none[4]).containsOnly(0);
  }
}

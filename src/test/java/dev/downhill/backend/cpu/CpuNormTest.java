package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Norm and scaling of several tensors as their formulas say. */
final class CpuNormTest {
  private static final double[] NORMS = {1, 2, Double.POSITIVE_INFINITY};

  private final SplittableRandom random = new SplittableRandom(11);

  private View normal(DType dtype, int size, int skew) {
    View all = Elements.zeros(dtype, size + skew);
    View part = all.with(Layout.of(Shape.of(size), new long[] {1}, skew));
    double[] values = new double[size];
    Arrays.setAll(values, i -> random.nextGaussian());
    return Elements.set(part, values);
  }

  private static double norm(CpuNorm norm, double p, List<View> xs) {
    View y = Elements.zeros(DType.F64, 3);
    View one = y.with(Layout.of(Shape.SCALAR, new long[0], 1));
    norm.norm(p, xs, one);
    assertThat(Elements.get(y)[0] + Elements.get(y)[2]).isZero();
    return Elements.get(one)[0];
  }

  private static double expected(double p, List<View> xs) {
    double[] all = xs.stream().flatMapToDouble(x -> Arrays.stream(Elements.get(x))).toArray();
    return p == 2
        ? Math.sqrt(Arrays.stream(all).map(x -> x * x).sum())
        : p == 1
            ? Arrays.stream(all).map(Math::abs).sum()
            : Arrays.stream(all).map(Math::abs).max().orElse(0);
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void norm_ofTensorsOfAllSizes(DType dtype) {
    List<View> xs = new ArrayList<>();
    for (int size : new int[] {1, 15, 16, 0, 33, 2048, 2100, 40_000}) {
      xs.add(normal(dtype, size, size % 3));
    }
    CpuNorm norm = new CpuNorm(new Workers(1));
    for (double p : NORMS) {
      double expected = expected(p, xs);
      assertThat(norm(norm, p, xs)).isCloseTo(expected, within(1e-13 * expected));
      assertThat(norm(norm, p, List.of())).isZero();
    }
  }

  @Test
  void typesMayDiffer() {
    List<View> xs =
        List.of(normal(DType.F32, 9, 0), normal(DType.F64, 70, 1), normal(DType.BF16, 5, 0));
    double expected = expected(2, xs);
    assertThat(norm(new CpuNorm(new Workers(2)), 2, xs))
        .isCloseTo(expected, within(1e-14 * expected));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void bits_doNotDependOnThreads(int threads) {
    List<View> xs = List.of(normal(DType.F32, 150_001, 1), normal(DType.F64, 50_000, 0));
    try (Workers workers = new Workers(threads)) {
      for (double p : NORMS) {
        assertThat(norm(new CpuNorm(workers), p, xs))
            .isEqualTo(norm(new CpuNorm(new Workers(1)), p, xs));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32"})
  void vectorsAndScalars_haveTheSameBits(DType dtype) {
    View x = normal(dtype, 10_007, 3);
    View copy = Elements.set(Elements.zeros(dtype, 10_010), Elements.get(x));
    for (double p : NORMS) {
      NormKernel.Case c = new NormKernel.Case(p, dtype);
      NormKernel scalar = HiddenClass.copy(ScalarNorm.class, NormKernel.class, c);
      double[] lanes = new double[NormKernel.LANES];
      assertThat(NormKernel.of(c).part(CpuBuffer.segment(x), 3, 10_007, lanes))
          .isEqualTo(scalar.part(CpuBuffer.segment(x), 3, 10_007, lanes));
      NormKernel.of(c).scale(CpuBuffer.segment(x), 3, 10_007, 0.7);
      scalar.scale(CpuBuffer.segment(copy), 0, 10_007, 0.7);
    }
    assertThat(Elements.get(x)).isEqualTo(Arrays.copyOf(Elements.get(copy), 10_007));
  }

  @Test
  void squaresOfLargeAndSmallFloats_areExactEnough() {
    CpuNorm norm = new CpuNorm(new Workers(1));
    assertThat(norm(norm, 2, List.of(Elements.set(Elements.zeros(DType.F32, 2), 3e30, 4e30))))
        .isCloseTo(5e30, within(1e24));
    assertThat(norm(norm, 2, List.of(Elements.set(Elements.zeros(DType.F32, 2), 3e-30, 4e-30))))
        .isCloseTo(5e-30, within(1e-36));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 20, 16_390})
  void nanWins(int at) {
    View x = normal(DType.F32, 16_400, 0);
    double[] values = Elements.get(x);
    values[at] = Double.NaN;
    values[at + 1] = Double.NEGATIVE_INFINITY;
    Elements.set(x, values);
    for (double p : NORMS) {
      assertThat(norm(new CpuNorm(new Workers(1)), p, List.of(x))).isNaN();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void scale_roundsOnce_andTouchesNothingElse(DType dtype) {
    for (int size : new int[] {0, 1, 7, 16, 37, 20_000}) {
      View x = normal(dtype, size, 2);
      View all = x.with(Layout.contiguous(Shape.of(size + 2)));
      Elements.set(all.with(Layout.contiguous(Shape.of(2))), 5, 6);
      double[] expected = Elements.get(all);
      for (int i = 2; i < expected.length; i++) {
        double product = expected[i] * 0.37;
        expected[i] =
            switch (dtype) {
              case F32 -> (float) product;
              case BF16 -> Float.intBitsToFloat(Scalars.bf16((float) product) << 16);
              default -> product;
            };
      }
      View factor = Elements.set(Elements.zeros(DType.F64, 1), 0.37);
      new CpuNorm(new Workers(2)).scale(factor, List.of(x));
      assertThat(Elements.get(all)).isEqualTo(expected);
    }
  }

  @Test
  void aFactorOfOne_touchesNothing_andNanEverything() {
    View x = normal(DType.F32, 40, 0);
    double[] before = Elements.get(x);
    CpuNorm norm = new CpuNorm(new Workers(1));
    norm.scale(Elements.set(Elements.zeros(DType.F64, 1), 1), List.of(x));
    assertThat(Elements.get(x)).isEqualTo(before);
    norm.scale(Elements.set(Elements.zeros(DType.F64, 1), Double.NaN), List.of(x));
    assertThat(Elements.get(x)).containsOnly(Double.NaN);
  }
}

package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Draw;
import dev.downhill.backend.Philox;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.LongStream;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Draws by position, whatever the layout and the number of threads, and their distributions. */
final class CpuRandomTest {
  private static final long SEED = 0x1234_5678_9abc_def0L;
  private static final long STREAM = Philox.streamOf("test");

  private final CpuRandom random = new CpuRandom(new Workers(1));

  private static View base(long position) {
    View view = Elements.set(Elements.zeros(DType.I64, 3), 0, 0, (double) position);
    return view.with(Layout.of(Shape.SCALAR, new long[0], 2));
  }

  private double[] draw(Draw draw, DType dtype, int n) {
    View y = Elements.zeros(dtype, n);
    random.random(draw, SEED, STREAM, base(0), 0, 0.3, y);
    return Elements.get(y);
  }

  @ParameterizedTest
  @CsvSource({
    "UNIFORM, F32",
    "UNIFORM, F64",
    "NORMAL, F32",
    "NORMAL, F64",
    "BERNOULLI, BOOL",
    "BITS, I64"
  })
  void elements_areTheDrawsAtTheirPositions(Draw draw, DType dtype) {
    View y = Elements.zeros(dtype, 3, 1001);
    long start = (1L << 32) - 1500;
    random.random(draw, SEED, STREAM, base(start - 7), 7, 0.3, y);
    double[] values = Elements.get(y);
    for (int i = 0; i < values.length; i++) {
      Philox philox = Philox.at(SEED, STREAM, start + i);
      double expected =
          switch (draw) {
            case UNIFORM -> dtype == DType.F64 ? philox.uniform(0) : philox.uniformFloat(0);
            case NORMAL -> dtype == DType.F64 ? philox.normal(0) : (float) philox.normal(0);
            case BERNOULLI -> philox.bits(0) < Philox.threshold(0.3) ? 1 : 0;
            case BITS -> philox.bits(0);
          };
      assertThat(values[i]).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"UNIFORM, F32", "UNIFORM, F64", "NORMAL, F32", "BERNOULLI, BOOL", "BITS, I64"})
  void order_isThatOfTheShape_notOfTheMemory(Draw draw, DType dtype) {
    View plain = Elements.zeros(dtype, 3, 5, 7);
    random.random(draw, SEED, STREAM, base(5), 3, 0.5, plain);
    View memory = Elements.zeros(dtype, 2 * 7 * 5 * 3 + 11);
    Layout transposed = Layout.of(Shape.of(3, 5, 7), new long[] {2, 6, 30}, 11);
    random.random(draw, SEED, STREAM, base(5), 3, 0.5, memory.with(transposed));
    assertThat(Elements.get(memory.with(transposed))).isEqualTo(Elements.get(plain));
    long touched = Arrays.stream(Elements.get(memory)).filter(v -> v != 0).count();
    assertThat(touched).isEqualTo(Arrays.stream(Elements.get(plain)).filter(v -> v != 0).count());
  }

  @ParameterizedTest
  @CsvSource({"UNIFORM, F32", "NORMAL, F64", "BERNOULLI, BOOL", "BITS, I64"})
  void bits_doNotDependOnThreads(Draw draw, DType dtype) {
    View one = Elements.zeros(dtype, 30_001);
    View three = Elements.zeros(dtype, 30_001);
    random.random(draw, SEED, STREAM, base(1), 0, 0.5, one);
    try (Workers workers = new Workers(3)) {
      new CpuRandom(workers).random(draw, SEED, STREAM, base(1), 0, 0.5, three);
    }
    assertThat(Elements.get(three)).isEqualTo(Elements.get(one));
  }

  @Test
  void anotherOffset_continuesTheStream() {
    View whole = Elements.zeros(DType.F32, 1000);
    View rest = Elements.zeros(DType.F32, 400);
    random.random(Draw.UNIFORM, SEED, STREAM, base(0), 0, 0, whole);
    random.random(Draw.UNIFORM, SEED, STREAM, base(100), 500, 0, rest);
    assertThat(Elements.get(rest)).isEqualTo(Arrays.copyOfRange(Elements.get(whole), 600, 1000));
  }

  @Test
  void sizesZeroAndOne_areDrawn() {
    random.random(Draw.NORMAL, SEED, STREAM, base(0), 0, 0, Elements.zeros(DType.F32, 3, 0));
    random.random(Draw.NORMAL, SEED, STREAM, base(0), 0, 0, Elements.zeros(DType.F32, 0, 3));
    View scalar = Elements.zeros(DType.F64);
    random.random(Draw.UNIFORM, SEED, STREAM, base(9), 0, 0, scalar);
    assertThat(Elements.get(scalar)).containsExactly(Philox.at(SEED, STREAM, 9).uniform(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "F64"})
  void uniform_hasItsMomentsAndDistribution(DType dtype) {
    double[] x = draw(Draw.UNIFORM, dtype, 200_000);
    assertThat(Arrays.stream(x).filter(v -> !(v >= 0 && v < 1)).count()).isZero();
    assertThat(moment(x, 1)).isCloseTo(0.5, within(4 * Math.sqrt(1 / 12.0 / x.length)));
    assertThat(moment(x, 2)).isCloseTo(1 / 3.0, within(4 * Math.sqrt(4 / 45.0 / x.length)));
    assertThat(kolmogorovSmirnov(x, v -> v)).isLessThan(1.95);
  }

  @ParameterizedTest
  @ValueSource(strings = {"F32", "F64"})
  void normal_hasItsMomentsAndDistribution(DType dtype) {
    double[] x = draw(Draw.NORMAL, dtype, 200_000);
    assertThat(moment(x, 1)).isCloseTo(0, within(4 * Math.sqrt(1.0 / x.length)));
    assertThat(moment(x, 2)).isCloseTo(1, within(4 * Math.sqrt(2.0 / x.length)));
    assertThat(moment(x, 3)).isCloseTo(0, within(4 * Math.sqrt(15.0 / x.length)));
    assertThat(moment(x, 4)).isCloseTo(3, within(4 * Math.sqrt(96.0 / x.length)));
    NormalDistribution normal = new NormalDistribution(null, 0, 1);
    assertThat(kolmogorovSmirnov(x, normal::cumulativeProbability)).isLessThan(1.95);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-3, 0.3, 0.5, 1})
  void bernoulli_hasItsProbability(double p) {
    View y = Elements.zeros(DType.BOOL, 200_000);
    random.random(Draw.BERNOULLI, SEED, STREAM, base(0), 0, p, y);
    double mean = moment(Elements.get(y), 1);
    assertThat(mean).isCloseTo(p, within(4 * Math.sqrt(p * (1 - p) / 200_000)));
  }

  @Test
  void bits_areBalanced() {
    double[] x = draw(Draw.BITS, DType.I64, 100_000);
    for (int bit = 0; bit < 32; bit++) {
      long mask = 1L << bit;
      long ones =
          LongStream.range(0, x.length).filter(i -> ((long) x[(int) i] & mask) != 0).count();
      assertThat(ones).isBetween(50_000L - 700, 50_000L + 700);
    }
  }

  private static double moment(double[] x, int power) {
    return Arrays.stream(x).map(v -> Math.pow(v, power)).average().orElseThrow();
  }

  /**
   * The greatest distance between the distributions times sqrt(n); above 1.95 in 1 of 1,000 cases.
   */
  private static double kolmogorovSmirnov(double[] sample, DoubleUnaryOperator cdf) {
    double[] x = sample.clone();
    Arrays.sort(x);
    double greatest = 0;
    for (int i = 0; i < x.length; i++) {
      double expected = cdf.applyAsDouble(x[i]);
      greatest = Math.max(greatest, Math.abs(expected - (double) i / x.length));
      greatest = Math.max(greatest, Math.abs(expected - (i + 1.0) / x.length));
    }
    return greatest * Math.sqrt(x.length);
  }
}

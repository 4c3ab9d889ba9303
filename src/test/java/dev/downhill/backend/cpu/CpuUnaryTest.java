package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class CpuUnaryTest {
  private static final Workers WORKERS = new Workers(2);
  private static final double A = 0.7;
  private static final double B = 1.9;

  private final CpuElementwise cpu = new CpuElementwise(WORKERS);

  @AfterAll
  static void close() {
    WORKERS.close();
  }

  // Against the definition

  @ParameterizedTest
  @EnumSource
  void forward_isTheDefinition(Unary op) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      if (op == Unary.NOT) {
        continue;
      }
      double[] x = domain(op, ordinary(dtype));
      double[] y = forward(op, dtype, x, A, B);
      for (int i = 0; i < x.length; i++) {
        double expected = UnaryReference.forward(op, x[i], scalar(dtype, A), scalar(dtype, B));
        assertClose(dtype, op + "(" + x[i] + ")", y[i], expected);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void backward_isTheSlope(Unary op) {
    if (op.isPredicate()) {
      return;
    }
    double[] x = domain(op, ordinary(DType.F64));
    double[] dy = random(x.length, 3, 1);
    double[] dx = backward(op, DType.F64, x, dy, A, B);
    for (int i = 0; i < x.length; i++) {
      double slope = nearKink(op, x[i]) ? dx[i] / dy[i] : UnaryReference.derivative(op, x[i], A, B);
      assertThat(dx[i])
          .as("%s'(%s)", op, x[i])
          .isCloseTo(dy[i] * slope, within(1e-7 * Math.max(1, Math.abs(dy[i] * slope))));
    }
  }

  @ParameterizedTest
  @EnumSource
  void backward_ofF32_isThatOfF64(Unary op) {
    if (op.isPredicate()) {
      return;
    }
    double[] x = domain(op, ordinary(DType.F32));
    double[] dy =
        Elements.get(
            Layouts.CONTIGUOUS.view(DType.F32, Shape.of(x.length), random(x.length, 3, 1)));
    double[] expected = backward(op, DType.F64, x, dy, scalar(DType.F32, A), scalar(DType.F32, B));
    double[] dx = backward(op, DType.F32, x, dy, A, B);
    for (int i = 0; i < x.length; i++) {
      assertClose(DType.F32, op + "'(" + x[i] + ")", dx[i], expected[i]);
    }
  }

  /** Whether a difference quotient would reach over a point without a derivative. */
  private static boolean nearKink(Unary op, double x) {
    double[] kinks =
        switch (op) {
          case ABS, RELU, LEAKY_RELU, ELU, SELU, SIGN -> new double[] {0};
          case CLAMP, HARDTANH -> new double[] {A, B};
          case HARDSIGMOID, HARDSWISH -> new double[] {-3, 3};
          case SOFTPLUS -> new double[] {B / A};
          case FLOOR -> new double[] {Math.rint(x)};
          default -> new double[0];
        };
    return Arrays.stream(kinks).anyMatch(k -> Math.abs(x - k) < 4e-4 * Math.max(1, Math.abs(x)));
  }

  // Conventions at kinks and singular points

  @ParameterizedTest
  @CsvSource({
    "ABS, 0, 0, 0, 0",
    "ABS, -0.0, 0, 0, 0",
    "RELU, 0, 0, 0, 0",
    "LEAKY_RELU, 0, 0.25, 0, 0.25",
    "LEAKY_RELU, -1, 0.25, 0, 0.25",
    "ELU, 0, 0.5, 0, 0.5",
    "SELU, 0, 0, 0, 1.7580993408473766",
    "CLAMP, -1, -1, 2, 1",
    "CLAMP, 2, -1, 2, 1",
    "CLAMP, 2.5, -1, 2, 0",
    "CLAMP, 1, 2, -1, 0",
    "HARDTANH, -1, -1, 2, 0",
    "HARDTANH, 2, -1, 2, 0",
    "HARDTANH, 1.5, -1, 2, 1",
    "HARDSIGMOID, -3, 0, 0, 0",
    "HARDSIGMOID, 3, 0, 0, 0",
    "HARDSIGMOID, 0, 0, 0, 0.16666666666666666",
    "HARDSWISH, -3, 0, 0, 0",
    "HARDSWISH, 3, 0, 0, 1",
    "HARDSWISH, 0, 0, 0, 0.5",
    "SOFTPLUS, 2, 2, 3, 1",
    "SOFTPLUS, 30, 1, 20, 1",
    "POW, 0, 0, 0, 0",
    "POW, 3, 0, 0, 0",
    "POW, 0, 1, 0, 1",
    "POW, -2, 2, 0, -4",
    "FLOOR, 2, 0, 0, 0",
    "SIGN, 0, 0, 0, 0",
    "SQRT, 0, 0, 0, Infinity",
    "LOG, 0, 0, 0, Infinity",
    "LOG1P, -1, 0, 0, Infinity",
    "RSQRT, 0, 0, 0, -Infinity",
    "RECIPROCAL, 0, 0, 0, -Infinity",
    "RELU, 1, 0, 0, 1",
  })
  void backward_conventions(Unary op, double x, double a, double b, double expected) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      // Often enough for a vector.
      double[] dx = backward(op, dtype, repeat(x, 35), repeat(1, 35), a, b);
      for (double d : dx) {
        assertClose(dtype, op + "'(" + x + ")", d, expected);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "POW, 0, 0, 0, 1",
    "POW, NaN, 0, 0, 1",
    "POW, -8, 0.5, 0, NaN",
    "POW, -8, 3, 0, -512",
    "CLAMP, 1, 2, -1, -1",
    "CLAMP, -5, -Infinity, 2, -5",
    "CLAMP, 5, -2, Infinity, 5",
    "SOFTPLUS, 1.5, 2, 3, 1.524293675786871",
    "SOFTPLUS, 1.75, 2, 3, 1.75",
    "SIGN, -0.0, 0, 0, 0",
    "SQRT, -1, 0, 0, NaN",
    "LOG, 0, 0, 0, -Infinity",
    "LOG1P, -1, 0, 0, -Infinity",
  })
  void forward_conventions(Unary op, double x, double a, double b, double expected) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      for (double y : forward(op, dtype, repeat(x, 35), a, b)) {
        assertClose(dtype, op + "(" + x + ")", y, expected);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void forward_ofSpecialValues_isTheDefinition(Unary op) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      if (op == Unary.NOT) {
        continue;
      }
      double[] x = special(dtype);
      double[] y = forward(op, dtype, x, A, B);
      for (int i = 0; i < x.length; i++) {
        double expected =
            Math.abs(x[i]) > 1e30 && (op == Unary.SIN || op == Unary.COS) && Double.isFinite(x[i])
                ? UnaryReference.forward(op, x[i], A, B)
                : UnaryReference.forward(op, x[i], scalar(dtype, A), scalar(dtype, B));
        assertClose(dtype, op + "(" + x[i] + ")", y[i], scalar(dtype, expected));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void forward_ofNaN_isNaN(Unary op) {
    if (!op.isPredicate()) {
      for (DType dtype : new DType[] {DType.F32, DType.F64}) {
        assertThat(forward(op, dtype, repeat(Double.NaN, 35), A, B)).containsOnly(Double.NaN);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SIGMOID, 0, 0",
    "TANH, 0, 0",
    "ERF, 0, 0",
    "SOFTPLUS, 0, 1",
    "GELU, 0, 1",
    "GELU_TANH, 0, 1",
    "SILU, 0, 1",
    "MISH, 0, 1",
    "ELU, 0, 1",
    "SELU, 0, 1.0507009873554805",
    "HARDSWISH, 0, 1",
  })
  void gradientsOfHugeInputs_areTheLimits(Unary op, double below, double above) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      for (double size : new double[] {100, 1e20, dtype == DType.F32 ? 3e38 : 1e308}) {
        double[] x =
            DoubleStream.concat(DoubleStream.of(-size), Arrays.stream(repeat(size, 34))).toArray();
        double[] dx = backward(op, dtype, x, repeat(1, 35), 1, 20);
        assertThat(dx[0]).as("%s'(%s)", op, -size).isCloseTo(below, within(1e-30));
        assertThat(dx[1]).as("%s'(%s)", op, size).isCloseTo(above, within(1e-7));
        assertThat(dx[34]).isCloseTo(above, within(1e-7));
      }
    }
  }

  @Test
  void valuesOfInfinities_areTheLimits() {
    double inf = Double.POSITIVE_INFINITY;
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      double[] x = {-inf, inf};
      assertThat(forward(Unary.SIGMOID, dtype, x, 0, 0)).containsExactly(0, 1);
      assertThat(forward(Unary.TANH, dtype, x, 0, 0)).containsExactly(-1, 1);
      assertThat(forward(Unary.ERF, dtype, x, 0, 0)).containsExactly(-1, 1);
      assertThat(forward(Unary.SOFTPLUS, dtype, x, 1, 20)).containsExactly(0, inf);
      // Also where the threshold lies beyond the range of e^x.
      assertThat(forward(Unary.SOFTPLUS, dtype, new double[] {1000}, 1, 1e6)).containsExactly(1000);
    }
  }

  // Layouts, tails

  @ParameterizedTest
  @EnumSource
  void anyLayout_givesTheSameBits(Unary op) {
    if (op == Unary.NOT) {
      return;
    }
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      DType out = op.isPredicate() ? DType.BOOL : dtype;
      for (Shape shape : Layouts.SHAPES) {
        double[] values = random((int) shape.numel(), 2, 5);
        double[] expected = null;
        double[] expectedBack = null;
        Layouts[] all = Layouts.values();
        for (int i = 0; i < all.length; i++) {
          Layouts from = all[i];
          Layouts to = all[(i * 3 + 2) % all.length];
          View x = from.view(dtype, shape, values);
          View y = to.view(out, shape);
          cpu.unary(op, x, A, B, y);
          expected = assertSame(expected, y);
          if (!op.isPredicate()) {
            View dy = to.view(dtype, shape, values);
            View dx = from.view(dtype, shape);
            cpu.unaryBackward(op, x, dy, A, B, dx);
            expectedBack = assertSame(expectedBack, dx);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void vectorsAndTails_giveTheSameBits(Unary op) {
    if (op.isPredicate()) {
      return;
    }
    double[] values =
        DoubleStream.concat(Arrays.stream(special(DType.F32)), Arrays.stream(random(48, 30, 6)))
            .toArray();
    Shape shape = Shape.of(values.length);
    // Steps of two are taken element by element.
    View x = Layouts.STEPPED.view(DType.F32, shape, values);
    View dy = Layouts.STEPPED.view(DType.F32, shape, random(values.length, 2, 7));
    View y = Layouts.STEPPED.view(DType.F32, shape);
    View dx = Layouts.STEPPED.view(DType.F32, shape);
    cpu.unary(op, x, A, B, y);
    cpu.unaryBackward(op, op.reads() == Unary.Reads.OUTPUT ? y : x, dy, A, B, dx);
    double[] dys = Elements.get(dy);
    assertThat(forward(op, DType.F32, values, A, B)).isEqualTo(Elements.get(y));
    assertThat(backward(op, DType.F32, values, dys, A, B)).isEqualTo(Elements.get(dx));
  }

  @Test
  void inPlace_readsBeforeItWrites() {
    View x = Layouts.CONTIGUOUS.view(DType.F32, Shape.of(37), random(37, 2, 8));
    double[] expected = forward(Unary.GELU, DType.F32, Elements.get(x), 0, 0);
    cpu.unary(Unary.GELU, x, 0, 0, x);
    assertThat(Elements.get(x)).isEqualTo(expected);
  }

  @Test
  void expandedInputs_areRead() {
    View row = Layouts.CONTIGUOUS.view(DType.F32, Shape.of(1, 19), random(19, 2, 9));
    View x = row.with(row.layout().expand(Shape.of(6, 19)));
    View y = Elements.zeros(DType.F32, 6, 19);
    cpu.unary(Unary.EXP, x, 0, 0, y);
    double[] one = forward(Unary.EXP, DType.F32, Elements.get(row), 0, 0);
    for (int r = 0; r < 6; r++) {
      assertThat(Arrays.copyOfRange(Elements.get(y), 19 * r, 19 * r + 19)).isEqualTo(one);
    }
    View dy = Elements.set(Elements.zeros(DType.F32), 2);
    View dx = Elements.zeros(DType.F32, 6, 19);
    cpu.unaryBackward(Unary.EXP, y, dy.with(dy.layout().expand(Shape.of(6, 19))), 0, 0, dx);
    double[] twice = Arrays.stream(Elements.get(y)).map(v -> 2 * v).toArray();
    assertThat(Elements.get(dx)).isEqualTo(twice);
  }

  @Test
  void backwardOfAConstantSlope_doesNotReadWhatWasSaved() {
    View nothing = Layouts.CONTIGUOUS.view(DType.F32, Shape.of(35), repeat(Double.NaN, 35));
    View dy = Layouts.CONTIGUOUS.view(DType.F32, Shape.of(35), repeat(3, 35));
    View dx = Elements.zeros(DType.F32, 35);
    cpu.unaryBackward(Unary.NEG, nothing, dy, 0, 0, dx);
    assertThat(Elements.get(dx)).containsOnly(-3);
    cpu.unaryBackward(Unary.SIGN, nothing, dy, 0, 0, dx);
    assertThat(Elements.get(dx)).containsOnly(0);
  }

  // Integers and truth values

  @ParameterizedTest
  @CsvSource({
    "I64, NEG, 5, -5",
    "I64, ABS, -7, 7",
    "I64, SQUARE, -9, 81",
    "I64, SIGN, -4, -1",
    "I64, SIGN, 0, 0",
    "I64, RELU, -4, 0",
    "I64, FLOOR, 3, 3",
    "I64, CLAMP, 9, 3",
    "I32, NEG, -2147483648, -2147483648",
    "I32, SQUARE, 65537, 131073",
    "I32, CLAMP, -9, -2",
    "I32, SIGN, 8, 1",
    "I32, RELU, 8, 8",
    "U8, NEG, 1, 255",
    "U8, SQUARE, 20, 144",
    "U8, CLAMP, 200, 3",
    "U8, SIGN, 200, 1",
    "U8, RELU, 200, 200",
    "U8, ABS, 200, 200",
  })
  void integers_wrapAround(DType dtype, Unary op, double x, double expected) {
    assertThat(forward(op, dtype, repeat(x, 5), -2, 3)).containsOnly(expected);
  }

  @Test
  void largeIntegers_areExact() {
    View x = Elements.zeros(DType.I64, 1);
    Scalars.storeI64(Long.MIN_VALUE + 3, CpuBuffer.segment(x), 0);
    cpu.unary(Unary.NEG, x, 0, 0, x);
    assertThat(Scalars.loadI64(CpuBuffer.segment(x), 0)).isEqualTo(Long.MAX_VALUE - 2);
  }

  @Test
  void clamp_ofIntegers_withoutBounds() {
    double inf = Double.POSITIVE_INFINITY;
    for (DType dtype : new DType[] {DType.I64, DType.I32, DType.U8}) {
      assertThat(forward(Unary.CLAMP, dtype, new double[] {200, 3}, -inf, 100))
          .containsExactly(100, 3);
      assertThat(forward(Unary.CLAMP, dtype, new double[] {200, 3}, -5, inf))
          .containsExactly(200, 3);
    }
  }

  @Test
  void not_ofTruthValues() {
    View x = Elements.set(Elements.zeros(DType.BOOL, 3), 1, 0, 1);
    View y = Elements.zeros(DType.BOOL, 3);
    cpu.unary(Unary.NOT, x, 0, 0, y);
    assertThat(Elements.get(y)).containsExactly(0, 1, 0);
  }

  // Help

  private double[] forward(Unary op, DType dtype, double[] x, double a, double b) {
    DType out = op.isPredicate() ? DType.BOOL : dtype;
    View y = Elements.zeros(out, x.length);
    cpu.unary(op, Layouts.CONTIGUOUS.view(dtype, Shape.of(x.length), x), a, b, y);
    return Elements.get(y);
  }

  /** The gradient by x, through the output where the derivative reads that. */
  private double[] backward(Unary op, DType dtype, double[] x, double[] dy, double a, double b) {
    Shape shape = Shape.of(x.length);
    View saved = Layouts.CONTIGUOUS.view(dtype, shape, x);
    if (op.reads() == Unary.Reads.OUTPUT) {
      cpu.unary(op, saved, a, b, saved);
    }
    View dx = Elements.zeros(dtype, x.length);
    cpu.unaryBackward(op, saved, Layouts.CONTIGUOUS.view(dtype, shape, dy), a, b, dx);
    return Elements.get(dx);
  }

  private static double[] assertSame(
      double @org.jspecify.annotations.Nullable [] expected, View actual) {
    double[] values = Elements.get(actual);
    if (expected != null) {
      assertThat(values).isEqualTo(expected);
    }
    return values;
  }

  private static void assertClose(DType dtype, String what, double actual, double expected) {
    double e = scalar(dtype, expected);
    if (Double.isNaN(e) || Double.isInfinite(e)) {
      assertThat(actual).as(what).isEqualTo(Double.valueOf(e));
    } else {
      // The tolerances of the conformance cases for GELU, the widest.
      double bound = dtype == DType.F32 ? 4e-6 + 1e-5 * Math.abs(e) : 1e-13 + 1e-12 * Math.abs(e);
      assertThat(actual).as(what).isCloseTo(e, within(bound));
    }
  }

  private static double scalar(DType dtype, double value) {
    return dtype == DType.F32 ? (float) value : value;
  }

  private static double[] ordinary(DType dtype) {
    double[] values = random(301, 4, 4);
    return Arrays.stream(values).map(v -> scalar(dtype, v)).toArray();
  }

  /** The values, made fit for functions that are not defined everywhere. */
  private static double[] domain(Unary op, double[] values) {
    return switch (op) {
      case LOG, SQRT, RSQRT, POW, RECIPROCAL ->
          Arrays.stream(values).map(v -> Math.abs(v) + 0.25).toArray();
      case LOG1P -> Arrays.stream(values).map(v -> Math.abs(v) - 0.75).toArray();
      default -> values;
    };
  }

  private static double[] special(DType dtype) {
    double max = dtype == DType.F32 ? Float.MAX_VALUE : Double.MAX_VALUE;
    double min = dtype == DType.F32 ? Float.MIN_VALUE : Double.MIN_VALUE;
    double normal = dtype == DType.F32 ? Float.MIN_NORMAL : Double.MIN_NORMAL;
    double inf = Double.POSITIVE_INFINITY;
    return new double[] {
      0,
      -0.0,
      min,
      -min,
      normal / 4,
      -normal / 4,
      normal,
      -normal,
      max,
      -max,
      inf,
      -inf,
      Double.NaN,
      1,
      -1,
      0.5,
      -0.5,
      2,
      -2,
      3,
      -3,
      100,
      -100,
      1e6,
      -1e6,
    };
  }

  private static double[] repeat(double value, int n) {
    double[] values = new double[n];
    Arrays.fill(values, value);
    return values;
  }

  private static double[] random(int n, double scale, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return random.doubles(n, -scale, scale).toArray();
  }
}

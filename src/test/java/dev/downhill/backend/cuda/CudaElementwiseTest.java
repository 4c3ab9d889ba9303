package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Backend;
import dev.downhill.backend.Binary;
import dev.downhill.backend.Buffer;
import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.backend.cpu.CpuProvider;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Every operator on every type and in many layouts, against the CPU, gaps between included. */
@Tag("cuda")
final class CudaElementwiseTest {
  private static final double A = 0.7;
  private static final double B = 1.9;
  private static final double INF = Double.POSITIVE_INFINITY;

  // Kinks, specials and limits among the ordinary.
  private static final double[] SPECIAL = {
    0,
    -0.0,
    1,
    -1,
    0.7,
    1.9,
    3,
    -3,
    2.5,
    -2.5,
    6,
    0.5,
    -0.5,
    20,
    -20,
    100,
    -100,
    1e30,
    -1e30,
    1e-30,
    -1e-30,
    INF,
    -INF,
    Double.NaN
  };

  private static Backend cpu;
  private static Backend cuda;

  @BeforeAll
  static void open() {
    cpu = new CpuProvider().open(0);
    cuda = new CudaProvider().open(0);
  }

  // The same elements on both devices

  /** Two views that hold the same. */
  private record Pair(View onCpu, View onCuda) {
    static Pair of(DType dtype, Layout layout, double... values) {
      Layout all = Layout.contiguous(Shape.of(Math.max(layout.reach(), 1)));
      long numel = all.shape().numel();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment s = arena.allocate(numel * dtype.bytes(), 64);
        for (int i = 0; i < numel; i++) {
          set(s, dtype, i, values[i % values.length]);
        }
        Pair pair =
            new Pair(
                new View(cpu.allocate(dtype, numel), layout),
                new View(cuda.allocate(dtype, numel), layout));
        cpu.upload(s, pair.onCpu.with(all));
        cuda.upload(s, pair.onCuda.with(all));
        return pair;
      }
    }

    DType dtype() {
      return onCpu.dtype();
    }

    /** All elements of both buffers are equal, but for {@code ulps} where the result is close. */
    void assertSame(String what, double ulps) {
      double[] expected = read(cpu, onCpu);
      double[] actual = read(cuda, onCuda);
      double precision =
          switch (dtype()) {
            case F64 -> 0x1p-52;
            case F32 -> 0x1p-23;
            default -> 0x1p-7;
          };
      for (int i = 0; i < expected.length; i++) {
        double size = Math.max(Math.abs(expected[i]), ulps == 0 ? 0 : 1);
        boolean same =
            Double.compare(expected[i], actual[i]) == 0
                || Math.abs(expected[i] - actual[i]) <= ulps * precision * size;
        if (!same) {
          assertThat(actual[i])
              .as("%s, %s: element %d of the buffer", what, onCpu, i)
              .isEqualTo(expected[i]);
        }
      }
      free();
    }

    void free() {
      cpu.free(onCpu.buffer());
      cuda.free(onCuda.buffer());
    }
  }

  private static double[] read(Backend backend, View view) {
    Buffer buffer = view.buffer();
    DType dtype = buffer.dtype();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(buffer.numel() * dtype.bytes(), 64);
      backend.download(view.with(Layout.contiguous(Shape.of(buffer.numel()))), s).await();
      double[] values = new double[(int) buffer.numel()];
      Arrays.setAll(values, i -> get(s, dtype, i));
      return values;
    }
  }

  private static double get(MemorySegment s, DType dtype, int i) {
    return switch (dtype) {
      case F64 -> s.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
      case F32 -> s.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      case BF16 -> Float.intBitsToFloat(s.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
      case I64 -> s.getAtIndex(ValueLayout.JAVA_LONG, i);
      case I32 -> s.getAtIndex(ValueLayout.JAVA_INT, i);
      case U8, BOOL -> s.get(ValueLayout.JAVA_BYTE, i) & 0xff;
    };
  }

  private static void set(MemorySegment s, DType dtype, int i, double value) {
    switch (dtype) {
      case F64 -> s.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
      case F32 -> s.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
      case BF16 -> {
        int bits = Float.floatToRawIntBits((float) value);
        s.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (bits >>> 16));
      }
      case I64 -> s.setAtIndex(ValueLayout.JAVA_LONG, i, (long) value);
      case I32 -> s.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
      case U8 -> s.set(ValueLayout.JAVA_BYTE, i, (byte) (long) value);
      case BOOL -> s.set(ValueLayout.JAVA_BYTE, i, (byte) (value > 0.5 ? 1 : 0));
    }
  }

  private static double[] values(DType dtype, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] values = new double[211];
    for (int i = 0; i < values.length; i++) {
      boolean special = dtype.isFloating() && random.nextInt(4) == 0;
      values[i] =
          special
              ? SPECIAL[random.nextInt(SPECIAL.length)]
              : dtype.isFloating() ? random.nextDouble(-4, 4) : random.nextInt(-300, 300);
    }
    return values;
  }

  /** Layouts of one shape: contiguous, misaligned, with gaps, transposed. */
  private static List<Layout> layouts(Shape shape) {
    List<Layout> layouts = new ArrayList<>();
    int last = shape.rank() - 1;
    layouts.add(Layout.contiguous(shape));
    if (last < 0) {
      layouts.add(Layout.of(shape, new long[0], 3));
      return layouts;
    }
    Shape wider = shape.with(last, shape.size(last) + 8);
    layouts.add(Layout.contiguous(wider).slice(last, 8, shape.size(last), 1));
    layouts.add(Layout.contiguous(wider).slice(last, 1, shape.size(last), 1));
    layouts.add(
        Layout.contiguous(shape.with(last, 2 * shape.size(last)))
            .slice(last, 0, shape.size(last), 2));
    if (last > 0) {
      long[] turned = shape.toArray();
      turned[0] = shape.size(last);
      turned[last] = shape.size(0);
      layouts.add(Layout.contiguous(Shape.of(turned)).transpose(0, last));
    }
    return layouts;
  }

  private static final List<Shape> SHAPES =
      List.of(
          Shape.SCALAR, Shape.of(0), Shape.of(1), Shape.of(37), Shape.of(5, 16), Shape.of(3, 2, 7));

  private static Layout expanded(Shape shape, int seed) {
    return switch (seed % 3) {
      case 0 -> Layout.contiguous(Shape.SCALAR).expand(shape);
      case 1 -> Layout.contiguous(shape.with(0, 1)).expand(shape);
      default -> Layout.contiguous(shape.with(shape.rank() - 1, 1)).expand(shape);
    };
  }

  // Functions of one number

  @ParameterizedTest
  @EnumSource
  void unary(Unary op) {
    for (DType dtype : DType.values()) {
      boolean whole =
          switch (op) {
            case NEG, ABS, SQUARE, SIGN, FLOOR, RELU -> dtype != DType.BOOL;
            case NOT -> dtype == DType.BOOL;
            default -> false;
          };
      if (!whole && (!dtype.isFloating() || op == Unary.NOT)) {
        continue;
      }
      for (Shape shape : SHAPES) {
        List<Layout> layouts = layouts(shape);
        for (int i = 0; i < layouts.size(); i++) {
          Layout other = layouts.get((i * 3 + 1) % layouts.size());
          Pair x = Pair.of(dtype, layouts.get(i), values(dtype, i));
          Pair y = Pair.of(op.isPredicate() ? DType.BOOL : dtype, other, 1);
          cpu.unary(op, x.onCpu, A, B, y.onCpu);
          cuda.unary(op, x.onCuda, A, B, y.onCuda);
          y.assertSame(op + " " + dtype, 8);
          if (!op.isPredicate()) {
            cpu.unary(op, x.onCpu, A, B, x.onCpu);
            cuda.unary(op, x.onCuda, A, B, x.onCuda);
            x.assertSame(op + " in place " + dtype, 8);
          } else {
            x.free();
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void unaryBackward(Unary op) {
    if (op.isPredicate()) {
      return;
    }
    for (DType dtype : new DType[] {DType.F64, DType.F32, DType.BF16}) {
      for (Shape shape : SHAPES) {
        List<Layout> layouts = layouts(shape);
        for (int i = 0; i < layouts.size(); i++) {
          Layout other = layouts.get((i * 3 + 1) % layouts.size());
          Pair x = Pair.of(dtype, layouts.get(i), values(dtype, i));
          Pair dy = Pair.of(dtype, other, 0.25, -1.5, 1, 2, -3, 0);
          Pair dx = Pair.of(dtype, layouts.get((i + 1) % layouts.size()), 1);
          cpu.unaryBackward(op, x.onCpu, dy.onCpu, A, B, dx.onCpu);
          cuda.unaryBackward(op, x.onCuda, dy.onCuda, A, B, dx.onCuda);
          dx.assertSame(op + "' " + dtype, 32);
          cpu.unaryBackward(op, x.onCpu, dy.onCpu, A, B, dy.onCpu);
          cuda.unaryBackward(op, x.onCuda, dy.onCuda, A, B, dy.onCuda);
          dy.assertSame(op + "' in place " + dtype, 32);
          x.free();
        }
      }
    }
  }

  /** Where a derivative changes its form: a power of 0, a softplus at its threshold. */
  @ParameterizedTest
  @CsvSource({"POW, 0, 0", "POW, 1, 0", "POW, 2, 0", "SOFTPLUS, 1, 2"})
  void derivativeWhereItsFormChanges(Unary op, double a, double b) {
    Layout five = Layout.contiguous(Shape.of(5));
    for (DType dtype : new DType[] {DType.F64, DType.F32, DType.BF16}) {
      Pair x = Pair.of(dtype, five, 0, -1, 2, Double.POSITIVE_INFINITY, Double.NaN);
      Pair dy = Pair.of(dtype, five, 3);
      Pair dx = Pair.of(dtype, five, 1);
      cpu.unaryBackward(op, x.onCpu, dy.onCpu, a, b, dx.onCpu);
      cuda.unaryBackward(op, x.onCuda, dy.onCuda, a, b, dx.onCuda);
      dx.assertSame(op + "' " + dtype, 8);
      x.free();
      dy.free();
    }
  }

  // Functions of two numbers

  @ParameterizedTest
  @EnumSource
  void binary(Binary op) {
    for (DType dtype : DType.values()) {
      boolean computes = op.compareTo(Binary.MAXIMUM) < 0;
      boolean floating = op == Binary.DIV || op == Binary.POW;
      if ((floating && !dtype.isFloating()) || (computes && dtype == DType.BOOL)) {
        continue;
      }
      double ulps = op == Binary.POW ? 8 : 0;
      DType out = op.isComparison() ? DType.BOOL : dtype;
      for (Shape shape : SHAPES) {
        List<Layout> layouts = layouts(shape);
        for (int i = 0; i < layouts.size(); i++) {
          Layout other = layouts.get((i * 3 + 1) % layouts.size());
          boolean expand = i % 2 == 1 && shape.rank() > 0 && shape.numel() > 0;
          Pair x = Pair.of(dtype, layouts.get(i), values(dtype, i));
          Pair y = Pair.of(dtype, expand ? expanded(shape, i) : other, values(dtype, i + 100));
          for (int form = 0; form < 3; form++) {
            Pair z = Pair.of(out, layouts.get((i + 1) % layouts.size()), 1);
            double number = dtype.isFloating() ? 0.3 : -2.9;
            switch (form) {
              case 0 -> {
                cpu.binary(op, x.onCpu, y.onCpu, z.onCpu);
                cuda.binary(op, x.onCuda, y.onCuda, z.onCuda);
              }
              case 1 -> {
                cpu.binary(op, x.onCpu, number, z.onCpu);
                cuda.binary(op, x.onCuda, number, z.onCuda);
              }
              default -> {
                cpu.binary(op, number, x.onCpu, z.onCpu);
                cuda.binary(op, number, x.onCuda, z.onCuda);
              }
            }
            z.assertSame(op + " " + dtype + " form " + form, ulps);
          }
          if (!op.isComparison()) {
            cpu.binary(op, x.onCpu, y.onCpu, x.onCpu);
            cuda.binary(op, x.onCuda, y.onCuda, x.onCuda);
            x.assertSame(op + " in place " + dtype, ulps);
          } else {
            x.free();
          }
          y.free();
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void binary_ofSpecialValues(Binary op) {
    int n = SPECIAL.length;
    for (DType dtype : new DType[] {DType.F64, DType.F32, DType.BF16}) {
      Shape square = Shape.of(n, n);
      Pair x = Pair.of(dtype, Layout.contiguous(Shape.of(n, 1)).expand(square), SPECIAL);
      Pair y = Pair.of(dtype, Layout.contiguous(Shape.of(n)).expand(square), SPECIAL);
      Pair z = Pair.of(op.isComparison() ? DType.BOOL : dtype, Layout.contiguous(square), 1);
      cpu.binary(op, x.onCpu, y.onCpu, z.onCpu);
      cuda.binary(op, x.onCuda, y.onCuda, z.onCuda);
      z.assertSame(op + " " + dtype, op == Binary.POW ? 8 : 0);
      x.free();
      y.free();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "I64, ADD, 9223372036854775807, 1",
    "I64, SUB, -9223372036854775807, 2",
    "I64, MUL, 4294967297, 4294967296",
    "I64, MAXIMUM, -9223372036854775807, 9223372036854775807",
    "I32, ADD, 2147483647, 1",
    "I32, MUL, 65537, 65536",
    "U8, ADD, 200, 100",
    "U8, SUB, 1, 2",
  })
  void binary_ofIntegers_wrapsAround(DType dtype, Binary op, long x, long y) {
    Layout three = Layout.contiguous(Shape.of(3));
    Pair left = Pair.of(dtype, three, x);
    Pair right = Pair.of(dtype, three, y);
    cpu.binary(op, left.onCpu, right.onCpu, left.onCpu);
    cuda.binary(op, left.onCuda, right.onCuda, left.onCuda);
    left.assertSame(op + " " + dtype, 0);
  }

  // What is moved

  @ParameterizedTest
  @EnumSource
  void copy(DType from) {
    double[] some = {
      0,
      1,
      -1,
      2.75,
      -2.75,
      255.5,
      300,
      1e10,
      -1e10,
      1e300,
      2147483647.5,
      -2147483648.5,
      9223372036854775807.0,
      -9223372036854775808.0,
      INF,
      -INF,
      Double.NaN,
      -0.0,
      33554435
    };
    for (DType to : DType.values()) {
      for (Shape shape : SHAPES) {
        for (Layout x : layouts(shape)) {
          for (Layout y : layouts(shape)) {
            Pair source = Pair.of(from, x, some);
            Pair target = Pair.of(to, y, 1);
            cpu.copy(source.onCpu, target.onCpu);
            cuda.copy(source.onCuda, target.onCuda);
            target.assertSame(from + " to " + to, 0);
            source.free();
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void fillAndArange(DType dtype) {
    for (Shape shape : SHAPES) {
      for (Layout layout : layouts(shape)) {
        for (double value : new double[] {0, -0.0, 0.1, -2.9, 3e9, 257, 1e300, INF, Double.NaN}) {
          Pair y = Pair.of(dtype, layout, 1);
          cpu.fill(y.onCpu, value);
          cuda.fill(y.onCuda, value);
          y.assertSame("fill " + value, 0);
        }
        if (layout.isContiguous()) {
          for (double step : new double[] {0.1, 1, -3, 1e18}) {
            Pair y = Pair.of(dtype, layout, 1);
            cpu.arange(y.onCpu, 0.7 + step, step);
            cuda.arange(y.onCuda, 0.7 + step, step);
            y.assertSame("arange by " + step, 0);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void where(DType dtype) {
    for (Shape shape : SHAPES) {
      List<Layout> layouts = layouts(shape);
      for (int i = 0; i < layouts.size(); i++) {
        boolean expand = i % 2 == 0 && shape.rank() > 0 && shape.numel() > 0;
        Layout other = layouts.get((i * 3 + 1) % layouts.size());
        Pair condition =
            Pair.of(DType.BOOL, expand ? expanded(shape, i) : other, 1, 0, 0, 1, 1, 1, 0);
        Pair x = Pair.of(dtype, layouts.get(i), values(dtype, i));
        Pair y = Pair.of(dtype, other, values(dtype, i + 1));
        Pair z = Pair.of(dtype, layouts.get((i + 1) % layouts.size()), 1);
        cpu.where(condition.onCpu, x.onCpu, y.onCpu, z.onCpu);
        cuda.where(condition.onCuda, x.onCuda, y.onCuda, z.onCuda);
        z.assertSame("where " + dtype, 0);
        List.of(condition, x, y).forEach(Pair::free);
      }
    }
  }

  @Test
  void moreElementsThanThreads() {
    Layout layout = Layout.contiguous(Shape.of(1_300_003));
    Pair x = Pair.of(DType.F32, layout, values(DType.F32, 1));
    Pair z = Pair.of(DType.F32, layout, 1);
    cpu.binary(Binary.MUL, x.onCpu, 3, z.onCpu);
    cuda.binary(Binary.MUL, x.onCuda, 3, z.onCuda);
    z.assertSame("mul", 0);
    x.free();
  }
}

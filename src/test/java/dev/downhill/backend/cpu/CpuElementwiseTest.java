package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Unary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class CpuElementwiseTest {
  private static final Workers WORKERS = new Workers(2);
  private static final double INF = Double.POSITIVE_INFINITY;

  private final CpuElementwise cpu = new CpuElementwise(WORKERS);

  @AfterAll
  static void close() {
    WORKERS.close();
  }

  // Binary

  @ParameterizedTest
  @EnumSource
  void binary_isTheDefinition(Binary op) {
    double[] special = {0, -0.0, 1, -1, 2.5, -2.5, 1e30, 1e-30, INF, -INF, Double.NaN, 3, 0.5};
    int n = special.length * special.length;
    double[] x = new double[n];
    double[] y = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = special[i / special.length];
      y[i] = special[i % special.length];
    }
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      View vx = Layouts.CONTIGUOUS.view(dtype, Shape.of(n), x);
      View vy = Layouts.STEPPED.view(dtype, Shape.of(n), y);
      View z = Elements.zeros(op.isComparison() ? DType.BOOL : dtype, n);
      cpu.binary(op, vx, vy, z);
      double[] rx = Elements.get(vx);
      double[] ry = Elements.get(vy);
      double[] actual = Elements.get(z);
      for (int i = 0; i < n; i++) {
        double exact = reference(op, rx[i], ry[i]);
        double expected = dtype == DType.F32 ? (float) exact : exact;
        if (op == Binary.POW && Math.abs(expected) < INF) {
          assertThat(actual[i]).isCloseTo(expected, within(1e-6 * Math.abs(expected)));
        } else {
          assertThat(actual[i])
              .as("%s(%s, %s)", op, rx[i], ry[i])
              .isEqualTo(Double.valueOf(expected));
        }
      }
    }
  }

  private static double reference(Binary op, double x, double y) {
    return switch (op) {
      case ADD -> x + y;
      case SUB -> x - y;
      case MUL -> x * y;
      case DIV -> x / y;
      // As in C: Java's pow is NaN here.
      case POW -> x == 1 || (x == -1 && Math.abs(y) == INF) ? 1 : StrictMath.pow(x, y);
      case MAXIMUM -> Math.max(x, y);
      case MINIMUM -> Math.min(x, y);
      case EQ -> x == y ? 1 : 0;
      case NE -> x != y ? 1 : 0;
      case LT -> x < y ? 1 : 0;
      case LE -> x <= y ? 1 : 0;
      case GT -> x > y ? 1 : 0;
      case GE -> x >= y ? 1 : 0;
    };
  }

  @ParameterizedTest
  @EnumSource
  void binary_anyLayoutAndAScalar_giveTheSameBits(Binary op) {
    for (DType dtype : DType.values()) {
      boolean whole = !dtype.isFloating();
      if (dtype == DType.BF16
          || (whole && (op == Binary.DIV || op == Binary.POW))
          || (dtype == DType.BOOL && op.compareTo(Binary.POW) <= 0)) {
        continue;
      }
      DType out = op.isComparison() ? DType.BOOL : dtype;
      for (Shape shape : Layouts.SHAPES) {
        int n = (int) shape.numel();
        double[] x = random(n, dtype, 1);
        double[] y = random(n, dtype, 2);
        View expected = Elements.zeros(out, shape.toArray());
        cpu.binary(
            op,
            Layouts.CONTIGUOUS.view(dtype, shape, x),
            Layouts.CONTIGUOUS.view(dtype, shape, y),
            expected);
        Layouts[] all = Layouts.values();
        for (int i = 0; i < all.length; i++) {
          Layouts layout = all[i];
          Layouts other = all[(i * 2 + 1) % all.length];
          View z = other.view(out, shape);
          cpu.binary(op, layout.view(dtype, shape, x), other.view(dtype, shape, y), z);
          assertThat(Elements.get(z)).isEqualTo(Elements.get(expected));

          // A number, on either side, is an expanded operand.
          View number = Elements.set(Elements.zeros(dtype), 3);
          View everywhere = number.with(number.layout().expand(shape));
          cpu.binary(op, layout.view(dtype, shape, x), everywhere, z);
          View scalar = layout.view(out, shape);
          cpu.binary(op, layout.view(dtype, shape, x), 3, scalar);
          assertThat(Elements.get(scalar)).isEqualTo(Elements.get(z));
          cpu.binary(op, everywhere, layout.view(dtype, shape, x), z);
          cpu.binary(op, 3, layout.view(dtype, shape, x), scalar);
          assertThat(Elements.get(scalar)).isEqualTo(Elements.get(z));
        }
      }
    }
  }

  @Test
  void binary_broadcastRowsAndColumns() {
    View x = Elements.set(Elements.zeros(DType.F32, 5, 37), random(185, DType.F32, 3));
    View row = Elements.set(Elements.zeros(DType.F32, 1, 37), random(37, DType.F32, 4));
    View column = Elements.set(Elements.zeros(DType.F32, 5, 1), random(5, DType.F32, 5));
    View z = Elements.zeros(DType.F32, 5, 37);
    View rows = row.with(row.layout().expand(x.shape()));
    View columns = column.with(column.layout().expand(x.shape()));
    for (View[] operands :
        new View[][] {{x, rows}, {rows, x}, {x, columns}, {columns, x}, {rows, columns}}) {
      cpu.binary(Binary.SUB, operands[0], operands[1], z);
      double[] a = Elements.get(operands[0]);
      double[] b = Elements.get(operands[1]);
      double[] difference = Elements.get(z);
      for (int i = 0; i < 185; i++) {
        assertThat(difference[i]).isEqualTo((float) a[i] - (float) b[i]);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "I64, ADD, 9223372036854775807, 1, -9223372036854775808",
    "I64, MUL, 4294967296, 4294967296, 0",
    "I64, SUB, -9223372036854775808, 1, 9223372036854775807",
    "I64, MAXIMUM, 9223372036854775807, 9223372036854775806, 9223372036854775807",
    "I64, LT, 9223372036854775806, 9223372036854775807, 1",
    "I64, EQ, 9223372036854775806, 9223372036854775807, 0",
    "I32, ADD, 2147483647, 1, -2147483648",
    "I32, MUL, 65536, 65536, 0",
    "I32, MINIMUM, -2147483648, 2147483647, -2147483648",
    "U8, ADD, 200, 100, 44",
    "U8, SUB, 1, 2, 255",
    "U8, MAXIMUM, 200, 100, 200",
    "U8, GT, 200, 100, 1",
    "BOOL, MAXIMUM, 0, 1, 1",
    "BOOL, MINIMUM, 0, 1, 0",
    "BOOL, EQ, 1, 1, 1",
  })
  void binary_ofIntegers_wrapsAround(DType dtype, Binary op, long x, long y, long expected) {
    View vx = integers(dtype, x);
    View vy = integers(dtype, y);
    View z = Elements.zeros(op.isComparison() ? DType.BOOL : dtype, 3);
    cpu.binary(op, vx, vy, z);
    for (int i = 0; i < 3; i++) {
      assertThat(AnyType.integer(z.dtype(), CpuBuffer.segment(z), i)).isEqualTo(expected);
    }
  }

  private static View integers(DType dtype, long value) {
    View view = Elements.zeros(dtype, 3);
    for (int i = 0; i < 3; i++) {
      long at = (long) i * dtype.bytes();
      switch (dtype) {
        case I64 -> Scalars.storeI64(value, CpuBuffer.segment(view), at);
        case I32 -> Scalars.storeI32((int) value, CpuBuffer.segment(view), at);
        default -> Scalars.storeU8((int) value, CpuBuffer.segment(view), at);
      }
    }
    return view;
  }

  @Test
  void binary_scalar_isRoundedToTheTypeOfTheOther() {
    View x = Elements.set(Elements.zeros(DType.F32, 1), 1);
    View z = Elements.zeros(DType.F32, 1);
    cpu.binary(Binary.MUL, x, 0.1, z);
    assertThat(Elements.get(z)).containsExactly(0.1f);
    View i = Elements.set(Elements.zeros(DType.I32, 1), 7);
    cpu.binary(Binary.ADD, i, 2.9, i);
    assertThat(Elements.get(i)).containsExactly(9);
    View u = Elements.set(Elements.zeros(DType.U8, 1), 7);
    View less = Elements.zeros(DType.BOOL, 1);
    cpu.binary(Binary.LT, u, -1, less);
    assertThat(Elements.get(less)).containsExactly(1);
  }

  // Copy, fill, arange, where

  @ParameterizedTest
  @EnumSource
  void copy_toEveryType(DType from) {
    double[] values = {
      0, 1, -1, 2.75, -2.75, 255.5, 300, 1e10, -1e10, 1e300, INF, -INF, Double.NaN
    };
    int n = values.length;
    View x = Elements.set(Elements.zeros(from, n), values);
    double[] held = Elements.get(x);
    for (DType to : DType.values()) {
      View y = Elements.zeros(to, n);
      cpu.copy(x, y);
      double[] actual = Elements.get(y);
      for (int i = 0; i < n; i++) {
        double v = held[i];
        boolean whole = !from.isFloating();
        double expected =
            switch (to) {
              case F64 -> v;
              case F32 -> (float) v;
              case BF16 -> Float.intBitsToFloat(Scalars.bf16((float) v) << 16);
              case I64 -> from == DType.I64 ? v : (long) v;
              case I32 -> whole ? (int) (long) v : (int) v;
              case U8 -> (whole ? (int) (long) v : (int) v) & 0xff;
              case BOOL -> v == 0 ? 0 : 1;
            };
        assertThat(actual[i])
            .as("%s %s as %s", from, held[i], to)
            .isEqualTo(Double.valueOf(expected));
      }
    }
  }

  @Test
  void copy_ofLargeIntegers_isExact() {
    View x = integers(DType.I64, Long.MAX_VALUE - 1);
    View y = Elements.zeros(DType.I64, 3);
    cpu.copy(x, y);
    assertThat(Scalars.loadI64(CpuBuffer.segment(y), 16)).isEqualTo(Long.MAX_VALUE - 1);
  }

  @ParameterizedTest
  @EnumSource
  void copy_anyLayout(DType dtype) {
    for (Shape shape : Layouts.SHAPES) {
      double[] values = random((int) shape.numel(), dtype, 6);
      for (Layouts from : Layouts.values()) {
        for (Layouts to : Layouts.values()) {
          View y = to.view(dtype, shape);
          cpu.copy(from.view(dtype, shape, values), y);
          assertThat(Elements.get(y)).isEqualTo(values);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"300, 217", "1, 500", "500, 1", "16, 16", "17, 33", "2, 20000"})
  void copy_transposed(int rows, int cols) {
    for (DType dtype : new DType[] {DType.F32, DType.F64, DType.U8}) {
      View x = Elements.set(Elements.zeros(dtype, cols, rows), random(rows * cols, dtype, 7));
      View transposed = x.with(x.layout().transpose(0, 1));
      View y = Elements.zeros(dtype, rows, cols);
      cpu.copy(transposed, y);
      assertThat(Elements.get(y)).isEqualTo(Elements.get(transposed));
      // And into a transposed view.
      View back = Elements.zeros(dtype, cols, rows);
      cpu.copy(y, back.with(back.layout().transpose(0, 1)));
      assertThat(Elements.get(back)).isEqualTo(Elements.get(x));
    }
  }

  @Test
  void copy_permutedImages() {
    Shape shape = Shape.of(3, 5, 40, 41);
    View x = Elements.zeros(DType.F32, shape.toArray());
    Elements.set(x, random((int) shape.numel(), DType.F32, 8));
    View channelsLast = x.with(x.layout().permute(0, 2, 3, 1));
    View y = Elements.zeros(DType.F32, 3, 40, 41, 5);
    cpu.copy(channelsLast, y);
    assertThat(Elements.get(y)).isEqualTo(Elements.get(channelsLast));
  }

  @Test
  void outputs_keepWhatLiesBetween() {
    View base = Elements.zeros(DType.F32, 4, 50);
    cpu.fill(base, 7);
    View inside = base.with(base.layout().slice(1, 3, 37, 1).slice(0, 1, 2, 1));
    cpu.fill(inside, 1);
    cpu.binary(Binary.ADD, inside, inside, inside);
    double[] values = Elements.get(base);
    for (int i = 0; i < 200; i++) {
      boolean in = i / 50 >= 1 && i / 50 < 3 && i % 50 >= 3 && i % 50 < 40;
      assertThat(values[i]).isEqualTo(in ? 2 : 7);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "F64, 0.1, 0.1",
    "F32, 0.1, 0.10000000149011612",
    "BF16, 0.1, 0.10009765625",
    "F32, NaN, NaN",
    "I64, -2.9, -2",
    "I32, 3e9, 2147483647",
    "U8, 257, 1",
    "BOOL, 0.5, 1",
    "BOOL, NaN, 1",
    "BOOL, 0, 0",
    "F32, -0.0, -0.0",
    "F64, -Infinity, -Infinity",
  })
  void fill_convertsTheValue(DType dtype, double value, double expected) {
    for (Layouts layout : Layouts.values()) {
      for (Shape shape : Layouts.SHAPES) {
        View y = layout.view(dtype, shape);
        cpu.fill(y, value);
        double[] values = new double[(int) shape.numel()];
        Arrays.fill(values, expected);
        assertThat(Elements.get(y)).isEqualTo(values);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void fill_withZero_clearsThePartAlone(DType dtype) {
    // Several tasks, the last of them not full.
    int n = 300_000;
    View base = Elements.zeros(dtype, n);
    cpu.fill(base, 1);
    cpu.fill(base.with(base.layout().slice(0, 3, n - 5, 1)), 0);
    double[] expected = new double[n];
    Arrays.fill(expected, 0, 3, 1);
    Arrays.fill(expected, n - 2, n, 1);
    assertThat(Elements.get(base)).isEqualTo(expected);
  }

  @Test
  void arange_isComputedInF64OrI64() {
    View y = Elements.zeros(DType.F32, 10);
    View part = y.with(y.layout().slice(0, 2, 8, 1));
    cpu.arange(part, 0.5, 0.1);
    assertThat(Elements.get(part)[7]).isEqualTo((float) (0.5 + 7 * 0.1));
    assertThat(Elements.get(y)[1]).isZero();
    for (DType dtype : DType.values()) {
      View z = Elements.zeros(dtype, 4);
      cpu.arange(z, 0, 1);
      assertThat(Elements.get(z))
          .containsExactly(
              dtype == DType.BOOL ? new double[] {0, 1, 1, 1} : new double[] {0, 1, 2, 3});
    }
    View large = Elements.zeros(DType.I64, 3);
    cpu.arange(large, 0x1p60, 1);
    assertThat(Scalars.loadI64(CpuBuffer.segment(large), 16)).isEqualTo((1L << 60) + 2);
  }

  @ParameterizedTest
  @EnumSource
  void where_choosesWithoutTouchingTheOther(DType dtype) {
    for (Shape shape : Layouts.SHAPES) {
      int n = (int) shape.numel();
      double[] condition = random(n, DType.BOOL, 9);
      double[] x = random(n, dtype, 10);
      double[] y = random(n, dtype, 11);
      double[] expected = new double[n];
      for (int i = 0; i < n; i++) {
        expected[i] = condition[i] != 0 ? x[i] : y[i];
      }
      Layouts[] all = Layouts.values();
      for (int i = 0; i < all.length; i++) {
        Layouts layout = all[i];
        Layouts other = all[(i + 2) % all.length];
        View z = other.view(dtype, shape);
        cpu.where(
            layout.view(DType.BOOL, shape, condition),
            other.view(dtype, shape, x),
            layout.view(dtype, shape, y),
            z);
        assertThat(Elements.get(z)).isEqualTo(expected);
      }
    }
  }

  // Determinism

  @Test
  void anyNumberOfThreads_givesTheSameBits() {
    Shape shape = Shape.of(301, 403);
    View x = Elements.set(Elements.zeros(DType.F32, 301, 403), random(301 * 403, DType.F32, 12));
    View turned = Elements.zeros(DType.F32, 403, 301);
    Elements.set(turned, random(301 * 403, DType.F32, 13));
    View y = turned.with(turned.layout().transpose(0, 1));
    double[][] expected = new double[4][];
    for (int threads : new int[] {1, 2, 3, 8}) {
      try (Workers workers = new Workers(threads)) {
        CpuElementwise some = new CpuElementwise(workers);
        View z = new View(Elements.zeros(DType.F32, 301 * 403).buffer(), Layout.contiguous(shape));
        for (int op = 0; op < 4; op++) {
          switch (op) {
            case 0 -> some.unary(Unary.GELU, x, 0, 0, z);
            case 1 -> some.binary(Binary.DIV, x, y, z);
            case 2 -> some.copy(y, z);
            default -> some.unaryBackward(Unary.TANH, y, x, 0, 0, z);
          }
          double[] values = Elements.get(z);
          if (threads == 1) {
            expected[op] = values;
          }
          assertThat(Arrays.equals(values, expected[op])).isTrue();
        }
      }
    }
  }

  /** Numbers that the type holds exactly; zeros among them. */
  private static double[] random(int n, DType dtype, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] =
          switch (dtype) {
            case F64 -> random.nextDouble(-4, 4);
            case F32 -> (float) random.nextDouble(-4, 4);
            case BF16 -> random.nextInt(-128, 128) / 16.0;
            case I64, I32 -> random.nextInt(-9, 10);
            case U8 -> random.nextInt(0, 256);
            case BOOL -> random.nextInt(0, 2);
          };
    }
    return values;
  }
}

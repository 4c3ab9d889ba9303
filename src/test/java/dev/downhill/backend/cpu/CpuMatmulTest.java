package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import dev.downhill.OwnProcess;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Products bit for bit as the definition says, for all strides, and the definition against doubles.
 */
final class CpuMatmulTest {
  private static final double[][] SCALARS = {{1, 0}, {1, 1}, {0.3, 0}, {-1.7, 0.6}};

  private final CpuMatmul matmul = new CpuMatmul(new Workers(1));
  private final SplittableRandom random = new SplittableRandom(7);

  /** A matrix with gaps between its rows (or columns, if transposed), after some other elements. */
  private View matrix(DType dtype, long rows, long cols, boolean transposed) {
    long inner = transposed ? rows : cols;
    long outer = transposed ? cols : rows;
    long gap = random.nextInt(4);
    long offset = random.nextInt(5);
    View all = normal(dtype, offset + outer * (inner + gap) + 3);
    long[] strides = transposed ? new long[] {1, inner + gap} : new long[] {inner + gap, 1};
    return all.with(Layout.of(Shape.of(rows, cols), strides, offset));
  }

  private View normal(DType dtype, long... sizes) {
    View view = Elements.zeros(dtype, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(values, i -> random.nextGaussian());
    return Elements.set(view, values);
  }

  private static View whole(View view) {
    return view.with(Layout.contiguous(Shape.of(view.buffer().numel())));
  }

  private static View copy(View view) {
    View all = whole(view);
    View copy = Elements.set(Elements.zeros(view.dtype(), all.shape().numel()), Elements.get(all));
    return copy.with(view.layout());
  }

  /** Also compares what lies around y. */
  private void assertAsDefined(View a, View b, double alpha, double beta, View y) {
    View expected = copy(y);
    CpuMatmul.reference(a, b, alpha, beta, expected, null);
    matmul.matmul(a, b, alpha, beta, y);
    assertThat(Elements.get(whole(y)))
        .as("%s %s %s alpha %s beta %s", a.layout(), b.layout(), y.layout(), alpha, beta)
        .isEqualTo(Elements.get(whole(expected)));
  }

  private static void poison(View y) {
    double[] values = new double[(int) y.shape().numel()];
    Arrays.fill(values, Double.NaN);
    Elements.set(y, values);
  }

  @ParameterizedTest
  @CsvSource({"F32, 400", "F64, 100"})
  void oddSizes_allTransposes(DType dtype, int cases) {
    for (int i = 0; i < cases; i++) {
      int m = 1 + random.nextInt(70);
      int n = 1 + random.nextInt(70);
      int k = 1 + random.nextInt(70);
      double[] scalars = SCALARS[i / 4 % 4];
      View y = matrix(dtype, m, n, false);
      if (scalars[1] == 0) {
        poison(y);
      }
      assertAsDefined(
          matrix(dtype, m, k, (i & 1) != 0),
          matrix(dtype, k, n, (i & 2) != 0),
          scalars[0],
          scalars[1],
          y);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "260, 270, 300",
    "257, 33, 520",
    "513, 1, 300",
    "1, 700, 300",
    "8, 8, 1000",
    "600, 70, 3",
    "1025, 150, 20",
    "3, 600, 600",
    "256, 4, 64",
    "64, 64, 256",
    "31, 257, 257"
  })
  void manyBlocks_allTransposes(int m, int n, int k) {
    for (int i = 0; i < 4; i++) {
      View a = matrix(DType.F32, m, k, (i & 1) != 0);
      View b = matrix(DType.F32, k, n, (i & 2) != 0);
      assertAsDefined(a, b, SCALARS[i][0], SCALARS[i][1], matrix(DType.F32, m, n, false));
    }
    View a = matrix(DType.F64, m, k, true);
    assertAsDefined(a, matrix(DType.F64, k, n, true), 1, 1, matrix(DType.F64, m, n, false));
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void bias_isWhatEveryRowBeginsWith(DType dtype) {
    for (int[] s :
        new int[][] {
          {7, 5, 70}, {70, 1, 9}, {1, 90, 600}, {13, 64, 300}, {130, 129, 0}, {600, 3, 3}
        }) {
      View a = matrix(dtype, s[0], s[2], false);
      View b = matrix(dtype, s[2], s[1], true);
      View y = matrix(dtype, s[0], s[1], false);
      View row = matrix(dtype, 3, s[1], true);
      View bias = row.with(row.layout().slice(0, 1, 1, 1).squeeze(0));
      poison(y);
      View expected = copy(y);
      CpuMatmul.reference(a, b, 1, 0, expected, bias);
      matmul.matmul(a, b, bias, y);
      assertThat(Elements.get(whole(y))).isEqualTo(Elements.get(whole(expected)));
      double[] rows = new double[s[0] * s[1]];
      double[] one = Elements.get(bias);
      Arrays.setAll(rows, e -> one[e % s[1]]);
      Elements.set(expected, rows);
      CpuMatmul.reference(a, b, 1, 1, expected, null);
      assertThat(Elements.get(expected)).isEqualTo(Elements.get(y));
    }
  }

  /** Its elements are made while they are packed. */
  private record Made(DType dtype, double scale) implements Operand {
    @Override
    public void pack(
        long matrix,
        long line,
        int lines,
        long k,
        int depth,
        MemorySegment to,
        long at,
        int width) {
      for (int p = 0; p < depth; p++) {
        for (int l = 0; l < width; l++) {
          double x = l < lines ? at(matrix, line + l, k + p) : 0;
          long place = at + (long) (p * width + l) * dtype.bytes();
          if (dtype == DType.F64) {
            Scalars.storeF64(x, to, place);
          } else {
            Scalars.storeF32((float) x, to, place);
          }
        }
      }
    }

    private double at(long matrix, long line, long k) {
      return (float) Math.sin(scale * (matrix * 77 + line * 13 + k));
    }

    /** The same in memory. */
    View view(long count, long lines, long k) {
      View view = Elements.zeros(dtype, count, lines, k);
      double[] values = new double[(int) (count * lines * k)];
      Arrays.setAll(values, e -> at(e / k / lines, e / k % lines, e % k));
      return Elements.set(view, values);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void operandsMadeWhilePacked(DType dtype) {
    for (int[] s : new int[][] {{1, 30, 40, 50}, {3, 70, 5, 9}, {2, 520, 513, 300}}) {
      Made left = new Made(dtype, 0.7);
      Made right = new Made(dtype, 0.3);
      View a = left.view(s[0], s[1], s[3]);
      View b = right.view(s[0], s[2], s[3]);
      View y = normal(dtype, s[0], s[1], s[2]);
      View bias = normal(dtype, s[2]);
      View expected = copy(y);
      CpuMatmul.reference(a, b.with(b.layout().transpose(1, 2)), 0.5, 1, expected, bias);
      matmul.multiply(left, right, s[3], 0.5, 1, y, bias);
      assertThat(Elements.get(y)).isEqualTo(Elements.get(expected));
    }
  }

  @Test
  void productsAllocateNothing() throws IOException, InterruptedException {
    assertThat(OwnProcess.printing("0", Allocation.class)).isEqualTo("0");
  }

  /** Prints the fewest bytes that two products allocated on the Java heap. */
  static final class Allocation {
    private Allocation() {}

    public static void main(String[] args) {
      CpuMatmul matmul = new CpuMatmul(new Workers(1));
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      View a = Elements.zeros(DType.F32, 2, 33, 20);
      View b = Elements.zeros(DType.F32, 2, 20, 40);
      View y = Elements.zeros(DType.F32, 2, 33, 40);
      View bias = Elements.zeros(DType.F32, 40);
      long least = Long.MAX_VALUE;
      for (int i = 0; i < 200_000 && least > 0; i++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        matmul.matmul(a, b, 1, 1, y);
        matmul.matmul(a, b, bias, y);
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      System.out.println(least);
      System.exit(0);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void threads_doNotChangeBits(int threads) {
    try (Workers workers = new Workers(threads)) {
      CpuMatmul parallel = new CpuMatmul(workers);
      for (long[] shape :
          new long[][] {
            {1, 260, 150, 290},
            {1, 64, 400, 100},
            {1, 2100, 33, 40},
            {20, 33, 17, 40},
            {2000, 1, 1, 64}
          }) {
        View a = normal(DType.F32, shape[0], shape[1], shape[3]);
        View b = normal(DType.F32, shape[0], shape[3], shape[2]);
        View y = normal(DType.F32, shape[0], shape[1], shape[2]);
        View expected = copy(y);
        CpuMatmul.reference(a, b, 0.5, 2, expected, null);
        parallel.matmul(a, b, 0.5, 2, y);
        assertThat(Elements.get(y)).isEqualTo(Elements.get(expected));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void batches_repeatWhereTheStrideIsZero(DType dtype) {
    Shape batch = Shape.of(3, 2, 5, 7);
    Shape right = Shape.of(3, 2, 7, 6);
    View a = normal(dtype, 2, 5, 7);
    View b = normal(dtype, 3, 1, 7, 6);
    View y = normal(dtype, 3, 2, 5, 6);
    assertAsDefined(a.with(a.layout().expand(batch)), b.with(b.layout().expand(right)), 1, 0, y);
    View first = y.with(y.layout().slice(0, 0, 1, 1).slice(1, 1, 1, 1));
    View single = Elements.zeros(dtype, 1, 1, 5, 6);
    matmul.matmul(
        a.with(a.layout().slice(0, 1, 1, 1).unsqueeze(0)),
        b.with(b.layout().slice(0, 0, 1, 1)),
        1,
        0,
        single);
    assertThat(Elements.get(first)).isEqualTo(Elements.get(single));
  }

  @Test
  void batches_ofPermutedDimensions() {
    // Heads: (batch, time, head, size) seen as (batch, head, time, size), keys transposed.
    View q = normal(DType.F32, 2, 9, 3, 8);
    View k = normal(DType.F32, 2, 11, 3, 8);
    View y = normal(DType.F32, 2, 3, 9, 11);
    View keys = k.with(k.layout().permute(0, 2, 3, 1));
    assertAsDefined(q.with(q.layout().permute(0, 2, 1, 3)), keys, 0.35, 0, y);
  }

  @Test
  void rank8() {
    View a = normal(DType.F32, 1, 2, 1, 2, 1, 2, 3, 4);
    View b = normal(DType.F32, 1, 2, 1, 2, 1, 2, 4, 5);
    assertAsDefined(a, b, 1, 0, normal(DType.F32, 1, 2, 1, 2, 1, 2, 3, 5));
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void noInnerElements_giveBetaY(DType dtype) {
    View a = Elements.zeros(dtype, 40, 0);
    View b = Elements.zeros(dtype, 0, 35);
    View y = normal(dtype, 40, 35);
    double[] doubled = Arrays.stream(Elements.get(y)).map(v -> 2 * v).toArray();
    matmul.matmul(a, b, 1, 2, y);
    assertThat(Elements.get(y)).isEqualTo(doubled);
    poison(y);
    matmul.matmul(a, b, 1, 0, y);
    assertThat(Elements.get(y)).containsOnly(0);
  }

  @ParameterizedTest
  @CsvSource({"0, 5, 3, 1", "5, 0, 3, 1", "5, 4, 3, 0", "0, 0, 0, 0"})
  void noResults_doNothing(int m, int n, int k, int batch) {
    View y = Elements.zeros(DType.F32, batch, m, n);
    matmul.matmul(
        Elements.zeros(DType.F32, batch, m, k), Elements.zeros(DType.F32, batch, k, n), 1, 0, y);
    assertThat(Elements.get(y)).isEmpty();
  }

  @Test
  void notANumber_staysWhereItBelongs() {
    View a = normal(DType.F32, 20, 40);
    View b = normal(DType.F32, 40, 50);
    double[] values = Elements.get(a);
    values[3 * 40 + 7] = Double.NaN;
    View y = Elements.zeros(DType.F32, 20, 50);
    matmul.matmul(Elements.set(a, values), b, 1, 0, y);
    double[] result = Elements.get(y);
    for (int i = 0; i < result.length; i++) {
      assertThat(Double.isNaN(result[i])).isEqualTo(i / 50 == 3);
    }
  }

  @Test
  void reference_isTheProduct() {
    View a = matrix(DType.F32, 13, 57, true);
    View b = matrix(DType.F32, 57, 11, false);
    View y = matrix(DType.F32, 13, 11, false);
    double[] x = Elements.get(a);
    double[] z = Elements.get(b);
    double[] old = Elements.get(y);
    CpuMatmul.reference(a, b, 1.5, -0.5, y, null);
    double[] result = Elements.get(y);
    for (int e = 0; e < result.length; e++) {
      double sum = 0;
      for (int p = 0; p < 57; p++) {
        sum += x[e / 11 * 57 + p] * z[p * 11 + e % 11];
      }
      assertThat(result[e]).isCloseTo(1.5 * sum - 0.5 * old[e], within(2e-5));
    }
  }
}

package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Products against a plain loop. Values are small whole numbers and scalars powers of two, so that
 * sums are exact in every type and order, and results have to be equal.
 */
@Tag("cuda")
final class CudaMatmulTest {
  private static final double[][] SCALARS = {{1, 0}, {1, 1}, {0.5, 0}, {-2, 4}};

  private final CudaMatmul matmul = new CudaMatmul(Gpu.device(), new CudaElementwise(Gpu.device()));
  private final SplittableRandom random = new SplittableRandom(11);

  private View numbers(DType dtype, long count) {
    double[] values = new double[Math.toIntExact(count)];
    Arrays.setAll(values, _ -> random.nextInt(9) - 4);
    return Gpu.of(dtype, values);
  }

  /** Matrices with gaps between their rows (or columns), batches permuted, after other elements. */
  private View matrices(DType dtype, boolean transposed, long rows, long cols, long... batch) {
    long inner = transposed ? rows : cols;
    long outer = transposed ? cols : rows;
    long step = inner + random.nextInt(3);
    long[] sizes = Arrays.copyOf(batch, batch.length + 2);
    long[] strides = new long[batch.length + 2];
    sizes[batch.length] = rows;
    sizes[batch.length + 1] = cols;
    strides[batch.length] = transposed ? 1 : step;
    strides[batch.length + 1] = transposed ? step : 1;
    long next = outer * step;
    for (int d = 0; d < batch.length; d++) {
      strides[d] = next;
      next *= batch[d];
    }
    long offset = random.nextInt(5);
    View all = numbers(dtype, offset + next + 3);
    return all.with(Layout.of(Shape.of(sizes), strides, offset));
  }

  private static View contiguous(View view, long... sizes) {
    return view.with(Layout.contiguous(Shape.of(sizes)));
  }

  private void assertIsProduct(View a, View b, double alpha, double beta, View y) {
    double[] left = Gpu.buffer(a);
    double[] right = Gpu.buffer(b);
    double[] expected = Gpu.buffer(y);
    Shape shape = y.shape();
    int rank = shape.rank();
    long k = a.shape().size(rank - 1);
    long[] at = new long[rank];
    for (long e = 0; e < shape.numel(); e++) {
      long rest = e;
      for (int d = rank - 1; d >= 0; d--) {
        at[d] = rest % shape.size(d);
        rest /= shape.size(d);
      }
      double sum = 0;
      for (long i = 0; i < k; i++) {
        sum += left[position(a, at, rank - 1, i)] * right[position(b, at, rank - 2, i)];
      }
      int to = position(y, at, -1, 0);
      double before = beta == 0 ? 0 : beta * expected[to];
      expected[to] = Gpu.round(y.dtype(), alpha * sum + before);
    }
    matmul.matmul(a, b, alpha, beta, y);
    // Also what lies around y.
    assertThat(Gpu.buffer(y))
        .as("%s %s %s alpha %s beta %s", a.layout(), b.layout(), y.layout(), alpha, beta)
        .isEqualTo(expected);
  }

  /** The place of an index in a buffer, one dimension of it replaced. */
  private static int position(View view, long[] at, int dim, long index) {
    long place = view.layout().offset();
    for (int d = 0; d < at.length; d++) {
      place += (d == dim ? index : at[d]) * view.layout().stride(d);
    }
    return (int) place;
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void allTransposes_withGapsAndOffsets(DType dtype) {
    for (int i = 0; i < 64; i++) {
      int m = 1 + random.nextInt(20);
      int n = 1 + random.nextInt(20);
      int k = 1 + random.nextInt(20);
      double[] scalars = SCALARS[i / 4 % 4];
      assertIsProduct(
          matrices(dtype, (i & 1) != 0, m, k),
          matrices(dtype, (i & 2) != 0, k, n),
          scalars[0],
          scalars[1],
          matrices(dtype, false, m, n));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void vectors_allWays(DType dtype) {
    long[][] sizes = {{1, 1, 1}, {1, 7, 1}, {5, 1, 1}, {1, 1, 6}, {4, 1, 6}, {1, 7, 6}, {5, 7, 1}};
    for (long[] s : sizes) {
      for (int i = 0; i < 4; i++) {
        View a = matrices(dtype, (i & 1) != 0, s[0], s[2]);
        View b = matrices(dtype, (i & 2) != 0, s[2], s[1]);
        assertIsProduct(a, b, 1, 1, matrices(dtype, false, s[0], s[1]));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void evenBatches(DType dtype) {
    for (int i = 0; i < 4; i++) {
      View a = matrices(dtype, (i & 1) != 0, 3, 5, 6);
      View b = matrices(dtype, (i & 2) != 0, 5, 4, 6);
      assertIsProduct(a, b, 0.5, 2, matrices(dtype, false, 3, 4, 6));
    }
    View a = contiguous(numbers(dtype, 120), 2, 4, 3, 5);
    View b = contiguous(numbers(dtype, 160), 2, 4, 5, 4);
    assertIsProduct(a, b, 1, 0, contiguous(numbers(dtype, 96), 2, 4, 3, 4));
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void unevenBatches(DType dtype) {
    for (int i = 0; i < 4; i++) {
      View a = matrices(dtype, (i & 1) != 0, 3, 5, 2, 3, 2);
      View b = matrices(dtype, (i & 2) != 0, 5, 4, 2, 3, 2);
      View y = contiguous(numbers(dtype, 144), 2, 3, 2, 3, 4);
      assertIsProduct(a, b, 1, 1, y);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void batches_repeatWhereTheStrideIsZero(DType dtype) {
    View a = contiguous(numbers(dtype, 70), 2, 5, 7);
    View b = contiguous(numbers(dtype, 126), 3, 1, 7, 6);
    View y = contiguous(numbers(dtype, 180), 3, 2, 5, 6);
    assertIsProduct(
        a.with(a.layout().expand(Shape.of(3, 2, 5, 7))),
        b.with(b.layout().expand(Shape.of(3, 2, 7, 6))),
        1,
        0,
        y);
    View one = a.with(a.layout().slice(0, 1, 1, 1).expand(Shape.of(2, 5, 7)));
    View same = b.with(b.layout().slice(0, 0, 2, 1).slice(0, 0, 2, 1));
    assertIsProduct(
        one, same.with(same.layout().squeeze(1)), 1, 0, contiguous(numbers(dtype, 60), 2, 5, 6));
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void heads(DType dtype) {
    // (batch, time, head, size) seen as (batch, head, time, size), keys transposed; all aligned.
    View q = contiguous(numbers(dtype, 2 * 9 * 3 * 8), 2, 9, 3, 8);
    View k = contiguous(numbers(dtype, 2 * 11 * 3 * 8), 2, 11, 3, 8);
    View y = contiguous(numbers(dtype, 2 * 3 * 9 * 16), 2, 3, 9, 16);
    assertIsProduct(
        q.with(q.layout().permute(0, 2, 1, 3)),
        k.with(k.layout().permute(0, 2, 3, 1)),
        0.5,
        0,
        y.with(y.layout().slice(3, 0, 11, 1)));
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "F32", "BF16"})
  void noInnerElements_giveBetaY(DType dtype) {
    View a = contiguous(numbers(dtype, 0), 2, 4, 0);
    View b = contiguous(numbers(dtype, 0), 2, 0, 3);
    for (double beta : new double[] {0, 1, 4}) {
      assertIsProduct(a, b, 1, beta, contiguous(numbers(dtype, 24), 2, 4, 3));
    }
  }

  @Test
  void noResults_doNothing() {
    for (long[] s : new long[][] {{1, 0, 5, 3}, {1, 5, 0, 3}, {0, 5, 4, 3}, {0, 0, 0, 0}}) {
      View a = contiguous(numbers(DType.F32, s[0] * s[1] * s[3]), s[0], s[1], s[3]);
      View b = contiguous(numbers(DType.F32, s[0] * s[3] * s[2]), s[0], s[3], s[2]);
      assertIsProduct(a, b, 1, 0, contiguous(numbers(DType.F32, 0), s[0], s[1], s[2]));
    }
  }

  @Test
  void betaZero_doesNotReadY() {
    double[] nothing = new double[12];
    Arrays.fill(nothing, Double.NaN);
    View y = contiguous(Gpu.of(DType.F32, nothing), 3, 4);
    assertIsProduct(
        contiguous(numbers(DType.F32, 6), 3, 2), contiguous(numbers(DType.F32, 8), 2, 4), 1, 0, y);
  }

  @Test
  void moreThanCublasCounts_isRefused() {
    long many = 1L << 31;
    CudaBuffer huge = new CudaBuffer(DType.F32, many, new CudaPool.Block(4096, 4 * many, null));
    View a = new View(huge, Layout.contiguous(Shape.of(1, many)));
    View b = new View(huge, Layout.contiguous(Shape.of(many, 1)));
    View y = contiguous(numbers(DType.F32, 1), 1, 1);
    assertThatThrownBy(() -> matmul.matmul(a, b, 1, 0, y))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("matmul: expected")
        .hasMessageContaining("2147483648");
  }

  @Test
  void precision_isAskedForByName() {
    assertThat(matmul.describe()).matches("cuBLAS \\d+\\.\\d+\\.\\d+, f32 products in full.*");
    assertThat(MatmulPrecision.of("tf32")).hasToString("f32 products with factors rounded to tf32");
    assertThatThrownBy(() -> MatmulPrecision.of("fp8"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("downhill.cuda.matmul: expected f32, tf32 or bf16, got 'fp8'");
  }
}

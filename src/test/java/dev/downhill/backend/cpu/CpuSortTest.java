package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sorting against Java's own stable sort. */
final class CpuSortTest {
  private final CpuSort sort = new CpuSort(new Workers(2));
  private final SplittableRandom random = new SplittableRandom(3);

  /** Java's order of doubles, but with 0 equal to -0. */
  private static int compare(double a, double b) {
    return a == b ? 0 : Double.compare(a, b);
  }

  private void assertSorts(View x, int dim, boolean descending) {
    Shape shape = x.shape();
    View values = Elements.zeros(x.dtype(), shape.toArray());
    View indices = Elements.zeros(DType.I64, shape.toArray());
    sort.sort(x, dim, descending, values, indices);
    double[] in = Elements.get(x);
    double[] sorted = Elements.get(values);
    double[] places = Elements.get(indices);
    int n = (int) shape.size(dim);
    int step = (int) shape.slice(dim + 1, shape.rank()).numel();
    Comparator<Integer> order = (a, b) -> compare(in[a], in[b]);
    for (int first = 0; first < in.length; first++) {
      if (first / step % n != 0) {
        continue;
      }
      Integer[] line = new Integer[n];
      int start = first;
      Arrays.setAll(line, i -> start + i * step);
      Arrays.sort(line, descending ? order.reversed() : order);
      for (int i = 0; i < n; i++) {
        int at = start + i * step;
        assertThat(places[at]).as("place %d", at).isEqualTo((line[i] - start) / step);
        assertThat(Double.doubleToRawLongBits(sorted[at]))
            .as("value %d", at)
            .isEqualTo(Double.doubleToRawLongBits(in[line[i]]));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyTypeAndLayout(DType dtype) {
    for (Layouts layout : Layouts.values()) {
      for (Shape shape : Layouts.SHAPES) {
        double[] values = new double[(int) shape.numel()];
        Arrays.setAll(values, _ -> dtype == DType.BOOL ? random.nextInt(2) : random.nextInt(20));
        View x = layout.view(dtype, shape, values);
        for (int dim = 0; dim < shape.rank(); dim++) {
          assertSorts(x, dim, false);
          assertSorts(x, dim, true);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 16, 17, 31, 32, 33, 47, 64, 65, 1000, 4097})
  void linesOfAllLengths(int n) {
    View x = Elements.zeros(DType.F64, 3, n);
    double[] values = new double[3 * n];
    Arrays.setAll(values, i -> i % 3 == 0 ? random.nextInt(4) : random.nextGaussian());
    Elements.set(x, values);
    assertSorts(x, 1, false);
    assertSorts(x, 1, true);
  }

  @Test
  void specialNumbers() {
    double inf = Double.POSITIVE_INFINITY;
    double nan = Double.NaN;
    for (DType dtype : new DType[] {DType.F64, DType.F32, DType.BF16}) {
      View x = Elements.zeros(dtype, 10);
      Elements.set(x, 0.0, nan, -0.0, inf, -1, nan, 0.0, -inf, -0.0, 1);
      assertSorts(x, 0, false);
      assertSorts(x, 0, true);
    }
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.shape.DType;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which operands a matrix product reads where they lie, and which it packs first. */
final class MatmulPackTest {
  private static final Device DEVICE = Device.of("cpu");

  private static Tensor values(long... sizes) {
    long n = Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
    return Tensor.arange(DEVICE, DType.F64, n).mul(0.25).add(-3).reshape(sizes);
  }

  /** The packs of a product, whose values are held to a plain loop. */
  private static long packs(Tensor a, Tensor b) {
    double[] expected = product(a, b);
    Tensor y;
    List<Recording.Call> calls;
    try (Recording recording = Recording.start()) {
      y = a.matmul(b);
      calls = recording.calls();
    }
    assertThat(y.toDoubles()).as("%s with %s", a.layout(), b.layout()).containsExactly(expected);
    assertThat(calls).filteredOn(c -> c.method().equals("matmul")).hasSize(1);
    return calls.stream().filter(c -> c.method().equals("copy")).count();
  }

  private static double[] product(Tensor a, Tensor b) {
    int n = (int) a.size(-2);
    int k = (int) a.size(-1);
    int m = (int) b.size(-1);
    double[] x = a.toDoubles();
    double[] y = b.toDoubles();
    double[] z = new double[x.length / Math.max(1, k) * m];
    for (int i = 0; i < z.length; i++) {
      int batch = i / (n * m);
      int from = b.dim() == 2 ? 0 : batch * k * m;
      for (int l = 0; l < k; l++) {
        z[i] += x[i / m * k + l] * y[from + l * m + i % m];
      }
    }
    return z;
  }

  @Test
  void allFourTransposesAreReadInPlace() {
    Tensor a = values(3, 5);
    Tensor b = values(5, 7);
    Tensor at = values(5, 3).transpose(0, 1);
    Tensor bt = values(7, 5).transpose(0, 1);
    assertThat(packs(a, b)).isZero();
    assertThat(packs(at, b)).isZero();
    assertThat(packs(a, bt)).isZero();
    assertThat(packs(at, bt)).isZero();
  }

  @Test
  void rowStridesAndOffsetsAreReadInPlace() {
    Tensor rows = values(9, 11).slice(0, 1, 9, 3).slice(1, 2, 7, 1);
    assertThat(rows.shape().toArray()).containsExactly(3, 5);
    assertThat(packs(rows, values(5, 7))).isZero();
    Tensor columns = values(9, 11).transpose(0, 1).slice(0, 4, 9, 1).slice(1, 1, 8, 1);
    assertThat(packs(values(3, 5), columns)).isZero();
  }

  @Test
  void batchesAreReadInPlace() {
    Tensor a = values(4, 3, 5);
    assertThat(packs(a, values(4, 5, 2))).isZero();
    assertThat(packs(a, values(5, 4, 2).transpose(0, 1))).isZero();
    assertThat(packs(a.slice(0, 0, 4, 2), values(2, 2, 5).transpose(1, 2))).isZero();
    // One matrix for all of the batch.
    assertThat(packs(a.transpose(1, 2), values(3, 2))).isZero();
    assertThat(packs(a, values(1, 5, 2).expand(4, 5, 2))).isZero();
  }

  @Test
  void operandWithoutAUnitStrideIsPackedOnce() {
    Tensor stepped = values(3, 10).slice(1, 0, 10, 2);
    assertThat(packs(stepped, values(5, 7))).isEqualTo(1);
    assertThat(packs(values(7, 3), stepped)).isEqualTo(1);
    Tensor both = values(5, 10).slice(1, 0, 10, 2);
    assertThat(packs(both, both)).isEqualTo(2);
  }

  @Test
  void operandThatRepeatsInsideTheMatrixIsPackedOnce() {
    assertThat(packs(values(1, 5).expand(3, 5), values(5, 7))).isEqualTo(1);
    assertThat(packs(values(3, 1).expand(3, 5), values(5, 7))).isEqualTo(1);
    assertThat(packs(values(3, 5), values(1, 1).expand(5, 7))).isEqualTo(1);
  }

  @Test
  void overlappingRowsArePacked() {
    // Windows of a signal: unit stride inside, but rows closer than they are long.
    Tensor signal = values(9);
    Tensor windows =
        Tensor.alias(
            signal.storage(),
            dev.downhill.shape.Layout.of(dev.downhill.shape.Shape.of(4, 5), new long[] {1, 1}, 0),
            null);
    assertThat(packs(windows, values(5, 2))).isEqualTo(1);
  }

  @Test
  void sizesOfOneAndZero() {
    Tensor column = values(5, 6).slice(1, 3, 4, 2);
    assertThat(column.shape().toArray()).containsExactly(5, 1);
    assertThat(packs(column, values(1, 3))).isZero();
    assertThat(packs(values(2, 5), column)).isZero();
    assertThat(packs(values(1, 1), values(1, 1))).isZero();
    Tensor steppedRow = values(6, 10).slice(0, 2, 3, 1).slice(1, 0, 10, 2);
    assertThat(packs(steppedRow, values(5, 2))).isLessThanOrEqualTo(1);
    assertThat(values(3, 0).matmul(values(0, 2)).toDoubles()).hasSize(6).containsOnly(0);
    assertThat(values(0, 3).matmul(values(3, 2)).shape().toArray()).containsExactly(0, 2);
    assertThat(values(2, 3).matmul(values(3, 0)).shape().toArray()).containsExactly(2, 0);
  }
}

package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pools on vectors against the definition, which is how doubles are pooled. */
final class CpuPoolingTest {
  private final SplittableRandom random = new SplittableRandom(5);

  /** Few different numbers, so that some are equal, and some that are not finite. */
  private double[] values(long n) {
    double[] values = new double[(int) n];
    Arrays.setAll(values, i -> random.nextInt(-4, 5) / 2.0);
    for (int i = random.nextInt(40); i < n; i += 40) {
      values[i] = random.nextBoolean() ? Double.NaN : Double.NEGATIVE_INFINITY;
    }
    return values;
  }

  private static long out(Slide s, long length) {
    return Math.floorDiv(length + 2 * s.padding() - s.dilation() * (s.size() - 1) - 1, s.step())
        + 1;
  }

  private void assertAsDefined(CpuPooling pooling, long[] sizes, Slide rows, Slide columns) {
    long[] out = {sizes[0], sizes[1], out(rows, sizes[2]), out(columns, sizes[3])};
    long[] turned = {sizes[0], sizes[1], sizes[3], sizes[2]};
    boolean turn = random.nextBoolean();
    View narrow = Elements.zeros(DType.F32, turn ? turned : sizes);
    View wide = Elements.zeros(DType.F64, turn ? turned : sizes);
    double[] values = values(narrow.shape().numel());
    Layout layout = turn ? narrow.layout().transpose(2, 3) : narrow.layout();
    View x = Elements.set(narrow, values).with(layout);
    View x64 = Elements.set(wide, values).with(layout);
    View y = Elements.zeros(DType.F32, out);
    View at = Elements.zeros(DType.I64, out);
    View y64 = Elements.zeros(DType.F64, out);
    View at64 = Elements.zeros(DType.I64, out);
    pooling.maxPool(x, rows, columns, y, at);
    pooling.maxPool(x64, rows, columns, y64, at64);
    assertThat(Elements.get(at)).as("%s %s", rows, columns).isEqualTo(Elements.get(at64));
    assertThat(Elements.get(y)).as("%s %s", rows, columns).isEqualTo(Elements.get(y64));
    assertGradient(pooling, sizes, out, at);
  }

  /** Whole numbers, whose sums are exact. */
  private void assertGradient(CpuPooling pooling, long[] sizes, long[] out, View at) {
    double[] dy = new double[(int) at.shape().numel()];
    Arrays.setAll(dy, i -> random.nextInt(-9, 10));
    double[] expected = new double[(int) (sizes[0] * sizes[1] * sizes[2] * sizes[3])];
    double[] indices = Elements.get(at);
    for (int i = 0; i < dy.length; i++) {
      long plane = i / (out[2] * out[3]);
      expected[(int) (plane * sizes[2] * sizes[3] + (long) indices[i])] += dy[i];
    }
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      View gradient = Elements.zeros(dtype, out[0], out[1], out[3], out[2]);
      gradient = gradient.with(gradient.layout().transpose(2, 3));
      View dx = Elements.zeros(dtype, sizes);
      Elements.set(dx, new double[expected.length]);
      pooling.maxPoolBackward(Elements.set(gradient, dy), at, dx);
      assertThat(Elements.get(dx)).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void oddSizes(int threads) {
    try (Workers workers = new Workers(threads)) {
      CpuPooling pooling = new CpuPooling(workers);
      for (int i = 0; i < 200; i++) {
        Slide rows = slide();
        Slide columns = slide();
        long[] sizes = {
          1 + random.nextInt(3),
          1 + random.nextInt(4),
          4 + random.nextInt(9),
          4 + random.nextInt(40)
        };
        if (out(rows, sizes[2]) > 0 && out(columns, sizes[3]) > 0) {
          assertAsDefined(pooling, sizes, rows, columns);
        }
      }
    }
  }

  private Slide slide() {
    int size = 1 + random.nextInt(3);
    int dilation = 1 + random.nextInt(2);
    int padding = size == 1 || dilation > 1 ? 0 : random.nextInt(2);
    return new Slide(size, 1 + random.nextInt(3), dilation, padding);
  }

  @ParameterizedTest
  @CsvSource({"300, 3, 8, 8", "1, 2, 130, 100", "2, 1, 3, 9000"})
  void severalTasksAndBands(long n, long c, long high, long wide) {
    try (Workers workers = new Workers(2)) {
      CpuPooling pooling = new CpuPooling(workers);
      long[] sizes = {n, c, high, wide};
      Slide inside = new Slide(2, 2, 1, 0);
      assertAsDefined(pooling, sizes, new Slide(3, 1, 1, 1), inside);
      assertAsDefined(pooling, sizes, inside, inside);
    }
  }

  @Test
  void noPlanes_giveNothing() {
    try (Workers workers = new Workers(1)) {
      CpuPooling pooling = new CpuPooling(workers);
      View none = Elements.zeros(DType.F32, 0, 1, 4, 4);
      View at = Elements.zeros(DType.I64, 0, 1, 4, 4);
      Slide each = new Slide(1, 1, 1, 0);
      pooling.maxPool(none, each, each, none, at);
      pooling.maxPoolBackward(none, at, none);
      assertThat(none.shape().numel()).isZero();
    }
  }
}

package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Layer normalisation against the CPU backend, on rows of all lengths and layouts. */
@Tag("cuda")
final class CudaLayerNormTest {
  private static final Twins TWINS = new Twins();

  /** Teams of one lane to a warp, of a block, and shares that registers do not hold. */
  private static final int[] LENGTHS = {1, 2, 3, 5, 8, 31, 64, 100, 513, 1024, 1100, 4097, 9001};

  private final SplittableRandom random = new SplittableRandom(7);

  private static Stream<Arguments> rows() {
    return Arrays.stream(LENGTHS)
        .boxed()
        .flatMap(
            n -> Stream.of(DType.F32, DType.F64, DType.BF16).map(dtype -> Arguments.of(dtype, n)));
  }

  /** Rows side by side, unaligned, with gaps that keep them aligned, apart, repeated. */
  private static List<Layout> layouts(int n) {
    int rows = n > 1000 ? 6 : 19;
    return List.of(
        Layout.contiguous(Shape.of(rows, n)),
        Layout.of(Shape.of(rows, n), new long[] {n, 1}, 1),
        Layout.of(Shape.of(rows, n), new long[] {n + 15 & -8, 1}, 8),
        Layout.of(Shape.of(rows, n), new long[] {1, rows}, 0),
        Layout.of(Shape.of(2, 3, n), new long[] {n, 2L * n, 1}, 0));
  }

  private Twin normal(DType dtype, Layout layout) {
    double[] values = new double[(int) layout.reach()];
    Arrays.setAll(values, _ -> random.nextGaussian() + 0.5);
    return TWINS.of(dtype, Shape.of(values.length), values).with(layout);
  }

  private Twin normal(DType dtype, Shape shape) {
    return normal(dtype, Layout.contiguous(shape));
  }

  private static View on(Twin twin, boolean cuda) {
    return cuda ? twin.cuda() : twin.cpu();
  }

  private static @Nullable View orNull(@Nullable Twin twin, boolean cuda) {
    return twin == null ? null : on(twin, cuda);
  }

  private static double[] values(Twin twin, boolean cuda) {
    return Floats.of(TWINS.bytes(twin, cuda), twin.cpu().dtype());
  }

  private static void assertClose(Twin result, DType dtype, String what) {
    double[] cpu = values(result, false);
    double[] gpu = values(result, true);
    double scale = Arrays.stream(cpu).map(Math::abs).max().orElse(0) + 1;
    double eps = dtype == DType.F64 ? 1e-13 : dtype == DType.F32 ? 3e-6 : 0x1p-7;
    assertThat(gpu).as("%s %s", dtype, what).containsExactly(cpu, within(eps * scale));
  }

  /** The results of a call and its gradients. */
  private List<Twin> run(DType dtype, Layout layout, boolean centred, boolean affine) {
    Shape shape = layout.shape();
    Shape row = Shape.of(shape.size(shape.rank() - 1));
    Shape rows = shape.slice(0, shape.rank() - 1);
    DType wide = dtype == DType.BF16 ? DType.F32 : dtype;
    Twin x = normal(dtype, layout);
    Twin dy = normal(dtype, layout);
    Twin weight = affine ? normal(dtype, row) : null;
    Twin bias = affine ? normal(dtype, row) : null;
    Twin y = normal(dtype, shape);
    Twin mean = centred ? normal(wide, rows) : null;
    Twin rstd = normal(wide, rows);
    Twin dx = normal(dtype, layout.overlaps() ? Layout.contiguous(shape) : layout);
    Twin dweight = affine ? normal(dtype, row) : null;
    Twin dbias = affine ? normal(dtype, row) : null;
    TWINS.both(
        (b, cuda) -> {
          b.layerNorm(
              on(x, cuda),
              orNull(weight, cuda),
              orNull(bias, cuda),
              1e-3,
              on(y, cuda),
              orNull(mean, cuda),
              on(rstd, cuda));
          b.layerNormBackward(
              on(x, cuda),
              orNull(weight, cuda),
              orNull(mean, cuda),
              on(rstd, cuda),
              on(dy, cuda),
              on(dx, cuda),
              orNull(dweight, cuda),
              orNull(dbias, cuda));
        });
    List<Twin> results = new ArrayList<>(List.of(y, rstd, dx));
    for (Twin t : new Twin[] {mean, dweight, dbias}) {
      if (t != null) {
        results.add(t);
      }
    }
    return results;
  }

  @ParameterizedTest
  @MethodSource("rows")
  void everyResult_isThatOfTheCpu(DType dtype, int n) {
    for (Layout layout : layouts(n)) {
      for (boolean centred : new boolean[] {true, false}) {
        int k = 0;
        for (Twin result : run(dtype, layout, centred, centred || n % 2 == 0)) {
          assertClose(result, dtype, "%s, result %d".formatted(layout, k++));
        }
      }
    }
  }

  /** More rows than there are teams at once, so that every team has several. */
  @Test
  void manyRows_shareTheirTeams() {
    Layout layout = Layout.contiguous(Shape.of(70_001, 2));
    for (Twin result : run(DType.F32, layout, true, true)) {
      assertClose(result, DType.F32, "many rows");
    }
  }

  @Test
  void resultsThatAreNotWanted_areLeftAlone() {
    Twin x = normal(DType.F32, Shape.of(5, 12));
    Twin weight = normal(DType.F32, Shape.of(12));
    Twin rstd = normal(DType.F32, Shape.of(5));
    Twin dbias = normal(DType.F32, Shape.of(12));
    Twin dx = normal(DType.F32, Shape.of(5, 12));
    TWINS.both(
        (b, cuda) -> {
          View in = on(x, cuda);
          b.layerNormBackward(
              in, on(weight, cuda), null, on(rstd, cuda), in, null, null, on(dbias, cuda));
          b.layerNormBackward(
              in, on(weight, cuda), null, on(rstd, cuda), in, on(dx, cuda), null, null);
        });
    assertClose(dbias, DType.F32, "dbias");
    assertClose(dx, DType.F32, "dx");
  }

  @Test
  void noRows_haveNoGradient() {
    Twin none = normal(DType.F32, Shape.of(0, 3));
    Twin weight = normal(DType.F32, Shape.of(3));
    Twin rows = normal(DType.F32, Shape.of(0));
    Twin dweight = normal(DType.F32, Shape.of(3));
    TWINS.both(
        (b, cuda) -> {
          View x = on(none, cuda);
          View w = on(weight, cuda);
          b.layerNorm(x, w, w, 0, x, on(rows, cuda), on(rows, cuda));
          b.layerNormBackward(x, w, on(rows, cuda), on(rows, cuda), x, x, on(dweight, cuda), null);
        });
    assertThat(values(dweight, true)).containsExactly(0, 0, 0);
  }
}

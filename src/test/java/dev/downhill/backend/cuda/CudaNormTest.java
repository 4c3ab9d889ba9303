package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Norm and scaling of many tensors on CUDA against the CPU backend. */
@Tag("cuda")
final class CudaNormTest {
  private static final Twins TWINS = new Twins();

  private final Twin y = TWINS.random(DType.F64, 1);

  private static List<View> on(List<Twin> twins, boolean cuda) {
    return twins.stream().map(t -> cuda ? t.cuda() : t.cpu()).toList();
  }

  private static List<Twin> mixed() {
    List<Twin> xs = new ArrayList<>();
    for (DType dtype : new DType[] {DType.F32, DType.BF16, DType.F64}) {
      xs.add(TWINS.random(dtype, 40_001));
      xs.add(TWINS.random(dtype, 0));
      Twin all = TWINS.random(dtype, 3, 700);
      xs.add(all.with(Layout.of(Shape.of(2, 700), new long[] {700, 1}, 3)));
      xs.add(TWINS.random(dtype));
    }
    return xs;
  }

  private void assertNorm(double p, List<Twin> xs) {
    TWINS.both((b, cuda) -> b.norm(p, on(xs, cuda), cuda ? y.cuda() : y.cpu()));
    double expected = TWINS.values(y, false)[0];
    assertThat(TWINS.values(y, true)[0]).isCloseTo(expected, within(1e-13 * expected));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 2, Double.POSITIVE_INFINITY})
  void norm_ofMixedTensors_ofMany_andOfNone(double p) {
    assertNorm(p, mixed());
    List<Twin> many = new ArrayList<>();
    for (int i = 0; i < 131; i++) {
      many.add(TWINS.random(DType.F32, i));
    }
    assertNorm(p, many);
    assertNorm(p, List.of());
  }

  /** On a device as small as the double, blocks do several chunks one after the other. */
  @Test
  void norm_ofMoreChunksThanBlocks() {
    assertNorm(2, List.of(TWINS.random(DType.BF16, 130 * 16_384 + 7)));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 2, Double.POSITIVE_INFINITY})
  void nanWins_whereverItIs(double p) {
    for (int at : new int[] {0, 7, 16_399}) {
      double[] values = new double[16_400];
      values[at] = Double.NaN;
      values[(at + 1) % values.length] = Double.POSITIVE_INFINITY;
      List<Twin> xs = List.of(TWINS.of(DType.F32, Shape.of(values.length), values));
      TWINS.both((b, cuda) -> b.norm(p, on(xs, cuda), cuda ? y.cuda() : y.cpu()));
      assertThat(TWINS.values(y, true)[0]).isNaN();
      assertThat(TWINS.values(y, false)[0]).isNaN();
    }
  }

  @Test
  void bits_dependOnShapesAlone() {
    double[] results = new double[3];
    for (int skew = 0; skew < 3; skew++) {
      double[] values = new double[50_003];
      for (int i = 0; i < 50_000; i++) {
        values[i + skew] = Math.sin(i);
      }
      Twin all = TWINS.of(DType.F32, Shape.of(values.length), values);
      Layout part = Layout.of(Shape.of(50_000), new long[] {1}, skew);
      TWINS.cuda.norm(2, List.of(all.cuda().with(part)), y.cuda());
      results[skew] = TWINS.values(y, true)[0];
    }
    assertThat(results).containsOnly(results[0]);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.37, 1, 0, Double.NaN})
  void scale_hasTheBitsOfTheCpu_andTouchesNothingElse(double value) {
    List<Twin> xs = mixed();
    Twin factor = TWINS.of(DType.F64, Shape.of(1), value);
    TWINS.both((b, cuda) -> b.scale(cuda ? factor.cuda() : factor.cpu(), on(xs, cuda)));
    for (Twin x : xs) {
      if (!Double.isNaN(value)) {
        TWINS.assertSameBits(x, x.layout().toString());
      } else if (x.cpu().dtype() == DType.F32 && x.cpu().buffer().numel() == 40_001) {
        assertThat(TWINS.values(x, true)).containsOnly(Double.NaN);
      }
    }
  }

  @Test
  void aCallTakesNoHeap() {
    List<View> xs = on(List.of(TWINS.random(DType.F32, 50), TWINS.random(DType.BF16, 70)), true);
    assertThat(Twins.heapOf(() -> TWINS.cuda.norm(2, xs, y.cuda()))).isLessThan(8);
    assertThat(Twins.heapOf(() -> TWINS.cuda.scale(y.cuda(), xs))).isLessThan(8);
  }
}

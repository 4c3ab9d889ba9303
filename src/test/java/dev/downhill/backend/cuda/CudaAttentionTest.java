package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Attention against the CPU backend, in one tile and in several, on all kinds of views. */
@Tag("cuda")
final class CudaAttentionTest {
  private static final Twins TWINS = new Twins();

  private final SplittableRandom random = new SplittableRandom(7);

  private Twin normal(DType dtype, Layout layout) {
    double[] values = new double[(int) layout.reach()];
    Arrays.setAll(values, _ -> random.nextGaussian());
    return TWINS.of(dtype, Shape.of(values.length), values).with(layout);
  }

  private Twin normal(DType dtype, long... sizes) {
    return normal(dtype, Layout.contiguous(Shape.of(sizes)));
  }

  private static View on(Twin twin, boolean cuda) {
    return cuda ? twin.cuda() : twin.cpu();
  }

  /** Queries, keys, values and dy; all results are compared. */
  private void check(Twin[] in, boolean causal) {
    DType dtype = in[0].cpu().dtype();
    DType wide = dtype == DType.BF16 ? DType.F32 : dtype;
    Shape queries = in[0].layout().shape();
    Twin y = normal(dtype, in[3].layout());
    Twin z = normal(wide, queries.slice(0, queries.rank() - 1).toArray());
    Twin dq = normal(dtype, queries.toArray());
    Twin dk = normal(dtype, in[1].layout().shape().toArray());
    Twin dv = normal(dtype, in[2].layout().shape().toArray());
    TWINS.both(
        (b, cuda) -> {
          View q = on(in[0], cuda);
          View k = on(in[1], cuda);
          View v = on(in[2], cuda);
          b.attention(q, k, v, causal, 0.4, on(y, cuda), on(z, cuda));
          b.attentionBackward(
              q,
              k,
              v,
              causal,
              0.4,
              on(y, cuda),
              on(z, cuda),
              on(in[3], cuda),
              on(dq, cuda),
              on(dk, cuda),
              on(dv, cuda));
        });
    Twin[] results = {y, z, dq, dk, dv};
    for (int r = 0; r < results.length; r++) {
      double[] cpu = Floats.of(TWINS.bytes(results[r], false), results[r].cpu().dtype());
      double[] gpu = Floats.of(TWINS.bytes(results[r], true), results[r].cpu().dtype());
      double scale = Arrays.stream(cpu).filter(Double::isFinite).map(Math::abs).max().orElse(0) + 1;
      double eps = dtype == DType.F64 ? 1e-12 : dtype == DType.F32 ? 1e-5 : 0x1p-6;
      for (int i = 0; i < cpu.length; i++) {
        if (gpu[i] != cpu[i]) {
          assertThat(gpu[i])
              .as("%s, result %d, element %d", dtype, r, i)
              .isCloseTo(cpu[i], within(eps * scale));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 1", "2, 5, 9, 3, 4", "1, 32, 32, 32, 32", "1, 33, 31, 40, 33", "1, 3, 70, 5, 130",
    "1, 70, 3, 140, 2", "2, 3, 0, 4, 5", "1, 0, 3, 4, 5", "1, 3, 2, 0, 4", "1, 3, 40, 4, 0"
  })
  void everyResult_isThatOfTheCpu(int count, int queries, int keys, int size, int valueSize) {
    for (DType dtype : new DType[] {DType.F32, DType.F64, DType.BF16}) {
      for (boolean causal : new boolean[] {false, true}) {
        Twin[] in = {
          normal(dtype, count, queries, size),
          normal(dtype, count, keys, size),
          normal(dtype, count, keys, valueSize),
          normal(dtype, count, queries, valueSize)
        };
        check(in, causal);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16"})
  void heads_lieInsidePositions_andMayBeRepeated(DType dtype) {
    Layout inside = Layout.contiguous(Shape.of(2, 37, 3, 5)).permute(0, 2, 1, 3);
    Layout backwards = Layout.contiguous(Shape.of(5, 37, 3, 2)).permute(3, 2, 1, 0);
    Layout one = Layout.contiguous(Shape.of(1, 1, 37, 5)).expand(Shape.of(2, 3, 37, 5));
    check(
        new Twin[] {
          normal(dtype, inside), normal(dtype, one), normal(dtype, backwards), normal(dtype, inside)
        },
        true);
  }
}

package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Draw;
import dev.downhill.backend.View;
import dev.downhill.backend.cuda.Twins.Twin;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Random elements have the bits of the CPU backend, save normals, which are close. */
@Tag("cuda")
final class CudaRandomTest {
  private static final Twins TWINS = new Twins();
  private static final long SEED = 0xFEDCBA9876543210L;
  private static final long STREAM = 0x8123456789ABCDEFL;

  private static void draw(Draw draw, double base, long offset, double p, Twin y) {
    Twin bases = TWINS.of(DType.I64, Shape.of(3), 5, base, 9);
    Twin one = bases.with(Layout.of(Shape.of(1), new long[] {1}, 1));
    TWINS.both(
        (b, cuda) -> {
          View at = cuda ? one.cuda() : one.cpu();
          b.random(draw, SEED, STREAM, at, offset, p, cuda ? y.cuda() : y.cpu());
        });
  }

  private static List<Twin> views(DType dtype) {
    Twin line = TWINS.random(dtype, 3001);
    Twin block = TWINS.random(dtype, 5, 6, 14);
    return List.of(
        line,
        line.with(line.layout().slice(0, 1, 999, 1)),
        block.with(block.layout().permute(2, 0, 1)),
        block.with(block.layout().slice(2, 1, 7, 2)),
        block.with(Layout.of(Shape.SCALAR, new long[0], 3)),
        TWINS.random(dtype, 0, 3));
  }

  @ParameterizedTest
  @CsvSource({
    "UNIFORM, F32, 0",
    "UNIFORM, F64, 0",
    "UNIFORM, BF16, 0",
    "BITS, I64, 0",
    "BERNOULLI, BOOL, 0",
    "BERNOULLI, BOOL, 0.3",
    "BERNOULLI, BOOL, 0.5",
    "BERNOULLI, BOOL, 1"
  })
  void sameBits(Draw draw, DType dtype, double p) {
    for (Twin y : views(dtype)) {
      draw(draw, 0, 0, p, y);
      TWINS.assertSameBits(y, draw + " " + y.layout());
      // Across the end of the counter's first word.
      draw(draw, 4294967000.0, 190, p, y);
      TWINS.assertSameBits(y, draw + " " + y.layout());
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, 4", "F64, 4"})
  void normals_areWithinAFewUnitsInTheLastPlace(DType dtype, int units) {
    Twin y = TWINS.random(dtype, 20_000);
    draw(Draw.NORMAL, 77, 3, 0, y);
    double[] cpu = TWINS.values(y, false);
    double[] cuda = TWINS.values(y, true);
    for (int i = 0; i < cpu.length; i++) {
      double unit = dtype == DType.F32 ? Math.ulp((float) cpu[i]) : Math.ulp(cpu[i]);
      // The CPU rounds the angle, up to 2 pi, before it takes the cosine; the radius is below 7.
      double angle = dtype == DType.F32 ? 0 : 7 * Math.ulp(2 * Math.PI);
      assertThat(Math.abs(cuda[i] - cpu[i]))
          .as("element %d: %s and %s", i, cpu[i], cuda[i])
          .isLessThanOrEqualTo(units * unit + angle);
    }
  }

  @Test
  void normals_ofBf16() {
    Twin y = TWINS.random(DType.BF16, 4000);
    draw(Draw.NORMAL, 1, 0, 0, y);
    byte[] cpu = TWINS.bytes(y, false);
    byte[] cuda = TWINS.bytes(y, true);
    int different = 0;
    for (int i = 0; i < cpu.length; i += 2) {
      int a = (cpu[i] & 0xff) | cpu[i + 1] << 8;
      int b = (cuda[i] & 0xff) | cuda[i + 1] << 8;
      assertThat(Math.abs(a - b)).isLessThanOrEqualTo(1);
      different += a == b ? 0 : 1;
    }
    assertThat(different).isLessThan(4);
  }

  @Test
  void aCallTakesNoHeap() {
    Twin y = TWINS.random(DType.F32, 30);
    Twin base = TWINS.of(DType.I64, Shape.of(1), 4);
    assertThat(
            Twins.heapOf(() -> TWINS.cuda.random(Draw.UNIFORM, 1, 2, base.cuda(), 0, 0, y.cuda())))
        .isLessThan(8);
  }
}

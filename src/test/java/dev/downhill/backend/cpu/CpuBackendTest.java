package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Draw;
import dev.downhill.backend.Reduce;
import dev.downhill.backend.Unary;
import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is the backend's own: memory, and {@code bf16} in every family. */
final class CpuBackendTest {
  private final Workers workers = new Workers(2);
  private final CpuBackend cpu = new CpuBackend(new CpuPool(1 << 24, true), workers);

  @AfterEach
  void close() {
    workers.close();
  }

  @Test
  void uploadAndDownload_ofAPartOfABuffer() {
    View base = new View(cpu.allocate(DType.F32, 10), Layout.contiguous(Shape.of(5, 2)));
    View part = base.with(base.layout().slice(0, 1, 3, 1));
    cpu.fill(base, 9);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(24, 4);
      for (int i = 0; i < 6; i++) {
        Scalars.storeF32(i, host, 4L * i);
      }
      cpu.upload(host, part);
      assertThat(Elements.get(base)).containsExactly(9, 9, 0, 1, 2, 3, 4, 5, 9, 9);
      host.fill((byte) 0);
      cpu.download(part, host);
      cpu.synchronize();
      assertThat(Scalars.loadF32(host, 20)).isEqualTo(5);
    }
    View empty = base.with(base.layout().slice(0, 5, 0, 1));
    cpu.upload(MemorySegment.NULL, empty);
    cpu.download(empty, MemorySegment.NULL);
  }

  @Test
  void memory_isCounted() {
    long before = cpu.memory().used();
    var buffer = cpu.allocate(DType.F64, 1000);
    assertThat(cpu.memory().used() - before).isBetween(8000L, 9000L);
    cpu.free(buffer);
    assertThat(cpu.memory().used()).isEqualTo(before);
    assertThat(cpu.memory().held()).isBetween(8000L, 9000L);
  }

  // bf16

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "1.00390625, 1", // half way, to even
    "1.01171875, 1.015625", // half way, to even
    "1.0039064, 1.0078125",
    "-1.0039064, -1.0078125",
    "0, 0",
    "-0.0, -0.0",
    "3.4e38, Infinity",
    "3.38e38, 3.3762391e38",
    "Infinity, Infinity",
    "-Infinity, -Infinity",
    "NaN, NaN",
    "1e-45, 0",
    "9.2e-41, 9.18355e-41",
  })
  void bf16_roundsToTheNearest(float value, float expected) {
    View x = Elements.set(Elements.zeros(DType.F32, 1), value);
    View y = Elements.zeros(DType.BF16, 1);
    cpu.copy(x, y);
    assertThat((float) Elements.get(y)[0]).isEqualTo(Float.valueOf(expected));
  }

  @Test
  void bf16_everyNaNStaysNaN() {
    View x = Elements.zeros(DType.F32, 4);
    int[] bits = {0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff};
    for (int i = 0; i < 4; i++) {
      Scalars.storeF32(Float.intBitsToFloat(bits[i]), CpuBuffer.segment(x), 4L * i);
    }
    View y = Elements.zeros(DType.BF16, 4);
    cpu.copy(x, y);
    assertThat(Elements.get(y)).containsOnly(Double.NaN);
  }

  /**
   * Runs a call on {@code bf16} views and on their wide copies: the results differ by one rounding.
   */
  private void roundsOnce(int[] inputs, int[] output, BiConsumer<View[], View> call) {
    roundsOnce(inputs, output, call, false);
  }

  private void roundsOnce(
      int[] inputs, int[] output, BiConsumer<View[], View> call, boolean accumulates) {
    View[] narrow = new View[inputs.length / 2];
    View[] wide = new View[narrow.length];
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < narrow.length; i++) {
      long rows = inputs[2 * i];
      long cols = inputs[2 * i + 1];
      double[] values = random.doubles(rows * cols, -2, 2).toArray();
      narrow[i] = Layouts.TRANSPOSED.view(DType.BF16, Shape.of(rows, cols), values);
      wide[i] = Elements.set(Elements.zeros(DType.F32, rows, cols), Elements.get(narrow[i]));
    }
    Shape shape = Shape.of(output[0], output[1]);
    double[] start = new double[(int) shape.numel()];
    Arrays.fill(start, accumulates ? 0.5 : Double.NaN);
    View y = Layouts.INSIDE.view(DType.BF16, shape, start);
    View expected = Elements.set(Elements.zeros(DType.F32, shape.toArray()), start);
    call.accept(narrow, y);
    call.accept(wide, expected);
    View rounded = Elements.zeros(DType.BF16, shape.toArray());
    cpu.copy(expected, rounded);
    assertThat(Elements.get(y)).isEqualTo(Elements.get(rounded)).doesNotContain(Double.NaN);
    assertThat(cpu.memory().used()).isZero();
  }

  @Test
  void bf16_elementwise() {
    roundsOnce(
        new int[] {3, 37}, new int[] {3, 37}, (x, y) -> cpu.unary(Unary.GELU, x[0], 0, 0, y));
    roundsOnce(
        new int[] {3, 37, 3, 37},
        new int[] {3, 37},
        (x, y) -> cpu.unaryBackward(Unary.TANH, x[0], x[1], 0, 0, y));
    roundsOnce(
        new int[] {3, 37, 3, 37},
        new int[] {3, 37},
        (x, y) -> cpu.binary(Binary.DIV, x[0], x[1], y));
    roundsOnce(
        new int[] {3, 37}, new int[] {3, 37}, (x, y) -> cpu.binary(Binary.MUL, x[0], 1.5, y));
    roundsOnce(
        new int[] {3, 37}, new int[] {3, 37}, (x, y) -> cpu.binary(Binary.SUB, 1.5, x[0], y));
  }

  @Test
  void bf16_scalarIsRoundedFirst() {
    View x = Elements.set(Elements.zeros(DType.BF16, 1), 64);
    View y = Elements.zeros(DType.BF16, 1);
    cpu.binary(Binary.MUL, x, 0.1, y);
    assertThat(Elements.get(y)).containsExactly(64 * 0.10009765625);
    cpu.binary(Binary.MUL, 0.1, x, y);
    assertThat(Elements.get(y)).containsExactly(64 * 0.10009765625);
  }

  @Test
  void bf16_comparisonsAndExpandedOperands() {
    View x = Elements.set(Elements.zeros(DType.BF16, 2, 3), 1, 2, 3, 4, 5, 6);
    View column = Elements.set(Elements.zeros(DType.BF16, 2, 1), 2, 5);
    View z = Elements.zeros(DType.BOOL, 2, 3);
    cpu.binary(Binary.LT, x, column.with(column.layout().expand(x.shape())), z);
    assertThat(Elements.get(z)).containsExactly(1, 0, 0, 1, 0, 0);
    View finite = Elements.zeros(DType.BOOL, 2, 3);
    cpu.unary(Unary.IS_FINITE, x, 0, 0, finite);
    assertThat(Elements.get(finite)).containsOnly(1);
    View y = Elements.zeros(DType.BF16, 2, 3);
    cpu.where(z, x, column.with(column.layout().expand(x.shape())), y);
    assertThat(Elements.get(y)).containsExactly(1, 2, 2, 4, 5, 5);
  }

  @Test
  void bf16_reductions() {
    roundsOnce(new int[] {5, 37}, new int[] {5, 1}, (x, y) -> cpu.reduce(Reduce.SUM, x[0], y));
    roundsOnce(new int[] {5, 37}, new int[] {1, 37}, (x, y) -> cpu.reduce(Reduce.MAX, x[0], y));
    roundsOnce(new int[] {5, 37}, new int[] {5, 37}, (x, y) -> cpu.cumsum(x[0], 1, y));
    View x = Elements.set(Elements.zeros(DType.BF16, 1, 4), 1, 3, 2, 3);
    View y = Elements.zeros(DType.I64, 1, 1);
    cpu.argReduce(Reduce.MAX, x, 1, y);
    assertThat(Elements.get(y)).containsExactly(1);
  }

  @Test
  void bf16_matmul_alsoAddingToTheResult() {
    roundsOnce(
        new int[] {5, 19, 19, 7}, new int[] {5, 7}, (x, y) -> cpu.matmul(x[0], x[1], 1, 0, y));
    roundsOnce(
        new int[] {5, 19, 19, 7},
        new int[] {5, 7},
        (x, y) -> cpu.matmul(x[0], x[1], 0.5, 2, y),
        true);
  }

  @Test
  void bf16_bias_isAddedToTheRoundedProduct() {
    View a = random(5, 19);
    View b = random(19, 7);
    View bias = random(7);
    View y = Elements.zeros(DType.BF16, 5, 7);
    View expected = Elements.zeros(DType.BF16, 5, 7);
    cpu.matmul(a, b, bias, y);
    cpu.matmul(a, b, 1, 0, expected);
    cpu.binary(Binary.ADD, expected, bias.with(bias.layout().expand(y.shape())), expected);
    assertThat(Elements.get(y)).isEqualTo(Elements.get(expected));
  }

  private static View random(long... sizes) {
    View view = Elements.zeros(DType.BF16, sizes);
    return Elements.set(
        view, new SplittableRandom(3).doubles(view.shape().numel(), -2, 2).toArray());
  }

  @Test
  void bf16_indexing() {
    View index = Elements.set(Elements.zeros(DType.I64, 2, 3), 0, 4, 4, 2, 2, 2);
    roundsOnce(new int[] {2, 5}, new int[] {2, 3}, (x, y) -> cpu.gather(x[0], 1, index, y));
    roundsOnce(
        new int[] {2, 3}, new int[] {2, 5}, (x, y) -> cpu.scatterAdd(x[0], 1, index, y), true);
  }

  @Test
  void bf16_failedScatter_leavesResultAndScratchAlone() {
    View x = Elements.set(Elements.zeros(DType.BF16, 2), 1, 1);
    View y = Elements.set(Elements.zeros(DType.BF16, 3), 1, 2, 3);
    View index = Elements.set(Elements.zeros(DType.I64, 2), 0, 3);
    assertThatThrownBy(() -> cpu.scatterAdd(x, 0, index, y))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(Elements.get(y)).containsExactly(1, 2, 3);
    assertThat(cpu.memory().used()).isZero();
    Elements.set(index, 0, 2);
    cpu.scatterAdd(x, 0, index, y);
    assertThat(Elements.get(y)).containsExactly(2, 2, 4);
  }

  @Test
  void bf16_softmax() {
    roundsOnce(new int[] {4, 19}, new int[] {4, 19}, (x, y) -> cpu.softmax(x[0], false, y));
    roundsOnce(new int[] {4, 19}, new int[] {4, 19}, (x, y) -> cpu.softmax(x[0], true, y));
    roundsOnce(
        new int[] {4, 19, 4, 19},
        new int[] {4, 19},
        (x, y) -> cpu.softmaxBackward(x[0], x[1], false, y));
  }

  @Test
  void bf16_random() {
    View base = Elements.set(Elements.zeros(DType.I64, 1), 5);
    roundsOnce(
        new int[] {1, 1},
        new int[] {4, 19},
        (_, y) -> cpu.random(Draw.NORMAL, 1, 2, base, 3, 0, y));
  }

  @Test
  void bf16_update() {
    View groups = Elements.set(Elements.zeros(DType.F64, 1, 6), 0.1, 0.9, 0, 0, 0, 0);
    View skip = Elements.zeros(DType.BOOL, 1);
    View counters = Elements.zeros(DType.F64, 1);
    View p = Elements.set(Elements.zeros(DType.BF16, 3), 1, 2, 3);
    View g = Elements.set(Elements.zeros(DType.BF16, 3), 1, -1, 0.5);
    View b = Elements.zeros(DType.BF16, 3);
    var row = new UpdateTable.Row(p, g, List.of(b), counters, 0);
    UpdateTable table = new UpdateTable(List.of(row));
    cpu.update(Update.SGD, table, groups, skip);
    assertThat(Elements.get(b)).containsExactly(1, -1, 0.5);
    assertThat(Elements.get(p)[0]).isCloseTo(0.9, within(0.004));
    assertThat(Elements.get(counters)).containsExactly(1);
    double[] before = Elements.get(p);
    Elements.set(skip, 1);
    cpu.update(Update.SGD, table, groups, skip);
    assertThat(Elements.get(p)).isEqualTo(before);
    assertThat(Elements.get(counters)).containsExactly(1);
  }
}

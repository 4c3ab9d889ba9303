package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Convolutions and their gradients bit for bit as the definition says; that in doubles. */
final class CpuConvolutionTest {
  private final SplittableRandom random = new SplittableRandom(11);

  /**
   * What a convolution is of.
   *
   * @param x sizes of the image
   * @param w sizes of the weight
   */
  record Problem(long[] x, long[] w, Slide rows, Slide columns) {
    static Problem of(
        int n, int groups, int c, int o, long[] image, long[] window, int step, int dilation) {
      long padding = Math.min(window[0], window[1]) / 2;
      return new Problem(
          new long[] {n, (long) groups * c, image[0], image[1]},
          new long[] {(long) groups * o, c, window[0], window[1]},
          new Slide(window[0], step, dilation, padding),
          new Slide(window[1], step, dilation, padding));
    }

    boolean fits() {
      return out(rows, x[2]) > 0 && out(columns, x[3]) > 0;
    }

    long[] y() {
      return new long[] {x[0], w[0], out(rows, x[2]), out(columns, x[3])};
    }

    private static long out(Slide s, long length) {
      return Math.floorDiv(length + 2 * s.padding() - s.dilation() * (s.size() - 1) - 1, s.step())
          + 1;
    }

    @Override
    public String toString() {
      return Arrays.toString(x) + Arrays.toString(w) + rows + columns;
    }
  }

  private View normal(DType dtype, long... sizes) {
    View view = Elements.zeros(dtype, sizes);
    double[] values = Elements.get(view);
    Arrays.setAll(values, i -> random.nextGaussian());
    return Elements.set(view, values);
  }

  /** Dense, inside of a larger tensor, or with its dimensions in another order. */
  private View laid(DType dtype, long... sizes) {
    switch (random.nextInt(4)) {
      case 0 -> {
        long[] larger = Arrays.stream(sizes).map(s -> s + random.nextInt(3)).toArray();
        Layout layout = Layout.contiguous(Shape.of(larger));
        for (int d = 0; d < 4; d++) {
          layout = layout.slice(d, larger[d] - sizes[d], sizes[d], 1);
        }
        return normal(dtype, larger).with(layout);
      }
      case 1 -> {
        View turned = normal(dtype, sizes[3], sizes[1], sizes[2], sizes[0]);
        return turned.with(turned.layout().transpose(0, 3));
      }
      default -> {
        return normal(dtype, sizes);
      }
    }
  }

  private static View like(View view) {
    View copy = Elements.zeros(view.dtype(), view.shape().toArray());
    return Elements.set(copy, Elements.get(view));
  }

  private static double[] bits(View view) {
    return Arrays.stream(Elements.get(view)).toArray();
  }

  private void assertAsDefined(CpuConvolution convolution, Problem p) {
    View x = laid(DType.F32, p.x());
    View w = laid(DType.F32, p.w());
    View dy = laid(DType.F32, p.y());
    View bias = random.nextBoolean() ? normal(DType.F32, p.w()[0]) : null;
    View y = normal(DType.F32, p.y());
    View expected = like(y);
    convolution.convolution(x, w, bias, p.rows(), p.columns(), y);
    ConvolutionReference.convolution(x, w, bias, p.rows(), p.columns(), expected);
    assertThat(bits(y)).as("y of %s", p).isEqualTo(bits(expected));

    View dx = normal(DType.F32, p.x());
    expected = like(dx);
    convolution.convolutionInput(dy, w, p.rows(), p.columns(), dx);
    ConvolutionReference.convolutionInput(dy, w, p.rows(), p.columns(), expected);
    assertThat(bits(dx)).as("dx of %s", p).isEqualTo(bits(expected));

    View dw = normal(DType.F32, p.w());
    expected = like(dw);
    double beta = random.nextInt(2);
    convolution.convolutionWeight(x, dy, p.rows(), p.columns(), beta, dw);
    ConvolutionReference.convolutionWeight(x, dy, p.rows(), p.columns(), beta, expected);
    assertThat(bits(dw)).as("dw of %s, beta %s", p, beta).isEqualTo(bits(expected));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void oddSizes(int threads) {
    try (Workers workers = new Workers(threads)) {
      CpuConvolution convolution = new CpuConvolution(workers);
      for (int i = 0; i < 60; i++) {
        Problem p =
            Problem.of(
                1 + random.nextInt(5),
                1 + random.nextInt(2),
                1 + random.nextInt(5),
                1 + random.nextInt(20),
                new long[] {1 + random.nextInt(12), 1 + random.nextInt(20)},
                new long[] {1 + random.nextInt(4), 1 + random.nextInt(4)},
                1 + random.nextInt(3),
                1 + random.nextInt(2));
        if (p.fits()) {
          assertAsDefined(convolution, p);
        }
      }
    }
  }

  /** More than one band, block, stretch, layer of channels or block of output channels. */
  @ParameterizedTest
  @CsvSource({
    "2, 1, 2, 3, 40, 30, 3, 1",
    "1, 1, 2, 3, 2, 700, 3, 1",
    "1, 1, 1, 2, 1, 1300, 5, 2",
    "1, 1, 120, 3, 9, 60, 3, 1",
    "2, 1, 3, 150, 5, 6, 3, 1",
    "1, 1, 40, 70, 6, 6, 3, 1",
    "40, 1, 2, 3, 7, 7, 3, 1",
    "70, 2, 3, 2, 4, 5, 3, 2",
    "5, 1, 40, 33, 14, 14, 3, 1",
    "3, 1, 2, 3, 60, 44, 5, 3"
  })
  void largeSizes(int n, int groups, int c, int o, int high, int wide, int size, int step) {
    try (Workers workers = new Workers(2)) {
      long[] window = {Math.min(size, high), size};
      assertAsDefined(
          new CpuConvolution(workers),
          Problem.of(n, groups, c, o, new long[] {high, wide}, window, step, 1));
    }
  }

  @Test
  void emptyBatch_givesNoGradient() {
    try (Workers workers = new Workers(1)) {
      Slide slide = new Slide(2, 1, 1, 0);
      View dw = normal(DType.F32, 3, 2, 2, 2);
      new CpuConvolution(workers)
          .convolutionWeight(
              normal(DType.F32, 0, 2, 4, 4), normal(DType.F32, 0, 3, 3, 3), slide, slide, 0, dw);
      assertThat(Elements.get(dw)).containsOnly(0);
    }
  }

  /** The definition, and the family for doubles, against each other: they add in other orders. */
  @Test
  void doubles_agree() {
    try (Workers workers = new Workers(2)) {
      CpuElementwise elementwise = new CpuElementwise(workers);
      CpuPool pool = new CpuPool(1L << 30, false);
      WideViews scratch = new WideViews(pool, workers, elementwise);
      CpuPatches patches = new CpuPatches(scratch, elementwise, new CpuMatmul(workers));
      for (int i = 0; i < 60; i++) {
        Problem p =
            Problem.of(
                1 + random.nextInt(3),
                1 + random.nextInt(2),
                1 + random.nextInt(3),
                1 + random.nextInt(3),
                new long[] {1 + random.nextInt(7), 1 + random.nextInt(7)},
                new long[] {1 + random.nextInt(3), 1 + random.nextInt(3)},
                1 + random.nextInt(3),
                1 + random.nextInt(2));
        if (p.fits()) {
          assertClose(patches, p);
        }
      }
    }
  }

  private void assertClose(CpuPatches patches, Problem p) {
    View x = laid(DType.F64, p.x());
    View w = laid(DType.F64, p.w());
    View dy = laid(DType.F64, p.y());
    View bias = normal(DType.F64, p.w()[0]);
    View y = normal(DType.F64, p.y());
    View y32 = f32(y);
    patches.convolution(x, w, bias, p.rows(), p.columns(), y);
    ConvolutionReference.convolution(f32(x), f32(w), f32(bias), p.rows(), p.columns(), y32);
    assertClose(y, y32);
    View dx = normal(DType.F64, p.x());
    View dx32 = f32(dx);
    patches.convolutionInput(dy, w, p.rows(), p.columns(), dx);
    ConvolutionReference.convolutionInput(f32(dy), f32(w), p.rows(), p.columns(), dx32);
    assertClose(dx, dx32);
    View dw = normal(DType.F64, p.w());
    View dw32 = f32(dw);
    patches.convolutionWeight(x, dy, p.rows(), p.columns(), 0.5, dw);
    ConvolutionReference.convolutionWeight(f32(x), f32(dy), p.rows(), p.columns(), 0.5, dw32);
    assertClose(dw, dw32);
  }

  private static View f32(View view) {
    View narrow = Elements.zeros(DType.F32, view.shape().toArray());
    return Elements.set(narrow, Elements.get(view));
  }

  private static void assertClose(View wide, View narrow) {
    double[] x = Elements.get(wide);
    double[] y = Elements.get(narrow);
    IntStream.range(0, x.length)
        .forEach(i -> assertThat(y[i]).isCloseTo(x[i], within(1e-4 * (1 + Math.abs(x[i])))));
  }
}

package dev.downhill.backend.cuda;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions as matrix products: kernels/window.cu copies the windows of as many samples as
 * {@link #MOST} allows into the workspace, and cuBLAS multiplies. The gradient with respect to the
 * input is the product with the weight transposed, gathered from the windows by the same kernels.
 * For the gradient of the weight the windows of all samples lie side by side, so that there is one
 * product a group and no sum after it.
 */
final class CudaConvolution {
  /** Elements of the workspace, if more than one sample is in it. */
  private static final long MOST = 1L << 27;

  private final CudaDevice device;
  private final CudaElementwise elementwise;
  private final CudaMatmul matmul;
  private final Map<DType, @Nullable CudaKernel> unfolds = new EnumMap<>(DType.class);
  private final Map<DType, @Nullable CudaKernel> folds = new EnumMap<>(DType.class);

  CudaConvolution(CudaDevice device, CudaElementwise elementwise, CudaMatmul matmul) {
    this.device = device;
    this.elementwise = elementwise;
    this.matmul = matmul;
  }

  /**
   * The sizes of a convolution.
   *
   * @param samples N
   * @param groups G
   * @param outputs of a group, O/G
   * @param taps of a group, C/G K L
   * @param area I J
   */
  private record Sizes(long samples, long groups, long outputs, long taps, long area) {
    static Sizes of(View x, View w, View y) {
      long groups = x.shape().size(1) / w.shape().size(1);
      return new Sizes(
          y.shape().size(0),
          groups,
          w.shape().size(0) / groups,
          w.shape().remove(0).numel(),
          y.shape().size(2) * y.shape().size(3));
    }

    /** How many samples are multiplied at a time. */
    long atOnce() {
      return Math.clamp(MOST / (groups * (taps + outputs) * area), 1, Math.max(1, samples));
    }

    /** For each sample and group a matrix, sample by sample. */
    Layout images(long offset, long count, long rows) {
      Shape shape = Shape.of(count, groups, rows, area);
      return Layout.of(shape, new long[] {groups * rows * area, rows * area, area, 1}, offset);
    }

    /** The weight of each group, the same for all samples. */
    Layout weights(long offset, long count) {
      Shape shape = Shape.of(count, groups, outputs, taps);
      return Layout.of(shape, new long[] {0, outputs * taps, taps, 1}, offset);
    }

    /** For each group a matrix with the columns of all samples. */
    Layout joined(long offset, long count, long rows) {
      return Layout.of(
          Shape.of(groups, rows, count * area),
          new long[] {rows * count * area, count * area, 1},
          offset);
    }
  }

  /** See {@link dev.downhill.backend.Backend#convolution}. */
  void convolution(View x, View w, Slide rows, Slide columns, View y) {
    assert y.layout().isContiguous() : y;
    Sizes s = Sizes.of(x, w, y);
    long sample = s.groups * s.taps * s.area;
    CudaBuffer scratch = scratch(y.dtype(), s.atOnce() * sample, w.shape().numel());
    View weight = dense(w, scratch, s.atOnce() * sample);
    for (long n = 0; n < s.samples; n += s.atOnce()) {
      long count = Math.min(s.atOnce(), s.samples - n);
      View windows = new View(scratch, s.images(0, count, s.taps));
      unfold(part(x, n, count), y, rows, columns, sample, s.area, windows);
      View result = part(y, n, count);
      multiply(
          weight.with(s.weights(weight.layout().offset(), count)),
          windows,
          result.with(s.images(result.layout().offset(), count, s.outputs)));
    }
  }

  /** See {@link dev.downhill.backend.Backend#convolutionInput}. */
  void convolutionInput(View dy, View w, Slide rows, Slide columns, View dx) {
    assert dx.layout().isContiguous() : dx;
    Sizes s = Sizes.of(dx, w, dy);
    long sample = s.groups * s.taps * s.area;
    long image = aligned(s.atOnce() * sample);
    long all = image + s.atOnce() * s.groups * s.outputs * s.area;
    CudaBuffer scratch = scratch(dx.dtype(), all, w.shape().numel());
    View weight = dense(w, scratch, all);
    for (long n = 0; n < s.samples; n += s.atOnce()) {
      long count = Math.min(s.atOnce(), s.samples - n);
      View gradient = dense(part(dy, n, count), scratch, image);
      View windows = new View(scratch, s.images(0, count, s.taps));
      Layout turned = s.weights(weight.layout().offset(), count).transpose(2, 3);
      multiply(
          weight.with(turned),
          gradient.with(s.images(gradient.layout().offset(), count, s.outputs)),
          windows);
      fold(windows, dy, rows, columns, part(dx, n, count));
    }
  }

  /** See {@link dev.downhill.backend.Backend#convolutionWeight}. */
  void convolutionWeight(View x, View dy, Slide rows, Slide columns, double beta, View dw) {
    assert dw.layout().isContiguous() : dw;
    Sizes s = Sizes.of(x, dw, dy);
    if (s.samples == 0 && beta == 0) {
      elementwise.fill(dw, 0);
    }
    long atOnce = s.atOnce();
    long most = s.groups * s.taps * s.area * atOnce;
    CudaBuffer scratch = scratch(dw.dtype(), most, s.groups * s.outputs * s.area * atOnce);
    for (long n = 0; n < s.samples; n += atOnce) {
      long count = Math.min(atOnce, s.samples - n);
      View windows = new View(scratch, s.joined(0, count, s.taps));
      unfold(part(x, n, count), dy, rows, columns, s.area, count * s.area, windows);
      View gradient = part(dy, n, count);
      View lines = gradient.with(gradient.layout().transpose(0, 1));
      View copy = copy(lines, scratch, most);
      matmul.matmul(
          copy.with(s.joined(copy.layout().offset(), count, s.outputs)),
          windows.with(windows.layout().transpose(1, 2)),
          1,
          n == 0 ? beta : 1,
          dw.with(
              Layout.of(
                  Shape.of(s.groups, s.outputs, s.taps),
                  new long[] {s.outputs * s.taps, s.taps, 1},
                  dw.layout().offset())));
    }
  }

  /** Scratch memory of two parts, the second after the first. */
  private CudaBuffer scratch(DType type, long first, long second) {
    long bytes = (aligned(first) + second) * type.bytes();
    CudaPool.Block block = new CudaPool.Block(device.workspace(bytes), bytes, null);
    return new CudaBuffer(type, aligned(first) + second, block);
  }

  /** Where the next part starts: at a multiple of 256 bytes of any type. */
  private static long aligned(long numel) {
    return Math.ceilDiv(numel, 128) * 128;
  }

  /** The view itself if it is contiguous, else a copy. */
  private View dense(View x, CudaBuffer scratch, long at) {
    return x.layout().isContiguous() ? x : copy(x, scratch, at);
  }

  private View copy(View x, CudaBuffer scratch, long at) {
    Layout first = Layout.contiguous(x.shape());
    long[] strides = LongStream.range(0, 4).map(d -> first.stride((int) d)).toArray();
    View copy = new View(scratch, Layout.of(x.shape(), strides, aligned(at)));
    elementwise.copy(x, copy);
    return copy;
  }

  private static View part(View x, long n, long count) {
    return x.with(x.layout().slice(0, n, count, 1));
  }

  /** One product for each sample and group; samples or groups in one call, whichever are more. */
  private void multiply(View a, View b, View y) {
    int loop = y.shape().size(0) < y.shape().size(1) ? 0 : 1;
    for (long i = 0; i < y.shape().size(loop); i++) {
      matmul.matmul(one(a, loop, i), one(b, loop, i), 1, 0, one(y, loop, i));
    }
  }

  private static View one(View x, int dim, long i) {
    return x.with(x.layout().slice(dim, i, 1, 1).squeeze(dim));
  }

  private void unfold(
      View x, View y, Slide rows, Slide columns, long sample, long tap, View windows) {
    long count = windows.shape().numel();
    CudaKernel kernel = kernel(unfolds, "unfold", x.dtype());
    WindowArguments.write(kernel.struct(0), count, x, x.shape().size(1), x, y, rows, columns);
    kernel
        .i64(1, count)
        .view(2, x)
        .i64(3, sample)
        .i64(4, tap)
        .view(5, windows)
        .launch(device.blocks(count), CudaDevice.THREADS);
  }

  private void fold(View windows, View dy, Slide rows, Slide columns, View dx) {
    long count = dx.shape().numel();
    CudaKernel kernel = kernel(folds, "fold", dx.dtype());
    WindowArguments.write(kernel.struct(0), count, dx, dx.shape().size(1), dx, dy, rows, columns);
    kernel
        .i64(1, count)
        .view(2, windows)
        .view(3, dx)
        .launch(device.blocks(count), CudaDevice.THREADS);
  }

  private CudaKernel kernel(Map<DType, @Nullable CudaKernel> kernels, String name, DType type) {
    CudaKernel kernel = kernels.get(type);
    if (kernel == null) {
      kernel = device.kernel("window", type, KernelName.of(name, type));
      kernels.put(type, kernel);
    }
    return kernel;
  }
}

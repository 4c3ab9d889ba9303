package dev.downhill.backend.cpu;

import dev.downhill.backend.Binary;
import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions in {@code f64}, of which little is asked: sample by sample, the windows of a group
 * are copied side by side, and then a convolution is one product of matrices.
 */
final class CpuPatches implements Convolutions {
  private final WideViews scratch;
  private final CpuElementwise elementwise;
  private final CpuMatmul matmul;

  CpuPatches(WideViews scratch, CpuElementwise elementwise, CpuMatmul matmul) {
    this.scratch = scratch;
    this.elementwise = elementwise;
    this.matmul = matmul;
  }

  @Override
  public void convolution(View x, View w, @Nullable View bias, Slide rows, Slide columns, View y) {
    Work work = new Work(x.shape(), w, rows, columns, y.shape());
    for (long n = 0; n < y.shape().size(0); n++) {
      for (long g = 0; g < work.groups; g++) {
        work.unfold(x, n, g);
        matmul.matmul(work.weight(g), work.windows, 1, 0, work.product);
        View result = y.with(channels(y.layout(), n, g, work.outputs));
        elementwise.copy(work.product.with(work.images), result);
      }
    }
    if (bias != null) {
      Layout repeated = bias.layout().unsqueeze(1).unsqueeze(2).expand(y.shape());
      elementwise.binary(Binary.ADD, y, bias.with(repeated), y);
    }
  }

  @Override
  public void convolutionInput(View dy, View w, Slide rows, Slide columns, View dx) {
    Work work = new Work(dx.shape(), w, rows, columns, dy.shape());
    for (long n = 0; n < dy.shape().size(0); n++) {
      for (long g = 0; g < work.groups; g++) {
        View gradient = dy.with(channels(dy.layout(), n, g, work.outputs));
        elementwise.copy(gradient, work.product.with(work.images));
        View weight = work.weight(g);
        View turned = weight.with(weight.layout().transpose(0, 1));
        matmul.matmul(turned, work.product, 1, 0, work.windows);
        work.fold(dx, n, g);
      }
    }
  }

  @Override
  public void convolutionWeight(View x, View dy, Slide rows, Slide columns, double beta, View dw) {
    Work work = new Work(x.shape(), dw, rows, columns, dy.shape());
    if (beta == 0) {
      elementwise.fill(work.weights, 0);
    } else if (beta != 1) {
      elementwise.binary(Binary.MUL, work.weights, beta, work.weights);
    }
    for (long n = 0; n < dy.shape().size(0); n++) {
      for (long g = 0; g < work.groups; g++) {
        View gradient = dy.with(channels(dy.layout(), n, g, work.outputs));
        elementwise.copy(gradient, work.product.with(work.images));
        work.unfold(x, n, g);
        View turned = work.windows.with(work.windows.layout().transpose(0, 1));
        matmul.matmul(work.product, turned, 1, 1, work.weight(g));
      }
    }
    elementwise.copy(work.weights.with(Layout.contiguous(dw.shape())), dw);
  }

  /** The channels of a group in one sample. */
  private static Layout channels(Layout image, long n, long g, long channels) {
    return image.slice(0, n, 1, 1).squeeze(0).slice(0, g * channels, channels, 1);
  }

  /** Scratch memory of a call, and the copies that are the same for all products. */
  private final class Work {
    final long groups;
    final long outputs;
    final View weights;
    final View windows;
    final View product;
    final Layout images;
    private final Slide rows;
    private final Slide columns;
    private final long inputs;
    private final View padded;
    private final Layout seen;

    Work(Shape x, View w, Slide rows, Slide columns, Shape y) {
      this.rows = rows;
      this.columns = columns;
      this.inputs = w.shape().size(1);
      this.groups = x.size(1) / inputs;
      this.outputs = y.size(1) / groups;
      long high = y.size(2);
      long wide = y.size(3);
      long taps = inputs * rows.size() * columns.size();
      this.weights = scratch.take(DType.F64, Shape.of(groups * outputs, taps));
      elementwise.copy(w, weights.with(Layout.contiguous(w.shape())));
      this.windows = scratch.take(DType.F64, Shape.of(taps, high * wide));
      this.product = scratch.take(DType.F64, Shape.of(outputs, high * wide));
      this.images = Layout.contiguous(Shape.of(outputs, high, wide));
      long height = padded(x.size(2), rows, high);
      long width = padded(x.size(3), columns, wide);
      this.padded = scratch.take(DType.F64, Shape.of(inputs, height, width));
      this.seen =
          Layout.of(
              Shape.of(inputs, rows.size(), columns.size(), high, wide),
              new long[] {
                height * width,
                rows.dilation() * width,
                columns.dilation(),
                rows.step() * width,
                columns.step()
              },
              0);
    }

    private static long padded(long length, Slide slide, long windows) {
      long end = slide.position(windows - 1, slide.size() - 1) + 1;
      return slide.padding() + Math.max(length, end);
    }

    /** The matrix of a group. */
    View weight(long g) {
      return weights.with(weights.layout().slice(0, g * outputs, outputs, 1));
    }

    /** Where the image lies in its padding. */
    private View inside(View image) {
      Layout all = padded.layout();
      Layout lines = all.slice(1, rows.padding(), image.shape().size(2), 1);
      return padded.with(lines.slice(2, columns.padding(), image.shape().size(3), 1));
    }

    void unfold(View x, long n, long g) {
      elementwise.fill(padded, 0);
      elementwise.copy(x.with(channels(x.layout(), n, g, inputs)), inside(x));
      elementwise.copy(padded.with(seen), windows.with(Layout.contiguous(seen.shape())));
    }

    void fold(View dx, long n, long g) {
      elementwise.fill(padded, 0);
      Layout copies = Layout.contiguous(seen.shape());
      for (long k = 0; k < rows.size(); k++) {
        for (long l = 0; l < columns.size(); l++) {
          View to = padded.with(tap(seen, k, l));
          elementwise.binary(Binary.ADD, to, windows.with(tap(copies, k, l)), to);
        }
      }
      elementwise.copy(inside(dx), dx.with(channels(dx.layout(), n, g, inputs)));
    }

    private static Layout tap(Layout all, long k, long l) {
      return all.slice(1, k, 1, 1).slice(2, l, 1, 1).squeeze(2).squeeze(1);
    }
  }
}

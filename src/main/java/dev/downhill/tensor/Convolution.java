package dev.downhill.tensor;

import dev.downhill.backend.Slide;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions, as {@code torch.nn.functional} has them: cross-correlations over the last one or
 * two dimensions. N is the batch, which may be missing, C the channels, O the output channels, G
 * the groups: output channels of a group see the channels of that group alone.
 *
 * <p>All are made of {@link FusedConvolution}: the transposed one is the gradient of the other.
 */
public final class Convolution {
  private Convolution() {}

  /**
   * How windows lie. Lists have one number for each spatial dimension, or one for all.
   *
   * @param stride how far the windows are apart, 1 or more
   * @param padding how many zeros are added on both sides of the input, or, transposed, cut off
   *     both sides of the output
   * @param dilation how far the elements of a window are apart, 1 or more
   * @param outputPadding transposed alone: by how much the output is longer at its end, less than
   *     the stride or the dilation
   * @param groups into how many groups channels are divided
   */
  public record Options(
      List<Long> stride,
      List<Long> padding,
      List<Long> dilation,
      List<Long> outputPadding,
      long groups) {
    /** Stride 1, no padding, no dilation, one group. */
    public static final Options DEFAULT =
        new Options(List.of(1L), List.of(0L), List.of(1L), List.of(0L), 1);

    /** Copies the lists. */
    public Options {
      stride = List.copyOf(stride);
      padding = List.copyOf(padding);
      dilation = List.copyOf(dilation);
      outputPadding = List.copyOf(outputPadding);
    }

    /** With this stride. */
    public Options withStride(long... numbers) {
      return new Options(list(numbers), padding, dilation, outputPadding, groups);
    }

    /** With this padding. */
    public Options withPadding(long... numbers) {
      return new Options(stride, list(numbers), dilation, outputPadding, groups);
    }

    /** With this dilation. */
    public Options withDilation(long... numbers) {
      return new Options(stride, padding, list(numbers), outputPadding, groups);
    }

    /** With a longer output, for transposed convolutions. */
    public Options withOutputPadding(long... numbers) {
      return new Options(stride, padding, dilation, list(numbers), groups);
    }

    /** With so many groups. */
    public Options withGroups(long number) {
      return new Options(stride, padding, dilation, outputPadding, number);
    }

    private static List<Long> list(long[] numbers) {
      return LongStream.of(numbers).boxed().toList();
    }
  }

  /**
   * y[n, o, i] = bias[o] + Σ weight[o, c, k] x[n, c, i stride + k dilation - padding] over the
   * channels c of o's group and the window k; x is 0 outside.
   *
   * @param x (N, C, L) or (C, L)
   * @param weight (O, C/G, K)
   * @param bias (O), or null
   * @return (N, O, M), M = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1
   */
  public static Tensor conv1d(Tensor x, Tensor weight, @Nullable Tensor bias, Options options) {
    return forward("conv1d", 1, x, weight, bias, options);
  }

  /**
   * {@link #conv1d} over two dimensions.
   *
   * @param x (N, C, H, W) or (C, H, W)
   * @param weight (O, C/G, kH, kW)
   * @param bias (O), or null
   * @return (N, O, H', W')
   */
  public static Tensor conv2d(Tensor x, Tensor weight, @Nullable Tensor bias, Options options) {
    return forward("conv2d", 2, x, weight, bias, options);
  }

  /**
   * The gradient of {@link #conv2d} with respect to its input, as an operator: every element of x
   * adds a weighted window to y, y[n, o, i stride + k dilation - padding] += weight[c, o, k] x[n,
   * c, i].
   *
   * @param x (N, C, H, W) or (C, H, W)
   * @param weight (C, O/G, kH, kW)
   * @param bias (O), or null
   * @return (N, O, H', W'), H' = (H - 1) stride - 2 padding + dilation (kH - 1) + outputPadding + 1
   */
  public static Tensor convTranspose2d(
      Tensor x, Tensor weight, @Nullable Tensor bias, Options options) {
    return transposed("convTranspose2d", 2, x, weight, bias, options);
  }

  private static Tensor forward(
      String name, int n, Tensor x, Tensor weight, @Nullable Tensor bias, Options options) {
    Op op = checked(name, n, x, weight, bias, options);
    long groups = options.groups();
    checkChannels(op, options, x.size(-1 - n), weight.size(1) * groups, weight.size(0), bias);
    List<Windows> windows = windows(op, n, weight, options);
    long[] padding = Windows.numbers(op, "padding", options.padding(), n, 0);
    if (options.outputPadding().stream().anyMatch(number -> number != 0)) {
      throw op.refuse("expected no output padding, got " + options.outputPadding());
    }
    long[] sizes = new long[n];
    for (int d = 0; d < n; d++) {
      long length = x.size(d - n) + 2 * padding[d];
      sizes[d] = windows.get(d).count(length);
      if (sizes[d] == 0) {
        throw op.refuse(
            "expected windows no larger than the padded input, got %d for %d along dimension %d"
                .formatted(windows.get(d).span(), length, d - n));
      }
    }
    try (Scope scope = Scope.internal()) {
      Tensor image = image(x, n);
      Shape y = Shape.of(image.size(0), weight.size(0)).append(plane(sizes));
      Tensor w = flat(weight, n);
      FusedConvolution fused = fused(name, windows, padding, image.shape(), w.shape(), y);
      return scope.keep(shaped(fused.forward(image, w, bias), x, n));
    }
  }

  private static Tensor transposed(
      String name, int n, Tensor x, Tensor weight, @Nullable Tensor bias, Options options) {
    Op op = checked(name, n, x, weight, bias, options);
    long groups = options.groups();
    checkChannels(op, options, x.size(-1 - n), weight.size(0), weight.size(1) * groups, bias);
    List<Windows> windows = windows(op, n, weight, options);
    long[] padding = Windows.numbers(op, "padding", options.padding(), n, 0);
    long[] more = Windows.numbers(op, "output padding", options.outputPadding(), n, 0);
    long[] reach = new long[n];
    for (int d = 0; d < n; d++) {
      Windows w = windows.get(d);
      reach[d] = w.reach(x.size(d - n)) + more[d];
      boolean fits = x.size(d - n) > 0 && more[d] < Math.max(w.step(), w.dilation());
      if (!fits || reach[d] - 2 * padding[d] < 1) {
        throw op.refuse(
            "expected an input and an output of 1 or more and an output padding below the stride or the dilation, got input %d, output %d and output padding %d along dimension %d"
                .formatted(x.size(d - n), reach[d] - 2 * padding[d], more[d], d - n));
      }
    }
    long[] sizes = new long[n];
    Arrays.setAll(sizes, d -> reach[d] - 2 * padding[d]);
    try (Scope scope = Scope.internal()) {
      Tensor y = image(x, n);
      Shape image = Shape.of(y.size(0), weight.size(1) * groups).append(plane(sizes));
      Tensor w = flat(weight, n);
      FusedConvolution fused = fused(name, windows, padding, image, w.shape(), y.shape());
      return scope.keep(shaped(fused.input(y, w, bias), x, n));
    }
  }

  private static Op checked(
      String name, int n, Tensor x, Tensor weight, @Nullable Tensor bias, Options options) {
    Op op = bias == null ? Op.of(name, x, weight) : Op.of(name, x, weight, bias);
    op.floating();
    boolean ranks = (x.dim() == n + 1 || x.dim() == n + 2) && weight.dim() == n + 2;
    if (!ranks || options.groups() < 1 || options.groups() > Integer.MAX_VALUE) {
      throw op.refuse(
          "expected an input with %d or %d dimensions, a weight with %d and 1 or more groups, got %d groups"
              .formatted(n + 1, n + 2, n + 2, options.groups()));
    }
    return op;
  }

  /** That the weight maps {@code in} channels to {@code out}, in groups. */
  private static void checkChannels(
      Op op, Options options, long given, long in, long out, @Nullable Tensor bias) {
    long groups = options.groups();
    boolean fits = given == in && in % groups == 0 && out % groups == 0;
    if (!fits || (bias != null && !bias.shape().equals(Shape.of(out)))) {
      throw op.refuse(
          "expected %d input channels, a bias of %d, and channels that %d groups divide, got %d input channels"
              .formatted(in, out, groups, given));
    }
  }

  private static List<Windows> windows(Op op, int n, Tensor weight, Options options) {
    long[] stride = Windows.numbers(op, "stride", options.stride(), n, 1);
    long[] dilation = Windows.numbers(op, "dilation", options.dilation(), n, 1);
    List<Windows> windows = new ArrayList<>();
    for (int d = 0; d < n; d++) {
      windows.add(Windows.of(op, weight.size(2 + d), stride[d], dilation[d]));
    }
    return windows;
  }

  // One dimension is a plane with one line.

  private static Shape plane(long[] sizes) {
    return sizes.length == 1 ? Shape.of(1, sizes[0]) : Shape.of(sizes);
  }

  private static Tensor flat(Tensor x, int n) {
    return n == 1 ? x.unsqueeze(-2) : x;
  }

  /** (N, C, ...) or (C, ...) as (N, C, H, W). */
  private static Tensor image(Tensor x, int n) {
    Tensor image = flat(x, n);
    return image.dim() == 3 ? image.unsqueeze(0) : image;
  }

  /** (N, O, H, W) without the dimensions that x does not have. */
  private static Tensor shaped(Tensor y, Tensor x, int n) {
    Tensor line = n == 1 ? y.squeeze(-2) : y;
    return x.dim() == n + 1 ? line.squeeze(0) : line;
  }

  private static FusedConvolution fused(
      String name, List<Windows> windows, long[] padding, Shape x, Shape w, Shape y) {
    Slide columns = slide(windows.getLast(), padding[padding.length - 1]);
    Slide rows = windows.size() == 1 ? new Slide(1, 1, 1, 0) : slide(windows.get(0), padding[0]);
    return new FusedConvolution(name, rows, columns, x, w, y);
  }

  private static Slide slide(Windows windows, long padding) {
    return new Slide(windows.size(), windows.step(), windows.dilation(), padding);
  }
}

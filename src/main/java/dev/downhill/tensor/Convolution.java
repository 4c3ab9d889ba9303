package dev.downhill.tensor;

import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions, as {@code torch.nn.functional} has them: cross-correlations over the last one or
 * two dimensions. N is the batch, which may be missing, C the channels, O the output channels, G
 * the groups: output channels of a group see the channels of that group alone.
 *
 * <p>Each is one matrix product a group: of the weight with the windows of the padded input, all
 * samples side by side. The transposed one multiplies first and adds the windows up after. The
 * gradients follow from those of the parts.
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
      Tensor patches = grouped(Padding.around(x, padding, padding, 0), n, groups);
      for (int d = 0; d < n; d++) {
        patches = windows.get(d).unfold(patches, 3 + d, sizes[d]);
      }
      long samples = patches.size(0);
      long window = weight.shape().remove(0).numel();
      patches =
          patches.permute(order(new int[] {1, 2}, range(3 + n, n), new int[] {0}, range(3, n)));
      Tensor y =
          weight
              .reshape(groups, weight.size(0) / groups, window)
              .matmul(patches.reshape(groups, window, samples * Shape.of(sizes).numel()))
              .reshape(sizes(sizes, groups, weight.size(0) / groups, samples))
              .permute(order(new int[] {2, 0, 1}, range(3, n)));
      return scope.keep(finished(y, x, n, bias));
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
    try (Scope scope = Scope.internal()) {
      Tensor samples = grouped(x, n, groups).permute(order(new int[] {1, 2, 0}, range(3, n)));
      long channels = weight.size(0) / groups;
      Shape beside = samples.shape().slice(2, n + 3);
      Shape window = weight.shape().remove(0);
      long[] product = Shape.of(groups).append(window).append(beside).toArray();
      Tensor y =
          weight
              .reshape(groups, channels, window.numel())
              .transpose(1, 2)
              .matmul(samples.reshape(groups, channels, beside.numel()))
              .reshape(product)
              .permute(order(new int[] {2 + n, 0, 1}, range(3 + n, n), range(2, n)));
      for (int d = n - 1; d >= 0; d--) {
        y = windows.get(d).fold(y, 3 + d, reach[d]);
      }
      long[] cut = LongStream.of(padding).map(number -> -number).toArray();
      return scope.keep(finished(Padding.around(y, cut, cut, 0), x, n, bias));
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

  /** (N, C, ...) or (C, ...) as (N, G, C/G, ...). */
  private static Tensor grouped(Tensor x, int n, long groups) {
    Tensor batch = x.dim() == n + 1 ? x.unsqueeze(0) : x;
    long[] spatial = batch.shape().slice(2, n + 2).toArray();
    return batch.reshape(sizes(spatial, batch.size(0), groups, batch.size(1) / groups));
  }

  /** (N, G, O/G, ...) as (N, O, ...), without N if x has none, with the bias. */
  private static Tensor finished(Tensor y, Tensor x, int n, @Nullable Tensor bias) {
    long[] spatial = y.shape().slice(3, n + 3).toArray();
    Tensor z =
        x.dim() == n + 1
            ? y.reshape(sizes(spatial, y.size(1) * y.size(2)))
            : y.reshape(sizes(spatial, y.size(0), y.size(1) * y.size(2)));
    if (bias == null) {
      return z;
    }
    long[] along = new long[n + 1];
    Arrays.fill(along, 1);
    along[0] = bias.size(0);
    return z.add(bias.reshape(along));
  }

  private static long[] sizes(long[] spatial, long... lead) {
    return LongStream.concat(LongStream.of(lead), LongStream.of(spatial)).toArray();
  }

  private static int[] range(int from, int n) {
    return IntStream.range(from, from + n).toArray();
  }

  private static int[] order(int[]... parts) {
    return Stream.of(parts).flatMapToInt(IntStream::of).toArray();
  }
}

package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.backend.Slide;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What windows over the last two dimensions hold, as one number each: the largest element or the
 * mean. Inputs are (N, C, H, W) or (C, H, W).
 *
 * <p>A dimension of L elements has floor((L + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
 * windows. In ceil mode the quotient is rounded up instead, but no window starts in the padding
 * behind the input.
 */
public final class Pooling {
  private Pooling() {}

  /**
   * Windows whose largest element is taken. Lists have one number for height and width, or one for
   * both.
   *
   * @param kernel how many elements a window has
   * @param stride how far windows are apart; an empty list stands for the kernel
   * @param padding how much is added around the input, which is never chosen: at most half a window
   * @param dilation how far the elements of a window are apart
   * @param ceilMode whether elements at the end that do not fill a window get one
   */
  public record Max(
      List<Long> kernel,
      List<Long> stride,
      List<Long> padding,
      List<Long> dilation,
      boolean ceilMode) {
    /** Copies the lists. */
    public Max {
      kernel = List.copyOf(kernel);
      stride = List.copyOf(stride);
      padding = List.copyOf(padding);
      dilation = List.copyOf(dilation);
    }

    /** Windows of this size side by side. */
    public static Max of(long... kernel) {
      return new Max(list(kernel), List.of(), List.of(0L), List.of(1L), false);
    }

    /** With this stride. */
    public Max withStride(long... numbers) {
      return new Max(kernel, list(numbers), padding, dilation, ceilMode);
    }

    /** With this padding. */
    public Max withPadding(long... numbers) {
      return new Max(kernel, stride, list(numbers), dilation, ceilMode);
    }

    /** With this dilation. */
    public Max withDilation(long... numbers) {
      return new Max(kernel, stride, padding, list(numbers), ceilMode);
    }

    /** With windows for elements at the end that do not fill one. */
    public Max withCeilMode() {
      return new Max(kernel, stride, padding, dilation, true);
    }
  }

  /**
   * Windows whose mean is taken. Lists have one number for height and width, or one for both.
   *
   * @param kernel how many elements a window has
   * @param stride how far windows are apart; an empty list stands for the kernel
   * @param padding how many zeros are added around the input: at most half a window
   * @param ceilMode whether elements at the end that do not fill a window get one
   * @param countIncludePad whether zeros of the padding count as elements
   * @param divisor what sums are divided by in place of the number of elements; null for that
   */
  public record Average(
      List<Long> kernel,
      List<Long> stride,
      List<Long> padding,
      boolean ceilMode,
      boolean countIncludePad,
      @Nullable Double divisor) {
    /** Copies the lists. */
    public Average {
      kernel = List.copyOf(kernel);
      stride = List.copyOf(stride);
      padding = List.copyOf(padding);
    }

    /** Windows of this size side by side. */
    public static Average of(long... kernel) {
      return new Average(list(kernel), List.of(), List.of(0L), false, true, null);
    }

    /** With this stride. */
    public Average withStride(long... numbers) {
      return new Average(kernel, list(numbers), padding, ceilMode, countIncludePad, divisor);
    }

    /** With this padding. */
    public Average withPadding(long... numbers) {
      return new Average(kernel, stride, list(numbers), ceilMode, countIncludePad, divisor);
    }

    /** With windows for elements at the end that do not fill one. */
    public Average withCeilMode() {
      return new Average(kernel, stride, padding, true, countIncludePad, divisor);
    }

    /** With means of the input's elements alone. */
    public Average withoutCountingPad() {
      return new Average(kernel, stride, padding, ceilMode, false, divisor);
    }

    /** With sums divided by this number. */
    public Average withDivisor(double number) {
      return new Average(kernel, stride, padding, ceilMode, countIncludePad, number);
    }
  }

  private static List<Long> list(long[] numbers) {
    return LongStream.of(numbers).boxed().toList();
  }

  /**
   * The {@code count} windows along one dimension of {@code length} elements; the first starts
   * {@code padding} before the first element.
   */
  private record Axis(Windows windows, long length, long padding, long count) {
    Slide slide() {
      return new Slide(windows.size(), windows.step(), windows.dilation(), padding);
    }

    /**
     * How many elements each window has, int64.
     *
     * @param padded whether those of the padding count
     */
    Tensor covered(Device device, boolean padded) {
      Tensor start =
          Tensor.arange(device, DType.I64, count)
              .mul((double) windows.step())
              .sub((double) padding);
      Tensor end =
          start.add((double) windows.size()).minimum((double) (padded ? length + padding : length));
      return end.sub(padded ? start : start.maximum(0));
    }
  }

  private static List<Axis> axes(
      Op op,
      Tensor x,
      List<Long> kernel,
      List<Long> stride,
      List<Long> padding,
      List<Long> dilation,
      boolean ceilMode) {
    if (x.dim() != 3 && x.dim() != 4) {
      throw op.refuse("expected an input (N, C, H, W) or (C, H, W)");
    }
    long[] sizes = Windows.numbers(op, "kernel", kernel, 2, 1);
    long[] steps = stride.isEmpty() ? sizes : Windows.numbers(op, "stride", stride, 2, 1);
    long[] pads = Windows.numbers(op, "padding", padding, 2, 0);
    long[] gaps = Windows.numbers(op, "dilation", dilation, 2, 1);
    List<Axis> axes = new ArrayList<>();
    for (int d = 0; d < 2; d++) {
      Windows windows = Windows.of(op, sizes[d], steps[d], gaps[d]);
      axes.add(axis(op, windows, x.size(d - 2), pads[d], ceilMode));
    }
    return axes;
  }

  private static Axis axis(Op op, Windows windows, long length, long padding, boolean ceilMode) {
    if (padding > windows.span() / 2) {
      throw op.refuse(
          "expected a padding of at most half a window of %d, got %d"
              .formatted(windows.span(), padding));
    }
    long room = length + 2 * padding - windows.span();
    long count =
        (ceilMode ? Math.ceilDiv(room, windows.step()) : Math.floorDiv(room, windows.step())) + 1;
    if (ceilMode && (count - 1) * windows.step() >= length + padding) {
      count--;
    }
    boolean sees = length > 0 && count > 0;
    for (long i = 0; sees && i < count && i * windows.step() < padding; i++) {
      sees = Math.floorMod(i * windows.step() - padding, windows.dilation()) < length;
    }
    if (!sees) {
      throw op.refuse(
          "expected windows that each see an element, got windows of %d for %d elements with a padding of %d"
              .formatted(windows.span(), length, padding));
    }
    return new Axis(windows, length, padding, count);
  }

  /**
   * The largest element of every window; NaN if there is one.
   *
   * <p>dx = the sum of dy over the windows in which an element is chosen: of equal ones the first
   * in row-major order.
   *
   * @param x (N, C, H, W) or (C, H, W)
   */
  public static Tensor maxPool2d(Tensor x, Max windows) {
    return maxPool2dWithIndices(x, windows).values();
  }

  /**
   * {@link #maxPool2d} and where the elements were: y W + x in the plane (H, W).
   *
   * @param x (N, C, H, W) or (C, H, W)
   */
  public static Ranked maxPool2dWithIndices(Tensor x, Max windows) {
    Op op = Op.of("maxPool2d", x).floating();
    List<Axis> axes =
        axes(
            op,
            x,
            windows.kernel(),
            windows.stride(),
            windows.padding(),
            windows.dilation(),
            windows.ceilMode());
    try (Scope scope = Scope.internal()) {
      Tensor images = x.dim() == 3 ? x.unsqueeze(0) : x;
      Ranked y = largest(images, axes.get(0).slide(), axes.get(1).slide(), out(images, axes));
      return x.dim() == 4
          ? new Ranked(scope.keep(y.values()), scope.keep(y.indices()))
          : new Ranked(scope.keep(y.values().squeeze(0)), scope.keep(y.indices().squeeze(0)));
    }
  }

  private static Shape out(Tensor images, List<Axis> axes) {
    return images.shape().with(2, axes.get(0).count()).with(3, axes.get(1).count());
  }

  private static Ranked largest(Tensor x, Slide rows, Slide columns, Shape shape) {
    Op op = Op.of("maxPool2d", x);
    Tensor y = op.output(shape);
    Tensor at = op.output(DType.I64, shape);
    Shape images = x.shape();
    op.device().run(b -> b.maxPool(x.view(), rows, columns, y.view(), at.view()));
    op.saving(at).record(y, p -> spread(p.dy(), p.saved(0), rows, columns, images));
    return new Ranked(y, at);
  }

  /** dx[at[i]] += dy[i], plane by plane; its gradient is gathered from there again. */
  private static Tensor spread(Tensor dy, Tensor at, Slide rows, Slide columns, Shape images) {
    Op op = Op.of("maxPool2d", dy, at);
    Tensor dx = op.output(images);
    op.device().run(b -> b.maxPoolBackward(dy.view(), at.view(), rows, columns, dx.view()));
    return op.saving(at).record(dx, p -> taken(p.dy(), p.saved(0)), p -> null);
  }

  private static Tensor taken(Tensor x, Tensor at) {
    long[] planes = {at.size(0), at.size(1), at.size(2) * at.size(3)};
    return x.flatten(2, 3).gather(2, at.reshape(planes)).reshape(at.shape().toArray());
  }

  /**
   * The mean of every window: the sum of its elements, where padding is 0, divided by how many
   * there are. Padding counts, as far as it was asked for, unless {@code countIncludePad} is false.
   *
   * <p>dx = the sum of dy over the windows that see an element, each divided by the same number.
   *
   * @param x (N, C, H, W) or (C, H, W)
   */
  public static Tensor avgPool2d(Tensor x, Average windows) {
    Op op = Op.of("avgPool2d", x).floating();
    List<Axis> axes =
        axes(
            op,
            x,
            windows.kernel(),
            windows.stride(),
            windows.padding(),
            List.of(1L),
            windows.ceilMode());
    Double divisor = windows.divisor();
    if (divisor != null && (divisor == 0 || !Double.isFinite(divisor))) {
      throw op.refuse("expected a finite divisor other than 0, got " + divisor);
    }
    try (Scope scope = Scope.internal()) {
      Tensor sum = sum(x, axes);
      return scope.keep(
          divisor == null
              ? sum.div(sizes(x, axes, windows.countIncludePad()))
              : sum.div((double) divisor));
    }
  }

  /** The sum of every window: a convolution of each channel with ones. */
  private static Tensor sum(Tensor x, List<Axis> axes) {
    Tensor images = x.dim() == 3 ? x.unsqueeze(0) : x;
    Slide rows = axes.get(0).slide();
    Slide columns = axes.get(1).slide();
    Tensor ones =
        Tensor.ones(x.device(), x.dtype(), 1, 1, 1, 1)
            .expand(images.size(1), 1, rows.size(), columns.size());
    Shape y = out(images, axes);
    Tensor sum =
        new FusedConvolution("avgPool2d", rows, columns, images.shape(), ones.shape(), y)
            .forward(images, ones, null);
    return x.dim() == 3 ? sum.squeeze(0) : sum;
  }

  /** How many elements windows have, (oH, oW). */
  private static Tensor sizes(Tensor x, List<Axis> axes, boolean padded) {
    Tensor rows = axes.get(0).covered(x.device(), padded);
    Tensor columns = axes.get(1).covered(x.device(), padded);
    return rows.unsqueeze(1).mul(columns).to(x.dtype());
  }

  /**
   * Means of as many parts as the output has elements: cell i averages the elements from floor(i L
   * / M) to ceil((i + 1) L / M), the end excluded, in both directions.
   *
   * <p>dx = the sum of dy over the cells that see an element, each divided by the cell's size.
   *
   * @param x (N, C, H, W) or (C, H, W)
   * @param height the height of the output, -1 to keep that of the input
   * @param width the width of the output, -1 to keep that of the input
   */
  public static Tensor adaptiveAvgPool2d(Tensor x, long height, long width) {
    checkAdaptive(Op.of("adaptiveAvgPool2d", x).floating(), x, height, width);
    try (Scope scope = Scope.internal()) {
      return scope.keep(adapted(adapted(x, x.dim() - 1, width), x.dim() - 2, height));
    }
  }

  private static void checkAdaptive(Op op, Tensor x, long height, long width) {
    boolean fits = (x.dim() == 3 || x.dim() == 4) && Math.min(height, width) >= -1;
    if (!fits
        || Math.max(height, width) > Integer.MAX_VALUE
        || x.size(-2) == 0
        || x.size(-1) == 0) {
      throw op.refuse(
          "expected an input (N, C, H, W) or (C, H, W) with elements, and output sizes of 0 or more or -1, got %d and %d"
              .formatted(height, width));
    }
  }

  /**
   * The largest elements of as many parts as the output has elements, which are those of {@link
   * #adaptiveAvgPool2d}; the gradient goes to the first of equal ones.
   *
   * @param x (N, C, H, W) or (C, H, W)
   * @param height the height of the output, -1 to keep that of the input
   * @param width the width of the output, -1 to keep that of the input
   */
  public static Tensor adaptiveMaxPool2d(Tensor x, long height, long width) {
    return adaptiveMaxPool2dWithIndices(x, height, width).values();
  }

  /**
   * {@link #adaptiveMaxPool2d} and where the elements were: y W + x in the plane (H, W).
   *
   * @param x (N, C, H, W) or (C, H, W)
   * @param height the height of the output, -1 to keep that of the input
   * @param width the width of the output, -1 to keep that of the input
   */
  public static Ranked adaptiveMaxPool2dWithIndices(Tensor x, long height, long width) {
    checkAdaptive(Op.of("adaptiveMaxPool2d", x).floating(), x, height, width);
    long high = height == -1 ? x.size(-2) : height;
    long wide = width == -1 ? x.size(-1) : width;
    long[] sizes = x.shape().with(x.dim() - 2, high).with(x.dim() - 1, wide).toArray();
    try (Scope scope = Scope.internal()) {
      if (high == 0 || wide == 0) {
        Tensor none = x.narrow(-1, 0, 0).reshape(sizes);
        return new Ranked(scope.keep(none), scope.keep(none.detach().to(DType.I64)));
      }
      if (x.size(-2) % high == 0 && x.size(-1) % wide == 0) {
        Ranked y = maxPool2dWithIndices(x, Max.of(x.size(-2) / high, x.size(-1) / wide));
        return new Ranked(scope.keep(y.values()), scope.keep(y.indices()));
      }
      Tensor rows = cells(x, x.dim() - 2, high).mul((double) x.size(-1));
      Tensor columns = cells(x, x.dim() - 1, wide);
      long size = rows.size(1) * columns.size(1);
      Tensor seen =
          rows.reshape(high, 1, rows.size(1), 1)
              .add(columns.reshape(1, wide, 1, columns.size(1)))
              .reshape(high * wide * size);
      long planes = x.shape().slice(0, x.dim() - 2).numel();
      Tensor flat = x.reshape(planes, x.size(-2) * x.size(-1));
      Tensor best =
          flat.detach().indexSelect(1, seen).reshape(planes, high * wide, size).argmax(2, true);
      Tensor at =
          seen.reshape(1, high * wide, size).expand(planes, high * wide, size).gather(2, best);
      Tensor places = at.reshape(planes, high * wide);
      return new Ranked(
          scope.keep(flat.gather(1, places).reshape(sizes)), scope.keep(places.reshape(sizes)));
    }
  }

  /** The elements of each of {@code out} cells, (out, most), the last of them repeated. */
  private static Tensor cells(Tensor x, int dim, long out) {
    long length = x.size(dim);
    Tensor cell = Tensor.arange(x.device(), DType.F64, out).mul((double) length);
    Tensor start = cell.div((double) out).floor().unsqueeze(1);
    Tensor last = cell.add((double) length).neg().div((double) out).floor().neg().sub(1);
    Tensor at = start.add(Tensor.arange(x.device(), DType.F64, most(length, out)));
    return at.minimum(last.unsqueeze(1)).to(DType.I64);
  }

  /** How many elements the largest of {@code out} cells has. */
  private static long most(long length, long out) {
    return LongStream.range(0, out)
        .map(i -> Math.ceilDiv((i + 1) * length, out) - i * length / out)
        .max()
        .orElseThrow();
  }

  private static Tensor adapted(Tensor x, int dim, long out) {
    long length = x.size(dim);
    if (out == -1 || out == length) {
      return x.reshape(x.shape().toArray());
    }
    if (out == 0) {
      return x.narrow(dim, 0, 0);
    }
    if (length % out == 0) {
      Windows even = new Windows(length / out, length / out, 1);
      return even.unfold(x, dim, out).mean(-1);
    }
    long most = most(length, out);
    Tensor cell = Tensor.arange(x.device(), DType.F64, out).mul((double) length);
    Tensor start = cell.div((double) out).floor().unsqueeze(1);
    Tensor end = cell.add((double) length).neg().div((double) out).floor().neg().unsqueeze(1);
    Tensor at = start.add(Tensor.arange(x.device(), DType.F64, most));
    Tensor index = at.minimum(length - 1.0).to(DType.I64).reshape(out * most);
    long[] beside = new long[x.dim() - dim + 1];
    Arrays.fill(beside, 1);
    beside[0] = out;
    Tensor count = end.sub(start).to(x.dtype());
    long[] cells = x.shape().with(dim, out).insert(dim + 1, most).toArray();
    long[] narrow = beside.clone();
    beside[1] = most;
    return x.indexSelect(dim, index)
        .reshape(cells)
        .where(at.lt(end).reshape(beside), 0)
        .div(count.reshape(narrow))
        .sum(dim + 1);
  }
}

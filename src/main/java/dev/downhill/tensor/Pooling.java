package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.backend.Reduce;
import dev.downhill.shape.DType;
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
    /** How many elements behind the input the windows see; less than none if they end before. */
    long after() {
      return windows.reach(count) - length - padding;
    }

    boolean isPadded() {
      return padding > 0 || after() > 0;
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

  /** (..., H, W) with this value around it as windows (..., oH, oW, kH, kW). */
  private static Tensor windows(Tensor x, List<Axis> axes, double value) {
    Tensor y =
        Padding.around(
            x,
            axes.stream().mapToLong(Axis::padding).toArray(),
            axes.stream().mapToLong(Axis::after).toArray(),
            value);
    int first = x.dim() - 2;
    for (int d = 0; d < 2; d++) {
      y = axes.get(d).windows().unfold(y, first + d, axes.get(d).count());
    }
    return y;
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
    long plane = x.size(-2) * x.size(-1);
    long planes = x.shape().slice(0, x.dim() - 2).numel();
    long[] sizes =
        x.shape()
            .with(x.dim() - 2, axes.get(0).count())
            .with(x.dim() - 1, axes.get(1).count())
            .toArray();
    try (Scope scope = Scope.internal()) {
      Tensor at = chosen(x.detach(), planes, axes);
      Tensor y = x.reshape(planes, plane).gather(1, at);
      return new Ranked(scope.keep(y.reshape(sizes)), scope.keep(at.reshape(sizes)));
    }
  }

  /** For every window of every plane the position of its largest element in the plane. */
  private static Tensor chosen(Tensor x, long planes, List<Axis> axes) {
    long plane = x.size(-2) * x.size(-1);
    long count = axes.get(0).count() * axes.get(1).count();
    long size = axes.get(0).windows().size() * axes.get(1).windows().size();
    Tensor best =
        windows(x, axes, Double.NEGATIVE_INFINITY).reshape(planes, count, size).argmax(2, true);
    Tensor positions =
        Tensor.arange(x.device(), DType.I64, plane).reshape(1, x.size(-2), x.size(-1));
    Tensor seen = windows(positions, axes, (double) plane).reshape(1, count, size);
    Tensor at = seen.expand(planes, count, size).gather(2, best);
    if (axes.stream().anyMatch(Axis::isPadded)) {
      // Padding is chosen where all elements are -infinity: then the first of them is.
      Tensor first = Extremum.of(Reduce.MIN, seen, new int[] {2}, true);
      at = first.where(at.eq((double) plane), at);
    }
    return at.reshape(planes, count);
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
      Tensor sum = windows(x, axes, 0).sum(new int[] {-2, -1}, false);
      return scope.keep(
          divisor == null
              ? sum.div(sizes(x, axes, windows.countIncludePad()))
              : sum.div((double) divisor));
    }
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
    Op op = Op.of("adaptiveAvgPool2d", x).floating();
    boolean fits = (x.dim() == 3 || x.dim() == 4) && Math.min(height, width) >= -1;
    if (!fits
        || Math.max(height, width) > Integer.MAX_VALUE
        || x.size(-2) == 0
        || x.size(-1) == 0) {
      throw op.refuse(
          "expected an input (N, C, H, W) or (C, H, W) with elements, and output sizes of 0 or more or -1, got %d and %d"
              .formatted(height, width));
    }
    try (Scope scope = Scope.internal()) {
      return scope.keep(adapted(adapted(x, x.dim() - 1, width), x.dim() - 2, height));
    }
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
    long most =
        LongStream.range(0, out)
            .map(i -> Math.ceilDiv((i + 1) * length, out) - i * length / out)
            .max()
            .orElseThrow();
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

package dev.downhill.tensor;

import dev.downhill.backend.Binary;
import dev.downhill.shape.Layout;
import java.util.Collections;
import java.util.List;

/**
 * Windows that slide along a dimension: each sees {@code size} elements that lie {@code dilation}
 * apart, and starts {@code step} elements after the one before. Convolution and pooling are made of
 * {@link #unfold}, which shows the windows without a copy, and its adjoint {@link #fold}, which
 * adds them up again; each is the gradient of the other.
 */
record Windows(long size, long step, long dilation) {
  /** Large enough for any tensor, small enough that products of two do not overflow. */
  private static final long MOST = Integer.MAX_VALUE;

  /**
   * Windows for an operator.
   *
   * @throws dev.downhill.shape.ShapeException if a number is below 1
   */
  static Windows of(Op op, long size, long step, long dilation) {
    if (!within(size, 1) || !within(step, 1) || !within(dilation, 1)) {
      throw op.refuse(
          "expected windows with a size, step and dilation of 1 to 2^31 - 1, got %s, %s and %s"
              .formatted(size, step, dilation));
    }
    return new Windows(size, step, dilation);
  }

  private static boolean within(long number, long least) {
    return number >= least && number <= MOST;
  }

  /**
   * One number for each of {@code n} directions, of a list of that many or of one that holds for
   * all.
   */
  static long[] numbers(Op op, String what, List<Long> given, int n, long least) {
    boolean fits = given.size() == 1 || given.size() == n;
    if (!fits || !given.stream().allMatch(number -> within(number, least))) {
      throw op.refuse(
          "expected a %s of 1 or %s numbers from %s to 2^31 - 1, got %s"
              .formatted(what, n, least, given));
    }
    List<Long> all = given.size() == n ? given : Collections.nCopies(n, given.getFirst());
    return all.stream().mapToLong(number -> number).toArray();
  }

  /** How many elements lie from the first to the last of a window, both included. */
  long span() {
    return dilation * (size - 1) + 1;
  }

  /** How many windows lie inside {@code length} elements. */
  long count(long length) {
    return length < span() ? 0 : (length - span()) / step + 1;
  }

  /** How many elements lie from the first of the first of {@code count} windows to the last. */
  long reach(long count) {
    return (count - 1) * step + span();
  }

  /**
   * All windows of neighbouring elements along a dimension, as {@code torch.Tensor.unfold}: y[...,
   * i, ..., k] = x[..., i step + k, ...], a view with one more dimension at the end.
   *
   * <p>dx is the {@link #fold} of dy: an element gets the sum over the windows that see it.
   */
  static Tensor unfold(Tensor x, int dim, long size, long step) {
    Op op = Op.of("unfold", x);
    int d = x.shape().dim("unfold", dim);
    Windows windows = of(op, size, step, 1);
    if (x.dim() == 0 || size > x.size(d)) {
      throw op.refuse(
          "expected windows no larger than dimension %s, got size %s".formatted(d, size));
    }
    return windows.unfold(x, d, windows.count(x.size(d)));
  }

  /**
   * The first {@code count} windows along a dimension, which must lie inside x: y[..., i, ..., k] =
   * x[..., i step + k dilation, ...]. dx = fold(dy).
   */
  Tensor unfold(Tensor x, int dim, long count) {
    Op op = Op.of("unfold", x);
    long length = x.size(dim);
    return op.record(op.view(seen(x.layout(), dim, count)), p -> fold(p.dy(), dim, length));
  }

  private Layout seen(Layout x, int dim, long count) {
    int rank = x.shape().rank();
    long[] strides = new long[rank + 1];
    for (int d = 0; d < rank; d++) {
      strides[d] = x.stride(d);
    }
    strides[dim] *= step;
    strides[rank] = x.stride(dim) * dilation;
    return Layout.of(x.shape().with(dim, count).insert(rank, size), strides, x.offset());
  }

  /**
   * The windows, whose elements are x's last dimension, added where they came from: y[..., i step +
   * k dilation, ...] += x[..., i, ..., k], 0 where none arrives. dx = unfold(dy).
   *
   * @param length the size of y along {@code dim}, which all windows lie inside
   */
  Tensor fold(Tensor x, int dim, long length) {
    Op op = Op.of("fold", x);
    int last = x.dim() - 1;
    long count = x.size(dim);
    Tensor y = op.output(x.shape().remove(last).with(dim, length));
    // One sum for each place in the window: its elements go to different places, so that the order
    // of additions is fixed.
    op.device().run(b -> b.fill(y.view(), 0));
    for (long k = 0; k < size; k++) {
      Layout from = x.layout().slice(last, k, 1, 1).squeeze(last);
      Layout to = y.layout().slice(dim, k * dilation, count, step);
      op.device()
          .run(
              b -> b.binary(Binary.ADD, y.view().with(to), x.view().with(from), y.view().with(to)));
    }
    return op.record(y, p -> unfold(p.dy(), dim, count));
  }
}

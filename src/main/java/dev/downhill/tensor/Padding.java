package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;

/**
 * Elements added around a tensor, or cut off, as {@code torch.nn.functional.pad}.
 *
 * <p>How many is told in pairs (before, after): the first pair is for the last dimension, the next
 * for the last but one, and so on. Negative numbers cut off.
 */
public final class Padding {
  private static final long MOST = Integer.MAX_VALUE;

  private Padding() {}

  /** What is added. */
  public enum Mode {
    /** Zeros. */
    CONSTANT,
    /** The tensor mirrored at its edge, which is not repeated: 3 2 | 1 2 3 | 2 1. */
    REFLECT,
    /** The edge repeated: 1 1 | 1 2 3 | 3 3. */
    REPLICATE
  }

  /** x with zeros around it; see {@link #pad(Tensor, long[], double)}. */
  public static Tensor pad(Tensor x, long... pad) {
    return pad(x, pad, 0);
  }

  /**
   * x with a number around it.
   *
   * <p>dx = dy without what was added, and 0 where something was cut off.
   *
   * @param pad (before, after) for the last dimension, then for the last but one, ...
   * @throws dev.downhill.shape.ShapeException if there are more pairs than dimensions, or more is
   *     cut off than there is
   */
  public static Tensor pad(Tensor x, long[] pad, double value) {
    Op op = Op.of("pad", x);
    op.number(value);
    long[] before = numbers(op, x, pad, 0);
    long[] after = numbers(op, x, pad, 1);
    try (Scope scope = Scope.internal()) {
      return scope.keep(constant(x, before, after, value));
    }
  }

  /**
   * x with its own elements around it.
   *
   * <p>dx = the sum of dy over all copies of an element.
   *
   * @param pad (before, after) for the last dimension, then for the last but one, ...; to reflect,
   *     each less than the size of its dimension
   * @throws dev.downhill.shape.ShapeException if there are more pairs than dimensions, more is cut
   *     off than there is, or there is too little to copy
   */
  public static Tensor pad(Tensor x, long[] pad, Mode mode) {
    if (mode == Mode.CONSTANT) {
      return pad(x, pad, 0);
    }
    Op op = Op.of("pad", x);
    long[] before = numbers(op, x, pad, 0);
    long[] after = numbers(op, x, pad, 1);
    boolean reflect = mode == Mode.REFLECT;
    for (int d = 0; d < x.dim(); d++) {
      long size = x.size(d);
      long most = size == 0 ? 0 : reflect ? size - 1 : MOST;
      if (Math.max(before[d], after[d]) > most) {
        throw op.refuse(
            "expected to %s at most %s elements along dimension %s, got %s and %s"
                .formatted(reflect ? "reflect" : "replicate", most, d, before[d], after[d]));
      }
    }
    try (Scope scope = Scope.internal()) {
      Tensor y = x.reshape(x.shape().toArray());
      for (int d = 0; d < x.dim(); d++) {
        if (before[d] != 0 || after[d] != 0) {
          long size = x.size(d);
          double last = size - 1.0;
          Tensor at =
              Tensor.arange(x.device(), DType.I64, before[d] + size + after[d])
                  .sub((double) before[d]);
          at = reflect ? at.abs().rsub(last).abs().rsub(last) : at.maximum(0).minimum(last);
          y = y.indexSelect(d, at);
        }
      }
      return scope.keep(y);
    }
  }

  /** For each dimension of x the number before it, or after it, checked. */
  private static long[] numbers(Op op, Tensor x, long[] pad, int after) {
    int pairs = pad.length / 2;
    boolean fits = pad.length % 2 == 0 && pairs <= x.dim();
    long[] numbers = new long[x.dim()];
    for (int i = 0; fits && i < pairs; i++) {
      int d = x.dim() - 1 - i;
      long first = pad[2 * i];
      long second = pad[2 * i + 1];
      fits = Math.min(first, second) >= -MOST && Math.max(first, second) <= MOST;
      if (fits && x.size(d) + Math.min(0, first) + Math.min(0, second) < 0) {
        throw op.refuse(
            "expected to cut off at most the size of dimension %s, got %s and %s"
                .formatted(d, first, second));
      }
      numbers[d] = after == 0 ? first : second;
    }
    if (!fits) {
      throw op.refuse(
          "expected pairs of numbers below 2^31 for at most %s dimensions, got %s"
              .formatted(x.dim(), Arrays.toString(pad)));
    }
    return numbers;
  }

  /** x with a number around its last dimensions, of which there are as many as numbers. */
  static Tensor around(Tensor x, long[] before, long[] after, double value) {
    long[] first = new long[x.dim()];
    long[] second = new long[x.dim()];
    System.arraycopy(before, 0, first, x.dim() - before.length, before.length);
    System.arraycopy(after, 0, second, x.dim() - after.length, after.length);
    return constant(x, first, second, value);
  }

  private static Tensor constant(Tensor x, long[] before, long[] after, double value) {
    if (Arrays.stream(before).allMatch(n -> n <= 0) && Arrays.stream(after).allMatch(n -> n <= 0)) {
      Tensor y = x.reshape(x.shape().toArray());
      for (int d = 0; d < x.dim(); d++) {
        if (before[d] != 0 || after[d] != 0) {
          y = y.narrow(d, -before[d], x.size(d) + before[d] + after[d]);
        }
      }
      return y;
    }
    Op op = Op.of("pad", x);
    Shape shape = x.shape();
    Layout kept = x.layout();
    for (int d = 0; d < x.dim(); d++) {
      shape = shape.with(d, x.size(d) + before[d] + after[d]);
      long cut = Math.min(0, before[d]) + Math.min(0, after[d]);
      kept = kept.slice(d, Math.max(0, -before[d]), x.size(d) + cut, 1);
    }
    Tensor y = op.output(shape);
    Layout inside = y.layout();
    for (int d = 0; d < x.dim(); d++) {
      inside = inside.slice(d, Math.max(0, before[d]), kept.shape().size(d), 1);
    }
    Layout from = kept;
    Layout to = inside;
    op.device()
        .run(
            b -> {
              b.fill(y.view(), value);
              b.copy(x.view().with(from), y.view().with(to));
            });
    return op.record(y, p -> constant(p.dy(), negated(before), negated(after), 0));
  }

  private static long[] negated(long[] numbers) {
    return Arrays.stream(numbers).map(n -> -n).toArray();
  }
}

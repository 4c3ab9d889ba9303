package dev.downhill.nn;

import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Tensor;

/** Makes neighbouring dimensions one: (N, C, H, W) becomes (N, C H W). */
public final class Flatten extends Layer {
  private final int first;
  private final int last;

  /** Joins all dimensions but the first. */
  public Flatten() {
    this(1, -1);
  }

  /**
   * Joins the dimensions {@code first} to {@code last}, both included; they may count from the end.
   */
  public Flatten(int first, int last) {
    this.first = first;
    this.last = last;
  }

  @Override
  public Tensor forward(Tensor x) {
    Shape shape = x.shape();
    int from = shape.dim("flatten", first);
    int to = shape.dim("flatten", last);
    if (from > to) {
      throw new ShapeException(
          "flatten: expected a first dimension not behind the last, got %s and %s (shape %s)"
              .formatted(first, last, shape));
    }
    if (shape.rank() == 0) {
      return x.reshape(1);
    }
    long joined = shape.slice(from, to + 1).numel();
    Shape rest = shape.slice(to + 1, shape.rank());
    return x.reshape(shape.slice(0, from).append(Shape.of(joined)).append(rest).toArray());
  }

  @Override
  public String toString() {
    return "Flatten(%s, %s)".formatted(first, last);
  }
}

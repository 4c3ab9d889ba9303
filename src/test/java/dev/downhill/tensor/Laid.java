package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.Locale;

/** How the elements of a tensor lie in memory. What is between them must not be read: it is NaN. */
enum Laid {
  CONTIGUOUS,
  TRANSPOSED,
  STEPPED,
  OFFSET,
  EXPANDED;

  /** Whether a tensor of this shape can lie so, and differs from a contiguous one then. */
  boolean fits(Shape shape) {
    long several = Arrays.stream(shape.toArray()).filter(size -> size != 1).count();
    return switch (this) {
      case CONTIGUOUS -> true;
      case TRANSPOSED -> several >= 2;
      case STEPPED -> shape.rank() >= 1;
      case OFFSET -> shape.numel() > 0;
      case EXPANDED -> repeated(shape) >= 0;
    };
  }

  /** The dimension along which an expanded tensor repeats, or -1. */
  private static int repeated(Shape shape) {
    for (int d = 0; d < shape.rank(); d++) {
      if (shape.size(d) > 1) {
        return d;
      }
    }
    return -1;
  }

  /** The shape of the numbers to draw, fewer where they repeat. */
  Shape drawn(Shape shape) {
    return this == EXPANDED ? shape.with(repeated(shape), 1) : shape;
  }

  /** A tensor of these numbers, which have the shape {@link #drawn}. */
  Tensor make(Device device, DType dtype, double[] values, Shape shape, boolean requireGrad) {
    Tensor dense = Tensor.of(device, values, drawn(shape).toArray()).to(dtype);
    Tensor x =
        switch (this) {
          case CONTIGUOUS, EXPANDED -> dense;
          case TRANSPOSED -> {
            int[] reversed = new int[shape.rank()];
            Arrays.setAll(reversed, d -> reversed.length - 1 - d);
            yield dense.permute(reversed).contiguous().permute(reversed);
          }
          case STEPPED -> {
            int last = shape.rank() - 1;
            long end = 2 * shape.size(last) + 1;
            yield gap(device, dtype, shape.with(last, end + 1))
                .slice(last, 1, end, 2)
                .copyFrom(dense);
          }
          case OFFSET ->
              gap(device, dtype, Shape.of(shape.numel() + 5))
                  .slice(0, 3, 3 + shape.numel(), 1)
                  .reshape(shape.toArray())
                  .copyFrom(dense);
        };
    if (requireGrad) {
      x.requireGrad();
    }
    return this == EXPANDED ? x.expand(shape.toArray()) : x;
  }

  private static Tensor gap(Device device, DType dtype, Shape shape) {
    // An index of 99 is out of range everywhere.
    double value = dtype.isFloating() ? Double.NaN : 99;
    return Tensor.full(device, dtype, value, shape.toArray());
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}

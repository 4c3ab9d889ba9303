package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** Views that look the same and lie differently in memory. */
enum Layouts {
  CONTIGUOUS,
  /** The last two dimensions swapped in memory. */
  TRANSPOSED,
  /** All dimensions reversed in memory. */
  REVERSED,
  /** Every second element of the last dimension. */
  STEPPED,
  /** Not from the start of the buffer, and with rows further apart. */
  INSIDE;

  /** Shapes that tests go through: empty, single, odd, longer than a vector, many dimensions. */
  static final List<Shape> SHAPES =
      List.of(
          Shape.SCALAR,
          Shape.of(0),
          Shape.of(1),
          Shape.of(7),
          Shape.of(37),
          Shape.of(3, 0, 2),
          Shape.of(5, 1, 19),
          Shape.of(4, 35),
          Shape.of(2, 3, 2, 17));

  /** A view of this layout; its buffer is filled with what the view does not contain. */
  View view(DType dtype, Shape shape, double... values) {
    int last = shape.rank() - 1;
    if (last < 0) {
      return Elements.set(Elements.zeros(dtype), values);
    }
    int[] order = new int[shape.rank()];
    Arrays.setAll(order, d -> d);
    Shape outer = shape;
    Function<Layout, Layout> inner = Function.identity();
    switch (this) {
      case CONTIGUOUS -> {}
      case TRANSPOSED -> {
        if (last > 0) {
          order[last] = last - 1;
          order[last - 1] = last;
        }
      }
      case REVERSED -> Arrays.setAll(order, d -> last - d);
      case STEPPED -> {
        outer = shape.with(last, 2 * shape.size(last));
        inner = layout -> layout.slice(last, 0, shape.size(last), 2);
      }
      case INSIDE -> {
        outer = shape.with(last, shape.size(last) + 3);
        inner = layout -> layout.slice(last, 2, shape.size(last), 1);
      }
    }
    long[] sizes = new long[shape.rank()];
    for (int d = 0; d <= last; d++) {
      sizes[d] = outer.size(order[d]);
    }
    View base = Elements.zeros(dtype, sizes);
    CpuBuffer.segment(base).fill((byte) 0xff);
    return Elements.set(base.with(inner.apply(base.layout().permute(order))), values);
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;

/**
 * A view of rank 2 or more as a stack of matrices. Positions and strides are counted in elements.
 *
 * @param count the product of the sizes of all dimensions but the last two
 */
record Matrices(MemorySegment segment, Layout layout, long count, long rowStride, long colStride) {

  static Matrices of(View view) {
    Layout layout = view.layout();
    int rank = layout.shape().rank();
    return new Matrices(
        CpuBuffer.segment(view),
        layout,
        layout.shape().slice(0, rank - 2).numel(),
        layout.stride(rank - 2),
        layout.stride(rank - 1));
  }

  /** Where element (i, j) of a matrix lies; matrices are counted in row-major order. */
  long at(long matrix, long i, long j) {
    Shape shape = layout.shape();
    long at = layout.offset() + i * rowStride + j * colStride;
    for (int d = shape.rank() - 3; d >= 0; d--) {
      at += matrix % shape.size(d) * layout.stride(d);
      matrix /= shape.size(d);
    }
    return at;
  }
}

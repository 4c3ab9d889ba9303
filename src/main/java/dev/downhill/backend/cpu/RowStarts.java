package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import java.lang.foreign.MemorySegment;

/**
 * Where the rows of a view start: its last dimension, once for every index of the others, in
 * row-major order. Positions and strides are counted in elements; a view of rank 0 is one row of
 * one. Set anew for every call, so that a call allocates nothing.
 */
final class RowStarts {
  private static final int MAX_RANK = 8;

  // The dimensions of the rows, the innermost first, evenly spaced neighbours merged.
  private final long[] sizes = new long[MAX_RANK];
  private final long[] strides = new long[MAX_RANK];
  private int rank;

  private MemorySegment segment = MemorySegment.NULL;
  private DType dtype = DType.F32;
  private long offset;
  private long count;
  private long length;
  private long stride;

  RowStarts set(View view) {
    Layout layout = view.layout();
    int last = layout.shape().rank() - 1;
    segment = CpuBuffer.segment(view);
    dtype = view.dtype();
    offset = layout.offset();
    length = last < 0 ? 1 : layout.shape().size(last);
    stride = last < 0 ? 1 : layout.stride(last);
    count = 1;
    rank = 0;
    for (int d = last - 1; d >= 0; d--) {
      add(layout.shape().size(d), layout.stride(d));
    }
    return this;
  }

  private void add(long size, long step) {
    count *= size;
    if (size == 1) {
      return;
    }
    if (rank > 0 && step == strides[rank - 1] * sizes[rank - 1]) {
      sizes[rank - 1] *= size;
      return;
    }
    sizes[rank] = size;
    strides[rank] = step;
    rank++;
  }

  /** Where a row starts. */
  long at(long row) {
    long at = offset;
    for (int d = 0; d < rank - 1; d++) {
      at += row % sizes[d] * strides[d];
      row /= sizes[d];
    }
    return rank == 0 ? at : at + row * strides[rank - 1];
  }

  /** How many rows there are; they may be empty. */
  long count() {
    return count;
  }

  /** The elements of a row. */
  long length() {
    return length;
  }

  /** From element to element of a row. */
  long stride() {
    return stride;
  }

  MemorySegment segment() {
    return segment;
  }

  DType dtype() {
    return dtype;
  }

  /** Whether rows are {@code f32} side by side, so that loops can read them where they are. */
  boolean isDenseF32() {
    return dtype == DType.F32 && (stride == 1 || length <= 1);
  }

  /** Element {@code i} after {@code at} of a row of {@code f32} or {@code bf16}. */
  float getF32(long at, long i) {
    long p = at + i * stride;
    return dtype == DType.BF16
        ? Scalars.loadBf16(segment, p * Short.BYTES)
        : Scalars.loadF32(segment, p * Float.BYTES);
  }

  /** Sets element {@code i} after {@code at}, rounded to {@code bf16} where the row is. */
  void setF32(float value, long at, long i) {
    long p = at + i * stride;
    if (dtype == DType.BF16) {
      Scalars.storeBf16(value, segment, p * Short.BYTES);
    } else {
      Scalars.storeF32(value, segment, p * Float.BYTES);
    }
  }

  double getF64(long at, long i) {
    return Scalars.loadF64(segment, (at + i * stride) * Double.BYTES);
  }

  void setF64(double value, long at, long i) {
    Scalars.storeF64(value, segment, (at + i * stride) * Double.BYTES);
  }
}

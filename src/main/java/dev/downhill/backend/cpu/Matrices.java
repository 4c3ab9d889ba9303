package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A view of rank 2 or more as a stack of matrices, whose lines are its rows or its columns. One
 * object is set to view after view, so that a product allocates nothing.
 */
final class Matrices implements Operand {
  /** Elements that are copied one by one in some 10 ms. */
  private static final Early EARLY = Early.until(1 << 22);

  private @Nullable MemorySegment segment;
  private @Nullable Layout layout;
  private long bytes;
  private long lineStride;
  private long stepStride;

  /** The rows of a view are the lines. */
  Matrices rows(View view) {
    int rank = view.layout().shape().rank();
    return set(view, rank - 2, rank - 1);
  }

  /** The columns of a view are the lines. */
  Matrices columns(View view) {
    int rank = view.layout().shape().rank();
    return set(view, rank - 1, rank - 2);
  }

  /** A view of rank 1 as every line of a matrix, or as every column. */
  Matrices repeated(View view, boolean column) {
    set(view, 0, 0);
    if (column) {
      stepStride = 0;
    } else {
      lineStride = 0;
    }
    return this;
  }

  private Matrices set(View view, int line, int step) {
    Layout l = view.layout();
    segment = CpuBuffer.segment(view);
    layout = l;
    bytes = view.dtype().bytes();
    lineStride = l.stride(line) * bytes;
    stepStride = l.stride(step) * bytes;
    return this;
  }

  MemorySegment segment() {
    return Objects.requireNonNull(segment);
  }

  /** From line to line, in bytes. */
  long lineStride() {
    return lineStride;
  }

  /** From step to step of a line, in bytes. */
  long stepStride() {
    return stepStride;
  }

  /** Whether neighbouring lines lie side by side. */
  boolean acrossLines() {
    return lineStride == bytes;
  }

  /** Whether the steps of a line lie side by side. */
  boolean alongSteps() {
    return stepStride == bytes;
  }

  /** Where a step of a line lies, in bytes; matrices are counted in row-major order. */
  long at(long matrix, long line, long step) {
    Layout l = Objects.requireNonNull(layout);
    Shape shape = l.shape();
    long at = l.offset();
    for (int d = shape.rank() - 3; d >= 0; d--) {
      at += matrix % shape.size(d) * l.stride(d);
      matrix /= shape.size(d);
    }
    return at * bytes + line * lineStride + step * stepStride;
  }

  @Override
  public void pack(
      long matrix, long line, int lines, long k, int depth, MemorySegment to, long at, int width) {
    long from = at(matrix, line, k);
    long row = width * bytes;
    if (Simd.AVAILABLE) {
      VectorCopy.clear(to, at, lines * bytes, row, depth);
      if (acrossLines()) {
        VectorCopy.rows(segment(), from, stepStride, to, at, row, depth, lines * bytes);
        return;
      }
      if (stepStride == bytes
          && bytes == Float.BYTES
          && !EARLY.is((long) lines * depth)
          && VectorCopy.transposed(segment(), from, lineStride, lines, depth, to, at, row)) {
        return;
      }
    } else {
      to.asSlice(at, depth * row).fill((byte) 0);
    }
    boolean wide = bytes == Double.BYTES;
    if (lines < depth) {
      ElementCopy.copy(
          wide, segment(), from, lineStride, stepStride, to, at, bytes, row, lines, depth);
    } else {
      ElementCopy.copy(
          wide, segment(), from, stepStride, lineStride, to, at, row, bytes, depth, lines);
    }
  }

  /** Writes lines that lie elsewhere {@code stride} bytes from each other, their steps together. */
  void unpack(
      MemorySegment from, long at, long stride, long matrix, long line, int lines, int depth) {
    long to = at(matrix, line, 0);
    if (Simd.AVAILABLE && alongSteps()) {
      VectorCopy.rows(from, at, stride, segment(), to, lineStride, lines, depth * bytes);
    } else {
      boolean wide = bytes == Double.BYTES;
      ElementCopy.copy(
          wide, from, at, stride, bytes, segment(), to, lineStride, stepStride, lines, depth);
    }
  }
}

package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.Shape;

/**
 * Where the matrices of a batched product lie: the dimensions before the last two, without those of
 * size 1, neighbours merged where all three views step through both evenly. Positions are counted
 * in elements; matrices in row-major order.
 */
final class Batches {
  private final long count;
  private final long[] sizes;
  private final long[][] strides;
  private int rank;

  private Batches(Shape shape) {
    count = shape.numel();
    sizes = new long[shape.rank()];
    strides = new long[3][shape.rank()];
  }

  static Batches of(View a, View b, View y) {
    int dims = y.shape().rank() - 2;
    Batches batches = new Batches(y.shape().slice(0, dims));
    for (int d = 0; d < dims; d++) {
      if (y.shape().size(d) != 1) {
        batches.add(
            y.shape().size(d), a.layout().stride(d), b.layout().stride(d), y.layout().stride(d));
      }
    }
    return batches;
  }

  private void add(long size, long... steps) {
    boolean even = rank > 0;
    for (int v = 0; v < steps.length && even; v++) {
      even = strides[v][rank - 1] == size * steps[v];
    }
    if (even) {
      rank--;
      size *= sizes[rank];
    }
    sizes[rank] = size;
    for (int v = 0; v < steps.length; v++) {
      strides[v][rank] = steps[v];
    }
    rank++;
  }

  /** How many matrices each view has. */
  long count() {
    return count;
  }

  /** Whether the matrices of each view lie at one distance. */
  boolean isEven() {
    return rank <= 1;
  }

  /** The distance of the matrices of view 0, 1 or 2, where it is one. */
  long stride(int view) {
    return rank == 0 ? 0 : strides[view][0];
  }

  /** How far a matrix of view 0, 1 or 2 is from the first. */
  long position(int view, long matrix) {
    long at = 0;
    for (int d = rank - 1; d >= 0; d--) {
      at += matrix % sizes[d] * strides[view][d];
      matrix /= sizes[d];
    }
    return at;
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;

/**
 * Softmax and its logarithm over the last dimension, row by row. The greatest element of a row is
 * subtracted first, so that e^x does not overflow. A row that is -inf throughout, or holds +inf or
 * NaN, becomes NaN, as in PyTorch.
 */
final class CpuSoftmax {
  /**
   * Element i of a row is added to sum i mod 16, and the 16 sums by halves, so that the bits do not
   * depend on the width of vectors.
   */
  static final int LANES = 16;

  private final Workers workers;
  private final ThreadLocal<SoftmaxRow> f32 = ThreadLocal.withInitial(SoftmaxRowF32::new);
  private final ThreadLocal<SoftmaxRow> f64 = ThreadLocal.withInitial(SoftmaxRowF64::new);

  CpuSoftmax(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#softmax}. */
  void softmax(View x, boolean log, View y) {
    Rows in = Rows.of(x);
    Rows out = Rows.of(y);
    ThreadLocal<SoftmaxRow> kernel = kernel(y);
    if (out.length() > 0) {
      out.forEach(workers, row -> kernel.get().forward(in, log, out, row));
    }
  }

  /** See {@link dev.downhill.backend.Backend#softmaxBackward}. */
  void softmaxBackward(View y, View dy, boolean log, View dx) {
    Rows saved = Rows.of(y);
    Rows in = Rows.of(dy);
    Rows out = Rows.of(dx);
    ThreadLocal<SoftmaxRow> kernel = kernel(dx);
    if (out.length() > 0) {
      out.forEach(workers, row -> kernel.get().backward(saved, in, log, out, row));
    }
  }

  private ThreadLocal<SoftmaxRow> kernel(View y) {
    return y.dtype() == DType.F64 ? f64 : f32;
  }
}

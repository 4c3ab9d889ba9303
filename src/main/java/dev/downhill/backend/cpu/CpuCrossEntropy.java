package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;

/**
 * The cross-entropy of class indices, row by row of logits; the sums are those of {@link
 * CpuSoftmax}. All targets are checked before anything is written.
 */
final class CpuCrossEntropy {
  private final Workers workers;
  private final ThreadLocal<SoftmaxRow> f32 = ThreadLocal.withInitial(SoftmaxRowF32::new);
  private final ThreadLocal<SoftmaxRow> f64 = ThreadLocal.withInitial(SoftmaxRowF64::new);

  CpuCrossEntropy(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#crossEntropy}. */
  void crossEntropy(View x, View target, long ignore, View y, View z) {
    Rows in = Rows.of(x);
    Rows classes = one(target);
    Rows losses = one(y);
    Rows logSums = one(z);
    workers.run(1, _ -> check(classes, in.length(), ignore));
    ThreadLocal<SoftmaxRow> kernel = kernel(x);
    in.forEach(
        workers,
        row -> kernel.get().crossEntropy(in, target(classes, row, ignore), losses, logSums, row));
  }

  /** See {@link dev.downhill.backend.Backend#crossEntropyBackward}. */
  void crossEntropyBackward(View x, View target, long ignore, View z, View dy, View dx) {
    Rows in = Rows.of(x);
    Rows classes = one(target);
    Rows logSums = one(z);
    Rows slopes = one(dy);
    Rows out = Rows.of(dx);
    ThreadLocal<SoftmaxRow> kernel = kernel(x);
    in.forEach(
        workers,
        row -> {
          int c = target(classes, row, ignore);
          kernel.get().crossEntropyBackward(in, c, logSums, slopes, out, row);
        });
  }

  /** Rows of one element. */
  private static Rows one(View view) {
    return Rows.of(view.with(view.layout().unsqueeze(view.shape().rank())));
  }

  private static long index(Rows target, long row) {
    return Scalars.loadI64(target.segment(), target.start(row) * Long.BYTES);
  }

  /** The class, or -1 for none: a class of its own number may be ignored. */
  private static int target(Rows target, long row, long ignore) {
    long index = index(target, row);
    return index == ignore ? -1 : (int) index;
  }

  private static void check(Rows target, long classes, long ignore) {
    long count = target.count();
    for (long row = 0; row < count; row++) {
      long index = index(target, row);
      if (index != ignore && (index < 0 || index >= classes)) {
        throw new IllegalArgumentException(
            "crossEntropy: class %s at position %s out of range, expected 0 to %s, or %s to ignore (shapes %s)"
                .formatted(
                    index,
                    row,
                    classes - 1,
                    ignore,
                    target.layout().shape().remove(target.layout().shape().rank() - 1)));
      }
    }
  }

  private ThreadLocal<SoftmaxRow> kernel(View x) {
    return x.dtype() == DType.F64 ? f64 : f32;
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;

/** The memory of one parameter, its gradient and its state during a step; places in elements. */
abstract sealed class UpdateRow permits SgdRow, MomentsRow, RmsPropRow, AdagradRow {
  /** Elements that plain loops update in some 10 ms. */
  private static final Early EARLY = Early.until(1 << 22);

  /** Elements that a plain loop updates in a call: few, for the JIT compiler counts calls. */
  private static final int PIECE = 256;

  final MemorySegment p;
  final MemorySegment g;
  final long pi;
  final long gi;
  private final DType dtype;
  private final long numel;
  private final View counters;

  UpdateRow(UpdateTable.Row row) {
    p = CpuBuffer.segment(row.parameter());
    g = CpuBuffer.segment(row.gradient());
    pi = row.parameter().layout().offset();
    gi = row.gradient().layout().offset();
    dtype = row.parameter().dtype();
    numel = row.parameter().shape().numel();
    counters = row.counters();
  }

  /**
   * Takes the scalars of the parameter's group, and counts the step; before {@link #run} of any
   * elements.
   */
  abstract void start(double[] scalars);

  final double counter(int i) {
    return Scalars.loadF64(CpuBuffer.segment(counters), counterAt(i));
  }

  final void setCounter(int i, double value) {
    Scalars.storeF64(value, CpuBuffer.segment(counters), counterAt(i));
  }

  private long counterAt(int i) {
    long stride = counters.shape().rank() == 0 ? 0 : counters.layout().stride(0);
    return (counters.layout().offset() + i * stride) * Double.BYTES;
  }

  final long numel() {
    return numel;
  }

  /** Updates some neighbouring elements. */
  final void run(long from, long to) {
    if (dtype == DType.F64) {
      f64(from, to);
    } else if (Simd.AVAILABLE && !EARLY.is(to - from)) {
      f32(vectors(from, to), to);
    } else {
      for (long i = from; i < to; i += PIECE) {
        f32(i, Math.min(to, i + PIECE));
      }
    }
  }

  /** Updates whole vectors and returns the first element that is left. */
  abstract long vectors(long from, long to);

  abstract void f32(long from, long to);

  abstract void f64(long from, long to);
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import java.lang.foreign.MemorySegment;

/** {@link dev.downhill.backend.Update#ADAGRAD} for one parameter. */
final class AdagradRow extends UpdateRow {
  final MemorySegment s;
  final long si;
  double eps;
  double decay;
  double sign;

  /** lr / (1 + (t - 1) lr_decay). */
  double step;

  AdagradRow(UpdateTable.Row row) {
    super(row);
    View sum = row.states().getFirst();
    s = CpuBuffer.segment(sum);
    si = sum.layout().offset();
  }

  @Override
  void start(double[] scalars) {
    eps = scalars[2];
    decay = scalars[3];
    sign = scalars[4] != 0 ? -1 : 1;
    step = scalars[0] / (1 + counter(0) * scalars[1]);
    setCounter(0, counter(0) + 1);
  }

  @Override
  long vectors(long from, long to) {
    return CpuVectorUpdate.adagrad(this, from, to);
  }

  @Override
  void f32(long from, long to) {
    for (long i = from; i < to; i++) {
      float x = Scalars.loadF32(p, 4 * (pi + i));
      float dx = Math.fma((float) decay, x, (float) sign * Scalars.loadF32(g, 4 * (gi + i)));
      float sum = Math.fma(dx, dx, Scalars.loadF32(s, 4 * (si + i)));
      Scalars.storeF32(sum, s, 4 * (si + i));
      Scalars.storeF32(
          Math.fma((float) -step, dx / (Scalars.sqrt(sum) + (float) eps), x), p, 4 * (pi + i));
    }
  }

  @Override
  void f64(long from, long to) {
    for (long i = from; i < to; i++) {
      double x = Scalars.loadF64(p, 8 * (pi + i));
      double dx = Math.fma(decay, x, sign * Scalars.loadF64(g, 8 * (gi + i)));
      double sum = Math.fma(dx, dx, Scalars.loadF64(s, 8 * (si + i)));
      Scalars.storeF64(sum, s, 8 * (si + i));
      Scalars.storeF64(Math.fma(-step, dx / (Math.sqrt(sum) + eps), x), p, 8 * (pi + i));
    }
  }
}

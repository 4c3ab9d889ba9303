package dev.downhill.backend.cpu;

import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import java.lang.foreign.MemorySegment;

/** {@link dev.downhill.backend.Update#ADAM} for one parameter. */
final class AdamRow extends MomentsRow {
  final MemorySegment w;
  final long wi;
  boolean amsgrad;

  /** lr / (1 - beta1^t). */
  double step;

  /** 1 / sqrt(1 - beta2^t). */
  double scale;

  AdamRow(UpdateTable.Row row) {
    super(row);
    View largest = row.states().get(2);
    w = CpuBuffer.segment(largest);
    wi = largest.layout().offset();
  }

  @Override
  void start(double[] scalars) {
    super.start(scalars);
    amsgrad = scalars[7] != 0;
    setCounter(0, counter(0) + 1);
    setCounter(1, counter(1) * beta1);
    setCounter(2, counter(2) * beta2);
    step = lr / (1 - counter(1));
    scale = 1 / Math.sqrt(1 - counter(2));
  }

  @Override
  long vectors(long from, long to) {
    return CpuVectorUpdate.adam(this, from, to);
  }

  @Override
  void f32(long from, long to) {
    float rest1 = (float) (1 - beta1);
    float rest2 = (float) (1 - beta2);
    for (long i = from; i < to; i++) {
      float x = Scalars.loadF32(p, 4 * (pi + i));
      float dx = Math.fma((float) decay, x, (float) sign * Scalars.loadF32(g, 4 * (gi + i)));
      float mean = Math.fma((float) beta1, Scalars.loadF32(m, 4 * (mi + i)), rest1 * dx);
      float square = Math.fma((float) beta2, Scalars.loadF32(v, 4 * (vi + i)), rest2 * dx * dx);
      Scalars.storeF32(mean, m, 4 * (mi + i));
      Scalars.storeF32(square, v, 4 * (vi + i));
      if (amsgrad) {
        square = Math.max(Scalars.loadF32(w, 4 * (wi + i)), square);
        Scalars.storeF32(square, w, 4 * (wi + i));
      }
      float root = Math.fma(Scalars.sqrt(square), (float) scale, (float) eps);
      Scalars.storeF32(x * (float) keep - (float) step * mean / root, p, 4 * (pi + i));
    }
  }

  @Override
  void f64(long from, long to) {
    for (long i = from; i < to; i++) {
      double x = Scalars.loadF64(p, 8 * (pi + i));
      double dx = Math.fma(decay, x, sign * Scalars.loadF64(g, 8 * (gi + i)));
      double mean = Math.fma(beta1, Scalars.loadF64(m, 8 * (mi + i)), (1 - beta1) * dx);
      double square = Math.fma(beta2, Scalars.loadF64(v, 8 * (vi + i)), (1 - beta2) * dx * dx);
      Scalars.storeF64(mean, m, 8 * (mi + i));
      Scalars.storeF64(square, v, 8 * (vi + i));
      if (amsgrad) {
        square = Math.max(Scalars.loadF64(w, 8 * (wi + i)), square);
        Scalars.storeF64(square, w, 8 * (wi + i));
      }
      double root = Math.fma(Math.sqrt(square), scale, eps);
      Scalars.storeF64(x * keep - step * mean / root, p, 8 * (pi + i));
    }
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import java.lang.foreign.MemorySegment;

/** {@link dev.downhill.backend.Update#SGD} for one parameter. */
final class SgdRow extends UpdateRow {
  final MemorySegment b;
  final long bi;
  boolean first;
  boolean nesterov;
  double lr;
  double momentum;
  double rest;
  double decay;
  double sign;

  SgdRow(UpdateTable.Row row) {
    super(row);
    View buffer = row.states().getFirst();
    b = CpuBuffer.segment(buffer);
    bi = buffer.layout().offset();
  }

  @Override
  void start(double[] scalars) {
    lr = scalars[0];
    momentum = scalars[1];
    rest = 1 - scalars[2];
    decay = scalars[3];
    nesterov = scalars[4] != 0;
    sign = scalars[5] != 0 ? -1 : 1;
    first = counter(0) == 0;
    setCounter(0, counter(0) + 1);
  }

  @Override
  long vectors(long from, long to) {
    return CpuVectorUpdate.sgd(this, from, to);
  }

  @Override
  void f32(long from, long to) {
    for (long i = from; i < to; i++) {
      float x = Scalars.loadF32(p, 4 * (pi + i));
      float dx = Math.fma((float) decay, x, (float) sign * Scalars.loadF32(g, 4 * (gi + i)));
      float average =
          first
              ? dx
              : Math.fma((float) momentum, Scalars.loadF32(b, 4 * (bi + i)), (float) rest * dx);
      float step =
          nesterov ? Math.fma((float) momentum, average, dx) : momentum != 0 ? average : dx;
      Scalars.storeF32(average, b, 4 * (bi + i));
      Scalars.storeF32(Math.fma((float) -lr, step, x), p, 4 * (pi + i));
    }
  }

  @Override
  void f64(long from, long to) {
    for (long i = from; i < to; i++) {
      double x = Scalars.loadF64(p, 8 * (pi + i));
      double dx = Math.fma(decay, x, sign * Scalars.loadF64(g, 8 * (gi + i)));
      double average = first ? dx : Math.fma(momentum, Scalars.loadF64(b, 8 * (bi + i)), rest * dx);
      double step = nesterov ? Math.fma(momentum, average, dx) : momentum != 0 ? average : dx;
      Scalars.storeF64(average, b, 8 * (bi + i));
      Scalars.storeF64(Math.fma(-lr, step, x), p, 8 * (pi + i));
    }
  }
}

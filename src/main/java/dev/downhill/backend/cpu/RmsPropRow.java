package dev.downhill.backend.cpu;

import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import java.lang.foreign.MemorySegment;

/** {@link dev.downhill.backend.Update#RMSPROP} for one parameter. */
final class RmsPropRow extends UpdateRow {
  final MemorySegment v;
  final MemorySegment a;
  final MemorySegment b;
  final long vi;
  final long ai;
  final long bi;
  boolean centered;
  boolean averaged;
  double lr;
  double alpha;
  double eps;
  double decay;
  double momentum;
  double sign;

  RmsPropRow(UpdateTable.Row row) {
    super(row);
    View square = row.states().get(0);
    View mean = row.states().get(1);
    View buffer = row.states().get(2);
    v = CpuBuffer.segment(square);
    a = CpuBuffer.segment(mean);
    b = CpuBuffer.segment(buffer);
    vi = square.layout().offset();
    ai = mean.layout().offset();
    bi = buffer.layout().offset();
  }

  @Override
  void start(double[] scalars) {
    lr = scalars[0];
    alpha = scalars[1];
    eps = scalars[2];
    decay = scalars[3];
    momentum = scalars[4];
    averaged = momentum != 0;
    centered = scalars[5] != 0;
    sign = scalars[6] != 0 ? -1 : 1;
    setCounter(0, counter(0) + 1);
  }

  @Override
  long vectors(long from, long to) {
    return CpuVectorUpdate.rmsProp(this, from, to);
  }

  @Override
  void f32(long from, long to) {
    float rest = (float) (1 - alpha);
    for (long i = from; i < to; i++) {
      float x = Scalars.loadF32(p, 4 * (pi + i));
      float dx = Math.fma((float) decay, x, (float) sign * Scalars.loadF32(g, 4 * (gi + i)));
      float square = Math.fma((float) alpha, Scalars.loadF32(v, 4 * (vi + i)), rest * dx * dx);
      Scalars.storeF32(square, v, 4 * (vi + i));
      if (centered) {
        float mean = Math.fma((float) alpha, Scalars.loadF32(a, 4 * (ai + i)), rest * dx);
        Scalars.storeF32(mean, a, 4 * (ai + i));
        square = Math.fma(-mean, mean, square);
      }
      float step = dx / (Scalars.sqrt(square) + (float) eps);
      if (averaged) {
        step = Math.fma((float) momentum, Scalars.loadF32(b, 4 * (bi + i)), step);
        Scalars.storeF32(step, b, 4 * (bi + i));
      }
      Scalars.storeF32(Math.fma((float) -lr, step, x), p, 4 * (pi + i));
    }
  }

  @Override
  void f64(long from, long to) {
    double rest = 1 - alpha;
    for (long i = from; i < to; i++) {
      double x = Scalars.loadF64(p, 8 * (pi + i));
      double dx = Math.fma(decay, x, sign * Scalars.loadF64(g, 8 * (gi + i)));
      double square = Math.fma(alpha, Scalars.loadF64(v, 8 * (vi + i)), rest * dx * dx);
      Scalars.storeF64(square, v, 8 * (vi + i));
      if (centered) {
        double mean = Math.fma(alpha, Scalars.loadF64(a, 8 * (ai + i)), rest * dx);
        Scalars.storeF64(mean, a, 8 * (ai + i));
        square = Math.fma(-mean, mean, square);
      }
      double step = dx / (Math.sqrt(square) + eps);
      if (averaged) {
        step = Math.fma(momentum, Scalars.loadF64(b, 8 * (bi + i)), step);
        Scalars.storeF64(step, b, 8 * (bi + i));
      }
      Scalars.storeF64(Math.fma(-lr, step, x), p, 8 * (pi + i));
    }
  }
}

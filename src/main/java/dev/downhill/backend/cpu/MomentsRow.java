package dev.downhill.backend.cpu;

import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import java.lang.foreign.MemorySegment;

/** What Adam and NAdam share: running means of the gradient and of its square, and the decay. */
abstract sealed class MomentsRow extends UpdateRow permits AdamRow, NAdamRow {
  final MemorySegment m;
  final MemorySegment v;
  final long mi;
  final long vi;
  double lr;
  double beta1;
  double beta2;
  double eps;
  double sign;

  /** Added to the gradient, times p. */
  double decay;

  /** What decoupled decay leaves of p. */
  double keep;

  MomentsRow(UpdateTable.Row row) {
    super(row);
    View mean = row.states().get(0);
    View square = row.states().get(1);
    m = CpuBuffer.segment(mean);
    v = CpuBuffer.segment(square);
    mi = mean.layout().offset();
    vi = square.layout().offset();
  }

  @Override
  void start(double[] scalars) {
    lr = scalars[0];
    beta1 = scalars[1];
    beta2 = scalars[2];
    eps = scalars[3];
    boolean decoupled = scalars[5] != 0;
    decay = decoupled ? 0 : scalars[4];
    keep = decoupled ? 1 - lr * scalars[4] : 1;
    sign = scalars[6] != 0 ? -1 : 1;
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.util.List;

/**
 * Optimiser steps in one pass over memory. Counters and the scalars that follow from them are
 * computed in double, rounded once to the parameter's type and applied in it, with the same
 * operations in the same order by vectors and by scalars.
 */
final class CpuUpdate {
  /** Elements of a task. */
  static final int CHUNK = 1 << 14;

  private final Workers workers;

  CpuUpdate(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#update}. */
  void update(Update update, UpdateTable table, View groups, View skip) {
    if (Scalars.loadBool(CpuBuffer.segment(skip), skip.layout().offset())) {
      return;
    }
    List<UpdateTable.Row> rows = table.rows();
    UpdateRow[] work = new UpdateRow[rows.size()];
    long[] ends = new long[rows.size()];
    long tasks = 0;
    for (int r = 0; r < work.length; r++) {
      UpdateTable.Row row = rows.get(r);
      double[] scalars = read(groups, row.group());
      work[r] =
          switch (update) {
            case SGD -> new SgdRow(row, scalars);
            case ADAM -> new AdamRow(row, scalars);
            case RMSPROP -> new RmsPropRow(row, scalars);
            case ADAGRAD -> new AdagradRow(row, scalars);
            case NADAM -> new NAdamRow(row, scalars);
          };
      tasks += Math.ceilDiv(row.parameter().shape().numel(), CHUNK);
      ends[r] = tasks;
    }
    workers.run(
        Math.toIntExact(tasks),
        task -> {
          int r = 0;
          while (ends[r] <= task) {
            r++;
          }
          work[r].run(task - (r == 0 ? 0 : ends[r - 1]));
        });
  }

  private static double[] read(View groups, int group) {
    double[] scalars = new double[(int) groups.shape().size(1)];
    long at = groups.layout().offset() + group * groups.layout().stride(0);
    for (int i = 0; i < scalars.length; i++) {
      scalars[i] =
          AnyType.floating(
              DType.F64, CpuBuffer.segment(groups), at + i * groups.layout().stride(1));
    }
    return scalars;
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.util.function.IntConsumer;

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
    Step step = new Step(update, table, groups, skip);
    workers.run(1, step::start);
    workers.run(step.tasks(), step);
  }

  /** One step, which can be made many times. */
  private static final class Step implements IntConsumer {
    private final UpdateRow[] rows;
    private final int[] groupOf;
    private final int[] ends;
    private final View groups;
    private final View skip;
    private final double[] scalars;
    private boolean skipped;

    Step(Update update, UpdateTable table, View groups, View skip) {
      int count = table.rows().size();
      rows = new UpdateRow[count];
      groupOf = new int[count];
      ends = new int[count];
      for (int r = 0; r < count; r++) {
        UpdateTable.Row row = table.rows().get(r);
        rows[r] =
            switch (update) {
              case SGD -> new SgdRow(row);
              case ADAM -> new AdamRow(row);
              case RMSPROP -> new RmsPropRow(row);
              case ADAGRAD -> new AdagradRow(row);
              case NADAM -> new NAdamRow(row);
            };
        groupOf[r] = row.group();
        long tasks = Math.ceilDiv(row.parameter().shape().numel(), CHUNK);
        ends[r] = Math.toIntExact((r == 0 ? 0 : ends[r - 1]) + tasks);
      }
      this.groups = groups;
      this.skip = skip;
      scalars = new double[(int) groups.shape().size(1)];
    }

    int tasks() {
      return rows.length == 0 ? 0 : ends[rows.length - 1];
    }

    /** Reads what decides on this step, and counts it. */
    void start(int unused) {
      skipped = Scalars.loadBool(CpuBuffer.segment(skip), skip.layout().offset());
      for (int r = 0; r < rows.length && !skipped; r++) {
        read(groupOf[r]);
        rows[r].start(scalars);
      }
    }

    private void read(int group) {
      long at = groups.layout().offset() + group * groups.layout().stride(0);
      for (int i = 0; i < scalars.length; i++) {
        scalars[i] =
            AnyType.floating(
                DType.F64, CpuBuffer.segment(groups), at + i * groups.layout().stride(1));
      }
    }

    /** Updates one chunk. */
    @Override
    public void accept(int task) {
      if (skipped) {
        return;
      }
      int r = 0;
      while (ends[r] <= task) {
        r++;
      }
      rows[r].run(task - (r == 0 ? 0 : ends[r - 1]));
    }
  }
}

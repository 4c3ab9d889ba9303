package dev.downhill.backend.cpu;

import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * Optimiser steps in one pass over memory. Counters and the scalars that follow from them are
 * computed in double, rounded once to the parameter's type and applied in it, with the same
 * operations in the same order by vectors and by scalars.
 */
final class CpuUpdate {
  /** The most elements of a part of a parameter, and about as many as a task has. */
  static final int MOST = 1 << 14;

  /** As many where there are few: a task of less is not worth another thread. */
  private static final int LEAST = 1 << 11;

  /** Tasks wanted of few elements. */
  private static final int ENOUGH = 4;

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

    /** Elements of a part. */
    private final long size;

    /** The parts of all parameters, and which part each task begins with. */
    private final int[] rowOf;

    private final long[] fromOf;
    private final int[] starts;
    private final View groups;
    private final View skip;
    private final double[] scalars;
    private boolean skipped;

    Step(Update update, UpdateTable table, View groups, View skip) {
      int count = table.rows().size();
      rows = new UpdateRow[count];
      groupOf = new int[count];
      long total = 0;
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
        total += rows[r].numel();
      }
      size = Math.clamp(total / ENOUGH & -16, LEAST, MOST);
      int parts = 0;
      for (UpdateRow row : rows) {
        parts = Math.toIntExact(parts + Math.ceilDiv(row.numel(), size));
      }
      rowOf = new int[parts];
      fromOf = new long[parts];
      int[] begins = new int[parts + 1];
      int tasks = 0;
      long full = 0;
      int part = 0;
      for (int r = 0; r < count; r++) {
        for (long from = 0; from < rows[r].numel(); from += size) {
          if (full == 0) {
            begins[tasks++] = part;
          }
          rowOf[part] = r;
          fromOf[part++] = from;
          full += Math.min(size, rows[r].numel() - from);
          full = full >= size ? 0 : full;
        }
      }
      begins[tasks] = parts;
      starts = Arrays.copyOf(begins, tasks + 1);
      this.groups = groups;
      this.skip = skip;
      scalars = new double[(int) groups.shape().size(1)];
    }

    int tasks() {
      return starts.length - 1;
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

    /** Updates some parts. */
    @Override
    public void accept(int task) {
      if (skipped) {
        return;
      }
      for (int part = starts[task]; part < starts[task + 1]; part++) {
        UpdateRow row = rows[rowOf[part]];
        row.run(fromOf[part], Math.min(row.numel(), fromOf[part] + size));
      }
    }
  }
}

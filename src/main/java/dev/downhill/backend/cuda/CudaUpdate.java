package dev.downhill.backend.cuda;

import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;

/**
 * Optimiser steps: kernels/update.cu, one launch for all parameters of a type. A table is written
 * to the device when it is first used, and stays there until its object is garbage collected; a
 * recording that repeats the launch has to keep the table.
 */
final class CudaUpdate {
  private final CudaDevice device;
  private final KernelTable<Update> kernels;
  private final List<Known> tables = new ArrayList<>();
  private final ReferenceQueue<UpdateTable> ended = new ReferenceQueue<>();

  /** The device copies of a table, one for each type. */
  private static final class Known extends WeakReference<UpdateTable> {
    final List<UpdateRows> copies;

    Known(UpdateTable table, List<UpdateRows> copies, ReferenceQueue<UpdateTable> queue) {
      super(table, queue);
      this.copies = copies;
    }
  }

  CudaUpdate(CudaDevice device) {
    this.device = device;
    this.kernels = new KernelTable<>(device, "update", "", Update.class);
  }

  /** See {@link dev.downhill.backend.Backend#update}. */
  void update(Update update, UpdateTable table, View groups, View skip) {
    forgetEnded();
    List<UpdateRows> copies = find(table).copies;
    for (int i = 0; i < copies.size(); i++) {
      UpdateRows rows = copies.get(i);
      kernels
          .get(update, rows.type())
          .i64(0, rows.rows())
          .i32(1, rows.count())
          .i64(2, rows.tasks())
          .i64(3, rows.ticket())
          .view(4, groups)
          .i64(5, groups.layout().stride(0))
          .i64(6, groups.layout().stride(1))
          .view(7, skip)
          .launch(rows.taskCount(), CudaDevice.THREADS);
    }
  }

  private Known find(UpdateTable table) {
    for (int i = 0; i < tables.size(); i++) {
      Known known = tables.get(i);
      if (known.refersTo(table)) {
        assert allThere(table);
        return known;
      }
    }
    Known known = new Known(table, UpdateRows.upload(device, table), ended);
    tables.add(known);
    return known;
  }

  /** Whether the memory of all rows is still there; a buffer that has ended notices by itself. */
  private static boolean allThere(UpdateTable table) {
    for (int r = 0; r < table.rows().size(); r++) {
      UpdateTable.Row row = table.rows().get(r);
      CudaBuffer.address(row.parameter());
      CudaBuffer.address(row.gradient());
      CudaBuffer.address(row.counters());
      for (int s = 0; s < row.states().size(); s++) {
        CudaBuffer.address(row.states().get(s));
      }
    }
    return true;
  }

  private void forgetEnded() {
    for (Reference<?> r = ended.poll(); r != null; r = ended.poll()) {
      Known known = (Known) r;
      known.copies.forEach(rows -> device.free(rows.ticket()));
      tables.remove(known);
    }
  }
}

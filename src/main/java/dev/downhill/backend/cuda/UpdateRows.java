package dev.downhill.backend.cuda;

import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The parameters of one type of an {@link UpdateTable} on the device, as kernels/update.cu reads
 * them: a ticket, the rows, and the tasks, each one chunk of one row.
 *
 * @param type of the parameters
 * @param ticket the address of the whole
 * @param count the number of rows
 * @param taskCount the number of tasks
 */
record UpdateRows(DType type, long ticket, int count, int taskCount) {
  private static final DType[] TYPES = {DType.F32, DType.F64, DType.BF16};

  /** CHUNK of the kernel. */
  private static final long CHUNK = 4096;

  private static final long TICKET_BYTES = 64;
  private static final long ROW_BYTES = 72;
  private static final long TASK_BYTES = 8;

  /** The address of the rows. */
  long rows() {
    return ticket + TICKET_BYTES;
  }

  /** The address of the tasks. */
  long tasks() {
    return rows() + ROW_BYTES * count;
  }

  /** Writes a table to new device memory, which the caller frees. */
  static List<UpdateRows> upload(CudaDevice device, UpdateTable table) {
    List<UpdateRows> all = new ArrayList<>();
    for (DType type : TYPES) {
      List<UpdateTable.Row> rows =
          table.rows().stream().filter(row -> row.parameter().dtype() == type).toList();
      if (!rows.isEmpty()) {
        all.add(upload(device, type, rows));
      }
    }
    return List.copyOf(all);
  }

  private static UpdateRows upload(CudaDevice device, DType type, List<UpdateTable.Row> rows) {
    int taskCount = 0;
    for (UpdateTable.Row row : rows) {
      taskCount = Math.addExact(taskCount, tasks(row));
    }
    long bytes = TICKET_BYTES + ROW_BYTES * rows.size() + TASK_BYTES * taskCount;
    UpdateRows copy = new UpdateRows(type, device.allocate(bytes), rows.size(), taskCount);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(bytes, 64);
      long taskAt = copy.tasks() - copy.ticket;
      for (int r = 0; r < copy.count; r++) {
        write(rows.get(r), block.asSlice(TICKET_BYTES + ROW_BYTES * r, ROW_BYTES));
        for (int chunk = 0; chunk < tasks(rows.get(r)); chunk++) {
          block.set(ValueLayout.JAVA_INT, taskAt, r);
          block.set(ValueLayout.JAVA_INT, taskAt + Integer.BYTES, chunk);
          taskAt += TASK_BYTES;
        }
      }
      device.upload(block, copy.ticket);
    }
    return copy;
  }

  /** A parameter without elements has a task too: its counters go on. */
  private static int tasks(UpdateTable.Row row) {
    return Math.toIntExact(Math.max(1, Math.ceilDiv(row.parameter().shape().numel(), CHUNK)));
  }

  private static void write(UpdateTable.Row row, MemorySegment to) {
    View counters = row.counters();
    to.set(ValueLayout.JAVA_LONG, 0, CudaBuffer.address(row.parameter()));
    to.set(ValueLayout.JAVA_LONG, 8, CudaBuffer.address(row.gradient()));
    for (int s = 0; s < row.states().size(); s++) {
      View state = row.states().get(s);
      // What is not kept stays null.
      if (state.shape().numel() > 0) {
        to.set(ValueLayout.JAVA_LONG, 16 + 8L * s, CudaBuffer.address(state));
      }
    }
    to.set(ValueLayout.JAVA_LONG, 40, CudaBuffer.address(counters));
    long step = counters.shape().rank() == 0 ? 0 : counters.layout().stride(0);
    to.set(ValueLayout.JAVA_LONG, 48, step);
    to.set(ValueLayout.JAVA_LONG, 56, row.parameter().shape().numel());
    to.set(ValueLayout.JAVA_LONG, 64, row.group());
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Layer normalisation, a row at a time while it is in the first cache.
 *
 * <p>What the sums are, bit for bit, so that neither threads nor vectors change them: a row is cut
 * into parts of {@link #PART} elements. Element i of a part goes to lane i mod 32, from 0 on; lane
 * l takes up lane l + 16, then l + 8, l + 4, l + 2 and l + 1; the parts are added in order. The
 * sums over rows that dweight and dbias are run over blocks of {@link #BLOCK} rows, one after the
 * other; the blocks are added in order in double, and the result is rounded once.
 */
final class CpuLayerNorm {
  static final int LANES = 32;
  static final int PART = 1 << 12;

  /** Rows whose share of dweight and dbias is summed up by one task. */
  static final int BLOCK = 128;

  /** Columns of dweight and dbias that a task brings to an end. */
  static final int COLUMNS = 256;

  /** The least elements of a task. */
  private static final long CHUNK = 1 << 14;

  private final Workers workers;
  private final LayerNormCall call = new LayerNormCall();
  private final ThreadLocal<LayerNormRows> f32 = ThreadLocal.withInitial(LayerNormF32::new);
  private final ThreadLocal<LayerNormRows> f64 = ThreadLocal.withInitial(LayerNormF64::new);
  private final IntConsumer forward = this::forward;
  private final IntConsumer backward = this::backward;
  private final IntConsumer finish = this::finish;
  private ThreadLocal<LayerNormRows> kernel = f32;

  /** Rows, or blocks of rows, of a task. */
  private long perTask;

  CpuLayerNorm(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#layerNorm}. */
  void layerNorm(
      View x,
      @Nullable View weight,
      @Nullable View bias,
      double eps,
      View y,
      @Nullable View mean,
      View rstd) {
    call.setForward(x, weight, bias, eps, y, mean, rstd);
    kernel = x.dtype() == DType.F64 ? f64 : f32;
    perTask = Math.max(1, CHUNK / Math.max(1, call.n));
    workers.run(tasks(call.rows, perTask), forward);
  }

  private void forward(int task) {
    kernel.get().forward(call, task * perTask, Math.min(call.rows, (task + 1) * perTask));
  }

  /** See {@link dev.downhill.backend.Backend#layerNormBackward}. */
  void layerNormBackward(
      View x,
      @Nullable View weight,
      @Nullable View mean,
      View rstd,
      View dy,
      @Nullable View dx,
      @Nullable View dweight,
      @Nullable View dbias) {
    call.setBackward(x, weight, mean, rstd, dy, dx, dweight, dbias);
    kernel = x.dtype() == DType.F64 ? f64 : f32;
    perTask = Math.max(1, CHUNK / Math.max(1, BLOCK * (long) call.n));
    workers.run(tasks(call.blocks, perTask), backward);
    if (dweight != null || dbias != null) {
      workers.run(tasks(call.n, COLUMNS), finish);
    }
  }

  private void backward(int task) {
    int end = (int) Math.min(call.blocks, (task + 1) * perTask);
    for (int block = (int) (task * perTask); block < end; block++) {
      kernel.get().backward(call, block);
    }
  }

  private void finish(int task) {
    int from = task * COLUMNS;
    kernel.get().finish(call, from, Math.min(call.n, from + COLUMNS));
  }

  private static int tasks(long count, long perTask) {
    return Math.toIntExact(Math.ceilDiv(count, perTask));
  }
}

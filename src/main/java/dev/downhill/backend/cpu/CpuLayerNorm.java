package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
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
  private final ThreadLocal<LayerNormRows> f32 = ThreadLocal.withInitial(LayerNormF32::new);
  private final ThreadLocal<LayerNormRows> f64 = ThreadLocal.withInitial(LayerNormF64::new);
  private final LayerNormCall.Shares shares = new LayerNormCall.Shares();

  // One call at a time, so that it costs no memory.
  private final Job shared = new Job();

  CpuLayerNorm(Workers workers) {
    this.workers = workers;
  }

  /** What is set to a call; captured work keeps its own. */
  private final class Job {
    final LayerNormCall call = new LayerNormCall(shares);
    final IntConsumer read = _ -> call.readWeights();
    final IntConsumer forward = this::forward;
    final IntConsumer backward = this::backward;
    final IntConsumer finish = this::finish;

    /** Rows, or blocks of rows, of a task. */
    long perTask;

    private LayerNormRows mine() {
      return (call.isWide() ? f64 : f32).get();
    }

    void forward(int task) {
      mine().forward(call, task * perTask, Math.min(call.rows, (task + 1) * perTask));
    }

    void backward(int task) {
      int end = (int) Math.min(call.blocks, (task + 1) * perTask);
      for (int block = (int) (task * perTask); block < end; block++) {
        mine().backward(call, block);
      }
    }

    void finish(int task) {
      int from = task * COLUMNS;
      mine().finish(call, from, Math.min(call.n, from + COLUMNS));
    }
  }

  private Job job() {
    return workers.isCapturing() ? new Job() : shared;
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
    Job job = job();
    LayerNormCall call = job.call;
    call.setForward(x, weight, bias, eps, y, mean, rstd);
    job.perTask = Math.max(1, CHUNK / Math.max(1, call.n));
    workers.run(1, job.read);
    workers.run(tasks(call.rows, job.perTask), job.forward);
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
    Job job = job();
    LayerNormCall call = job.call;
    call.setBackward(x, weight, mean, rstd, dy, dx, dweight, dbias);
    job.perTask = Math.max(1, CHUNK / Math.max(1, BLOCK * (long) call.n));
    workers.run(1, job.read);
    workers.run(tasks(call.blocks, job.perTask), job.backward);
    if (dweight != null || dbias != null) {
      workers.run(tasks(call.n, COLUMNS), job.finish);
    }
  }

  private static int tasks(long count, long perTask) {
    return Math.toIntExact(Math.ceilDiv(count, perTask));
  }
}

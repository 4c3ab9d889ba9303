package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import java.util.function.IntConsumer;

/**
 * Attention without the matrix of all scores: blocks of {@link #QUERIES} queries meet blocks of
 * {@link #KEYS} keys, and only one such block of scores exists in a thread.
 *
 * <p>Bits depend on shapes alone. Scores and the mixes of values are chains of fused multiply-adds,
 * over elements and over keys in order; a query keeps its greatest score so far, and when a later
 * block of keys has a greater one, what was added up before is scaled. Gradients are chains over
 * the keys, or the queries, in order.
 */
final class CpuAttention {
  static final int QUERIES = 128;
  static final int KEYS = 128;

  /** Multiply-adds below which another thread costs more than it brings. */
  private static final long SMALL = 1 << 16;

  /**
   * From so many sequences on, a task does all gradients of one. With fewer of them dq on one side
   * and dk and dv on the other are tasks block by block, which computes scores twice.
   */
  private static final long ENOUGH = 8;

  private final Workers workers;
  private final ThreadLocal<AttentionTask> f32 =
      ThreadLocal.withInitial(() -> new AttentionTask(false));
  private final ThreadLocal<AttentionTask> f64 =
      ThreadLocal.withInitial(() -> new AttentionTask(true));

  // One call at a time, so that it costs no memory.
  private final Job shared = new Job();

  CpuAttention(Workers workers) {
    this.workers = workers;
  }

  /** What is set to a call; captured work keeps its own. */
  private final class Job {
    final AttentionCall call = new AttentionCall();
    final IntConsumer forward = this::forward;
    final IntConsumer sequences = this::sequences;
    final IntConsumer blocks = this::blocks;

    // Blocks of queries and keys of a sequence, and how many units there are, and each task does.
    long down;
    long across;
    long units;
    long perTask;

    void set(View q, View k, View v, boolean causal, double scale, View y, View z) {
      call.set(q, k, v, causal, scale, y, z);
      down = Math.ceilDiv(call.queries, QUERIES);
      across = Math.ceilDiv(call.keys, KEYS);
    }

    void run(long count, long rows, IntConsumer task) {
      long work = rows * call.keys * (call.size + call.valueSize);
      units = count;
      perTask = Math.ceilDiv(SMALL, Math.max(1, work));
      workers.run(Math.toIntExact(Math.ceilDiv(units, perTask)), task);
    }

    private AttentionTask mine() {
      return (call.wide ? f64 : f32).get();
    }

    void forward(int task) {
      long end = Math.min(units, (task + 1) * perTask);
      for (long unit = task * perTask; unit < end; unit++) {
        int first = (int) (unit % down) * QUERIES;
        mine().forward(call, unit / down, first, Math.min(QUERIES, call.queries - first));
      }
    }

    void sequences(int task) {
      long end = Math.min(units, (task + 1) * perTask);
      for (long unit = task * perTask; unit < end; unit++) {
        mine().backward(call, unit);
      }
    }

    void blocks(int task) {
      long end = Math.min(units, (task + 1) * perTask);
      for (long unit = task * perTask; unit < end; unit++) {
        int block = (int) (unit % (down + across));
        long sequence = unit / (down + across);
        if (block < down) {
          mine().backwardOfQueries(call, sequence, block * QUERIES);
        } else {
          mine().backwardOfKeys(call, sequence, (int) (block - down) * KEYS);
        }
      }
    }
  }

  private Job job() {
    return workers.isCapturing() ? new Job() : shared;
  }

  /** See {@link dev.downhill.backend.Backend#attention}. */
  void attention(View q, View k, View v, boolean causal, double scale, View y, View z) {
    Job job = job();
    job.set(q, k, v, causal, scale, y, z);
    job.run(job.call.count * job.down, Math.min(job.call.queries, QUERIES), job.forward);
  }

  /** See {@link dev.downhill.backend.Backend#attentionBackward}. */
  void attentionBackward(
      View q,
      View k,
      View v,
      boolean causal,
      double scale,
      View y,
      View z,
      View dy,
      View dq,
      View dk,
      View dv) {
    Job job = job();
    AttentionCall call = job.call;
    job.set(q, k, v, causal, scale, y, z);
    call.dy.rows(dy);
    call.dq.rows(dq);
    call.dk.rows(dk);
    call.dv.rows(dv);
    if (call.count >= ENOUGH || job.down * job.across <= 1) {
      job.run(call.count, call.queries, job.sequences);
    } else {
      long units = call.count * (job.down + job.across);
      job.run(units, Math.min(call.queries, QUERIES), job.blocks);
    }
  }
}

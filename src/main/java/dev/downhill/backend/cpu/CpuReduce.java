package dev.downhill.backend.cpu;

import dev.downhill.backend.Reduce;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * Reductions. What a floating sum is, bit for bit, so that neither threads nor vectors change it:
 * the elements that make one result, in the row-major order of their indices, are cut into blocks
 * of 4096. Element i of a block is added to lane i mod 16, in the element type, from 0 on; lane l
 * then takes up lane l + 8, then l + 4, l + 2 and l + 1. Lane 0 of each block is added to the first
 * block's in double, in order, and the result is rounded to the element type once. Products, maxima
 * and minima go the same way.
 */
final class CpuReduce {
  /** The least elements of a task. */
  private static final long PIECE = 1 << 15;

  /** The least columns of a task, where there are as many: with less, rows are read in crumbs. */
  private static final long MIN_COLUMNS = 256;

  private static final int BLOCK = ReduceKernel.BLOCK;

  private static final Map<ReduceKernel.Case, ReduceKernel> KERNELS = new ConcurrentHashMap<>();

  /** What a thread needs. */
  private static final class Local {
    final ReduceKernel.Scratch scratch = new ReduceKernel.Scratch();
    final MemorySegment gathered = Arena.ofAuto().allocate(8L * BLOCK, 64);
    final long[] starts = new long[BLOCK];
    final long[] results = new long[ReduceKernel.RESULTS];
    final long[] places = new long[ReduceKernel.RESULTS];
  }

  private final Workers workers;
  private final ThreadLocal<Local> local = ThreadLocal.withInitial(Local::new);

  CpuReduce(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#reduce}. */
  void reduce(Reduce op, View x, View y) {
    if (y.shape().numel() == 0) {
      return;
    }
    ReduceKernel kernel =
        KERNELS.computeIfAbsent(new ReduceKernel.Case(op, x.dtype()), ReduceKernel::of);
    Reduction reduction = new Reduction(x, y);
    Job job = new Job(kernel, reduction, CpuBuffer.segment(y));
    long perTask = Math.max(1, PIECE / job.unitSize());
    forEach(job.units(), perTask, unit -> job.run(unit, local.get()));
    if (job.isSplit()) {
      workers.run(1, _ -> job.finish(local.get()));
    }
  }

  private void forEach(long count, long perTask, LongConsumer body) {
    workers.run(
        Math.toIntExact(Math.ceilDiv(count, perTask)),
        task -> {
          long end = Math.min(count, (task + 1) * perTask);
          for (long i = task * perTask; i < end; i++) {
            body.accept(i);
          }
        });
  }

  /** One call, cut into units: a block of the elements of each of a strip of results. */
  private static final class Job {
    private final ReduceKernel kernel;
    private final Reduction reduction;
    private final MemorySegment y;
    private final long length;
    private final long blocks;

    /** Whether the results of a strip are columns that lie side by side; else they are rows. */
    private final boolean byColumn;

    /** The results that are cut into strips together, and those of a strip. */
    private final long line;

    private final long width;
    private final long strips;

    /** Per result and block, where there are several blocks. */
    private final long[] partial;

    Job(ReduceKernel kernel, Reduction reduction, MemorySegment y) {
      this.kernel = kernel;
      this.reduction = reduction;
      this.y = y;
      length = reduction.length();
      blocks = Math.max(1, Math.ceilDiv(length, BLOCK));
      byColumn = reduction.columns() >= ReduceKernel.LANES;
      line = byColumn ? reduction.columns() : reduction.kept();
      long high = Math.clamp(length, 1, BLOCK);
      width =
          byColumn
              ? Math.clamp(PIECE / high, MIN_COLUMNS, ReduceKernel.RESULTS)
              : Math.clamp(BLOCK / high, 1, ReduceKernel.RESULTS);
      strips = Math.ceilDiv(line, width);
      partial = new long[blocks == 1 ? 0 : Math.toIntExact(reduction.kept() * blocks)];
    }

    long units() {
      return reduction.kept() / line * strips * blocks;
    }

    long unitSize() {
      return Math.clamp(length, 1, BLOCK) * Math.min(width, line);
    }

    void run(long unit, Local local) {
      long block = unit % blocks;
      long strip = unit / blocks;
      long column = strip % strips * width;
      long result = strip / strips * line + column;
      int results = (int) Math.min(width, line - column);
      long first = block * BLOCK;
      int n = (int) Math.min(BLOCK, length - first);
      if (byColumn) {
        reduction.positions(reduction.from(result), first, n, local.starts);
        kernel.columns(reduction.x(), local.starts, n, results, local.scratch, local.results);
      } else {
        rows(result, results, first, n, local);
      }
      if (blocks == 1) {
        store(result, results, local);
      } else {
        for (int r = 0; r < results; r++) {
          partial[(int) ((result + r) * blocks + block)] = local.results[r];
        }
      }
    }

    private void rows(long result, int results, long first, int n, Local local) {
      boolean dense = reduction.isDense();
      long[] starts = local.starts;
      reduction.from(result, results, starts);
      for (int r = 0; r < results; r++) {
        if (dense) {
          starts[r] += first * reduction.bytes();
        } else {
          long at = (long) r * n * reduction.bytes();
          reduction.gather(starts[r], first, n, local.gathered, at);
          starts[r] = at;
        }
      }
      MemorySegment x = dense ? reduction.x() : local.gathered;
      kernel.rows(x, starts, results, n, local.scratch, local.results);
    }

    private void store(long result, int results, Local local) {
      reduction.to(result, results, local.places);
      kernel.store(local.results, results, y, local.places);
    }

    /** Whether results are made of several blocks. */
    boolean isSplit() {
      return blocks > 1;
    }

    /** Joins the blocks. */
    void finish(Local local) {
      long kept = reduction.kept();
      for (long result = 0; result < kept; result += ReduceKernel.RESULTS) {
        int results = (int) Math.min(ReduceKernel.RESULTS, kept - result);
        for (int r = 0; r < results; r++) {
          int at = (int) ((result + r) * blocks);
          long value = partial[at];
          for (int block = 1; block < blocks; block++) {
            value = kernel.combine(value, partial[at + block]);
          }
          local.results[r] = value;
        }
        store(result, results, local);
      }
    }
  }

  /** See {@link dev.downhill.backend.Backend#argReduce}. */
  void argReduce(Reduce op, View x, int dim, View y) {
    boolean max = op == Reduce.MAX;
    assert max || op == Reduce.MIN : op;
    DType dtype = x.dtype();
    Rows in = alongRows(x, dim);
    Rows out = alongRows(y, dim);
    forEachRow(
        in,
        row -> {
          long best = firstBest(max, dtype, in, in.start(row));
          Scalars.storeI64(best, out.segment(), out.start(row) * Long.BYTES);
        });
  }

  private static long firstBest(boolean max, DType dtype, Rows x, long start) {
    return dtype.isFloating()
        ? firstBestFloat(max, dtype, x, start)
        : firstBestInteger(max, dtype, x, start);
  }

  private static long firstBestFloat(boolean max, DType dtype, Rows x, long start) {
    double best = AnyType.floating(dtype, x.segment(), start);
    long at = 0;
    for (long i = 1; i < x.length() && !Double.isNaN(best); i++) {
      double next = AnyType.floating(dtype, x.segment(), start + i * x.stride());
      if (max ? !(next <= best) : !(next >= best)) { // NaN is better than any number
        best = next;
        at = i;
      }
    }
    return at;
  }

  private static long firstBestInteger(boolean max, DType dtype, Rows x, long start) {
    long best = AnyType.integer(dtype, x.segment(), start);
    long at = 0;
    for (long i = 1; i < x.length(); i++) {
      long next = AnyType.integer(dtype, x.segment(), start + i * x.stride());
      if (max ? next > best : next < best) {
        best = next;
        at = i;
      }
    }
    return at;
  }

  /** See {@link dev.downhill.backend.Backend#cumsum}; floating sums run in double. */
  void cumsum(View x, int dim, View y) {
    DType dtype = x.dtype();
    Rows in = alongRows(x, dim);
    Rows out = alongRows(y, dim);
    forEachRow(
        in,
        row -> {
          if (dtype.isFloating()) {
            cumsumFloat(dtype, in, in.start(row), out, out.start(row));
          } else {
            cumsumInteger(dtype, in, in.start(row), out, out.start(row));
          }
        });
  }

  private static void cumsumFloat(DType dtype, Rows x, long xi, Rows y, long yi) {
    double sum = 0;
    for (long i = 0; i < x.length(); i++) {
      sum += AnyType.floating(dtype, x.segment(), xi + i * x.stride());
      long at = (yi + i * y.stride()) * dtype.bytes();
      if (dtype == DType.F64) {
        Scalars.storeF64(sum, y.segment(), at);
      } else {
        Scalars.storeF32((float) sum, y.segment(), at);
      }
    }
  }

  private static void cumsumInteger(DType dtype, Rows x, long xi, Rows y, long yi) {
    long sum = 0;
    for (long i = 0; i < x.length(); i++) {
      sum += AnyType.integer(dtype, x.segment(), xi + i * x.stride());
      Scalars.storeI64(sum, y.segment(), (yi + i * y.stride()) * Long.BYTES);
    }
  }

  private void forEachRow(Rows rows, LongConsumer body) {
    long count = rows.length() == 0 ? 0 : rows.count();
    forEach(count, Math.max(1, PIECE / Math.max(1, rows.length())), body);
  }

  /** The lines along a dimension. */
  private static Rows alongRows(View view, int dim) {
    int rank = view.shape().rank();
    return Rows.of(rank == 0 ? view : view.with(view.layout().transpose(dim, rank - 1)));
  }
}

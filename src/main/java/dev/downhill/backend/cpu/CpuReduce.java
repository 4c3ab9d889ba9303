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

  private static final int BLOCK = ReduceKernel.BLOCK;

  private static final Map<ReduceKernel.Case, ReduceKernel> KERNELS = new ConcurrentHashMap<>();

  /** What a thread needs. */
  private static final class Local {
    final ReduceKernel.Scratch scratch = new ReduceKernel.Scratch();
    final MemorySegment gathered = Arena.ofAuto().allocate(8L * BLOCK, 64);
    final long[] rows = new long[BLOCK];
    final long[] results = new long[ReduceKernel.COLUMNS];
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
      workers.run(1, _ -> job.finish());
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

  /**
   * One call, cut into units: a block of the elements of one result, or of neighbouring results.
   */
  private static final class Job {
    private final ReduceKernel kernel;
    private final Reduction reduction;
    private final MemorySegment y;
    private final long length;
    private final long blocks;
    private final long columns;
    private final boolean byColumn;

    /** Per result and block, where there are several blocks. */
    private final long[] partial;

    Job(ReduceKernel kernel, Reduction reduction, MemorySegment y) {
      this.kernel = kernel;
      this.reduction = reduction;
      this.y = y;
      length = reduction.length();
      blocks = Math.max(1, Math.ceilDiv(length, BLOCK));
      columns = reduction.columns();
      byColumn = columns >= ReduceKernel.LANES;
      partial = new long[blocks == 1 ? 0 : Math.toIntExact(reduction.kept() * blocks)];
    }

    /** Strips of columns in a row of neighbouring results. */
    private long strips() {
      return Math.ceilDiv(columns, ReduceKernel.COLUMNS);
    }

    long units() {
      return blocks * (byColumn ? reduction.kept() / columns * strips() : reduction.kept());
    }

    long unitSize() {
      long width = byColumn ? Math.min(columns, ReduceKernel.COLUMNS) : 1;
      return Math.max(1, Math.min(length, BLOCK) * width);
    }

    void run(long unit, Local local) {
      long block = unit % blocks;
      long first = block * BLOCK;
      int n = (int) Math.min(BLOCK, length - first);
      if (byColumn) {
        long strip = unit / blocks;
        long column = strip % strips() * ReduceKernel.COLUMNS;
        long result = strip / strips() * columns + column;
        int cols = (int) Math.min(ReduceKernel.COLUMNS, columns - column);
        reduction.positions(reduction.from(result), first, n, local.rows);
        kernel.columns(reduction.x(), local.rows, n, cols, local.scratch, local.results);
        for (int c = 0; c < cols; c++) {
          put(result + c, block, local.results[c]);
        }
      } else {
        long result = unit / blocks;
        put(result, block, row(reduction.from(result), first, n, local));
      }
    }

    private long row(long from, long first, int n, Local local) {
      if (reduction.isDense()) {
        return kernel.row(reduction.x(), from + first * reduction.bytes(), n, local.scratch);
      }
      reduction.gather(from, first, n, local.gathered);
      return kernel.row(local.gathered, 0, n, local.scratch);
    }

    private void put(long result, long block, long value) {
      if (blocks == 1) {
        kernel.store(value, y, reduction.to(result));
      } else {
        partial[(int) (result * blocks + block)] = value;
      }
    }

    /** Whether results are made of several blocks. */
    boolean isSplit() {
      return blocks > 1;
    }

    /** Joins the blocks. */
    void finish() {
      for (int i = 0; i < partial.length; ) {
        long result = i / blocks;
        long value = partial[i++];
        for (long block = 1; block < blocks; block++) {
          value = kernel.combine(value, partial[i++]);
        }
        kernel.store(value, y, reduction.to(result));
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

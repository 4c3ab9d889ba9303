package dev.downhill.backend.cuda;

import dev.downhill.backend.Reduce;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;

/**
 * Reductions: kernels/reduce.cu. Dimensions are sorted into those kept and those reduced. Where the
 * neighbours of an element belong to the next results, threads go down columns, else along rows.
 * Few results of many elements are made in two launches: of splits, then of these.
 */
final class CudaReduce {
  private static final int WARP = 32;

  /** Elements, in packs, that a lane folds before a row gets a block in place of a warp. */
  private static final int PACKS_OF_A_LANE = 8;

  /** Packs, or rows, that a thread folds at least before elements are split. */
  private static final int LEAST_SPLIT = 4;

  /** About how many blocks fill a large device. */
  private static final long MANY_BLOCKS = 1024;

  private static final long CUMSUM_TILE = 4;
  private static final long CUMSUM_SPLIT = 1 << 14;

  private enum Scan {
    CUMSUM
  }

  private final CudaDevice device;
  private final KernelTable<Reduce> rows;
  private final KernelTable<Reduce> columns;
  private final KernelTable<Reduce> finishes;
  private final KernelTable<Reduce> args;
  private final KernelTable<Scan> scans;
  private final Lines kept = new Lines(2, true);
  private final Lines results = new Lines(2, false);
  private final Lines reduced = new Lines(1, true);

  /** How the elements of a result were cut last. */
  private long length;

  private int splits;

  CudaReduce(CudaDevice device) {
    this.device = device;
    this.rows = new KernelTable<>(device, "reduce", "rows", Reduce.class);
    this.columns = new KernelTable<>(device, "reduce", "columns", Reduce.class);
    this.finishes = new KernelTable<>(device, "reduce", "finish", Reduce.class);
    this.args = new KernelTable<>(device, "reduce", "arg", Reduce.class);
    this.scans = new KernelTable<>(device, "reduce", "", Scan.class);
  }

  /** See {@link dev.downhill.backend.Backend#reduce}. */
  void reduce(Reduce op, View x, View y) {
    if (y.shape().numel() == 0) {
      return;
    }
    kept.clear();
    reduced.clear();
    for (int d = 0; d < x.shape().rank(); d++) {
      long size = x.shape().size(d);
      if (y.shape().size(d) == 1) {
        reduced.add(size, x.layout().stride(d));
      } else {
        kept.add(size, x.layout().stride(d), y.layout().stride(d));
      }
    }
    kept.merge();
    reduced.merge();
    if (kept.isDense() && !reduced.isDense()) {
      columns(op, x, y);
    } else {
      rows(op, x, y);
    }
  }

  private void rows(Reduce op, View x, View y) {
    long pack = pack(x.dtype());
    long n = reduced.count();
    int group = group(n, pack);
    split(n, pack, group, kept.count());
    boolean vector = reduced.isDense() && isAligned(x, pack) && kept.isAligned(0, pack);
    long partial = splits == 1 ? 0 : partial(x.dtype(), kept.count());
    launchRows(op, x, CudaBuffer.address(y), partial, vector && isEven(pack), group);
    finish(op, x.dtype(), y, partial);
  }

  private void launchRows(Reduce op, View x, long y, long partial, boolean vector, int group) {
    CudaKernel kernel = rows.get(op, x.dtype());
    kept.write(kernel.struct(0));
    reduced.write(kernel.struct(1));
    kernel
        .view(2, x)
        .i64(3, y)
        .i64(4, partial)
        .i64(5, length)
        .i32(6, splits)
        .i32(7, vector ? 1 : 0)
        .i32(8, group)
        .launch(CudaSoftmax.blocks(kept.count() * splits, group), CudaDevice.THREADS);
  }

  /** Whether no pack of the elements of a result reaches from one line of them into the next. */
  private boolean isEven(long pack) {
    int last = reduced.rank() - 1;
    for (int d = 0; d < last; d++) {
      if (reduced.stride(0, d) % pack != 0) {
        return false;
      }
    }
    return last == 0 || reduced.size(last) % pack == 0;
  }

  private void columns(Reduce op, View x, View y) {
    int last = kept.rank() - 1;
    long width = kept.size(last);
    long yStride = kept.stride(1, last);
    kept.dropLast();
    long pack = pack(x.dtype());
    int across = (int) Math.min(WARP, CudaSoftmax.powerOf2(Math.ceilDiv(width, pack)));
    int below = CudaDevice.THREADS / across;
    long blocks = kept.count() * Math.ceilDiv(width, across * pack);
    cut(reduced.count(), 1, (long) below * 2 * LEAST_SPLIT, blocks);
    boolean vector = isAligned(x, pack) && kept.isAligned(0, pack) && reduced.isAligned(0, pack);
    long partial = splits == 1 ? 0 : partial(x.dtype(), kept.count() * width);
    CudaKernel kernel = columns.get(op, x.dtype());
    kept.write(kernel.struct(0));
    reduced.write(kernel.struct(1));
    kernel
        .view(2, x)
        .view(3, y)
        .i64(4, partial)
        .i64(5, width)
        .i64(6, yStride)
        .i64(7, length)
        .i32(8, vector ? 1 : 0)
        .i32(9, across)
        .launch(blocks, splits, CudaDevice.THREADS, 1, 0);
    kept.add(width, 1, yStride);
    finish(op, x.dtype(), y, partial);
  }

  /** Folds partial results, {@code [split][result]}, if there are any. */
  private void finish(Reduce op, DType type, View y, long partial) {
    if (partial == 0) {
      return;
    }
    results.clear();
    long count = kept.count();
    long stride = count;
    for (int d = 0; d < kept.rank(); d++) {
      stride /= kept.size(d);
      results.add(kept.size(d), stride, kept.stride(1, d));
    }
    results.merge();
    reduced.clear();
    reduced.add(splits, count);
    // Many results are read side by side, few ones by a warp each.
    int group = count >= 16 * MANY_BLOCKS ? 1 : Math.min(WARP, group(splits, 1));
    CudaKernel kernel = finishes.get(op, type);
    results.write(kernel.struct(0));
    reduced.write(kernel.struct(1));
    kernel
        .i64(2, partial)
        .view(3, y)
        .i32(4, group)
        .launch(CudaSoftmax.blocks(count, group), CudaDevice.THREADS);
  }

  /** See {@link dev.downhill.backend.Backend#argReduce}. */
  void argReduce(Reduce op, View x, int dim, View y) {
    if (y.shape().numel() == 0) {
      return;
    }
    kept.clear();
    keepAllBut(dim, x, y);
    long n = x.shape().size(dim);
    int group = group(n, 1);
    split(n, 1, group, kept.count());
    long partial = splits == 1 ? 0 : device.workspace(kept.count() * splits * Long.BYTES);
    arg(op, x, y, dim, partial, 0, n, group);
    if (partial != 0) {
      n = splits;
      splits = 1;
      length = n;
      arg(op, x, y, dim, 0, partial, n, Math.min(WARP, group(n, 1)));
    }
  }

  private void arg(
      Reduce op, View x, View y, int dim, long partial, long candidates, long n, int group) {
    CudaKernel kernel = args.get(op, x.dtype());
    kept.write(kernel.struct(0));
    kernel
        .view(1, x)
        .view(2, y)
        .i64(3, partial)
        .i64(4, candidates)
        .i64(5, n)
        .i64(6, x.layout().stride(dim))
        .i64(7, length)
        .i32(8, splits)
        .i32(9, group)
        .launch(CudaSoftmax.blocks(kept.count() * splits, group), CudaDevice.THREADS);
  }

  /** See {@link dev.downhill.backend.Backend#cumsum}. */
  void cumsum(View x, int dim, View y) {
    if (x.shape().numel() == 0) {
      return;
    }
    kept.clear();
    keepAllBut(dim, x, y);
    long n = x.shape().size(dim);
    long lines = kept.count();
    cut(n, CudaDevice.THREADS * CUMSUM_TILE, CUMSUM_SPLIT, lines);
    long sums = 0;
    if (splits > 1) {
      sums = partial(x.dtype(), lines);
      reduced.clear();
      reduced.add(n, x.layout().stride(dim));
      launchRows(Reduce.SUM, x, 0, sums, false, CudaDevice.THREADS);
    }
    CudaKernel kernel = scans.get(Scan.CUMSUM, x.dtype());
    kept.write(kernel.struct(0));
    kernel
        .view(1, x)
        .view(2, y)
        .i64(3, sums)
        .i64(4, n)
        .i64(5, x.layout().stride(dim))
        .i64(6, y.layout().stride(dim))
        .i64(7, length)
        .i32(8, splits)
        .launch(lines * splits, n <= WARP * CUMSUM_TILE ? WARP : CudaDevice.THREADS);
  }

  private void keepAllBut(int dim, View x, View y) {
    for (int d = 0; d < x.shape().rank(); d++) {
      if (d != dim) {
        kept.add(x.shape().size(d), x.layout().stride(d), y.layout().stride(d));
      }
    }
    kept.merge();
  }

  /** How many threads fold n elements: lanes of a warp, or a block. */
  private static int group(long n, long pack) {
    long packs = Math.ceilDiv(n, pack);
    return packs > WARP * PACKS_OF_A_LANE
        ? CudaDevice.THREADS
        : (int) Math.min(WARP, CudaSoftmax.powerOf2(packs));
  }

  /** Cuts the elements of rows, of which only those that have a block are long enough. */
  private void split(long n, long pack, int group, long blocks) {
    if (group == CudaDevice.THREADS) {
      cut(n, pack, group * pack * LEAST_SPLIT, blocks);
    } else {
      splits = 1;
      length = n;
    }
  }

  /**
   * Cuts n elements where that gives blocks that would be missing.
   *
   * @param unit what the length of a split is a multiple of
   * @param least the least that is worth a split
   * @param blocks how many blocks there are without splits
   */
  private void cut(long n, long unit, long least, long blocks) {
    long wanted = Math.min(Math.ceilDiv(n, least), Math.ceilDiv(MANY_BLOCKS, blocks));
    length = Math.ceilDiv(Math.ceilDiv(n, Math.max(1, wanted)), unit) * unit;
    splits = n == 0 ? 1 : (int) Math.ceilDiv(n, length);
  }

  /** Scratch memory for a partial result for each split. */
  private long partial(DType type, long count) {
    long bytes = type == DType.F32 || type == DType.BF16 ? Float.BYTES : Long.BYTES;
    return device.workspace(count * splits * bytes);
  }

  private static boolean isAligned(View x, long pack) {
    return CudaBuffer.address(x) % (pack * x.dtype().bytes()) == 0;
  }

  /** {@code PACK} of kernels/common.cuh. */
  private static long pack(DType type) {
    return type.bytes() == 1 ? 8 : 16 / type.bytes();
  }
}

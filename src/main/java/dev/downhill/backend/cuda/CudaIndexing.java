package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reading and adding at places that an index names: kernels/index.cu and, for the order of
 * additions, kernels/order.cu. Indices are looked at on the device; one out of range is reported at
 * the next wait, and nothing is read or written through it.
 */
final class CudaIndexing {
  /** TILE of kernels/merge.cuh. */
  private static final long TILE = 1024;

  private final CudaDevice device;
  private final Map<DType, @Nullable CudaKernel> gathers = new EnumMap<>(DType.class);
  private final Map<DType, @Nullable CudaKernel> adders = new EnumMap<>(DType.class);
  private final IndexWalk walk = new IndexWalk();
  private @Nullable CudaKernel tiles;
  private @Nullable CudaKernel merge;

  CudaIndexing(CudaDevice device) {
    this.device = device;
  }

  /** See {@link dev.downhill.backend.Backend#gather}. */
  void gather(View x, int dim, View index, View y) {
    if (y.shape().numel() == 0) {
      return;
    }
    walk.ordered(y, x, dim, index);
    CudaKernel kernel = kernel(gathers, "gather", y.dtype());
    walk.write(kernel.struct(0));
    kernel
        .view(1, index)
        .view(2, x)
        .view(3, y)
        .i64(4, device.fault())
        .i32(5, CudaFault.ofIndex("gather", x.shape(), dim, index.shape()))
        .launch(device.blocks(walk.count() * walk.run()), CudaDevice.THREADS);
  }

  /** See {@link dev.downhill.backend.Backend#scatterAdd}. */
  void scatterAdd(View x, int dim, View index, View y) {
    if (x.shape().numel() == 0) {
      return;
    }
    walk.inLists(x, y, dim, index);
    int shift = bits(walk.length() - 1);
    int code = CudaFault.ofIndex("scatterAdd", y.shape(), dim, index.shape());
    long entries = order(index, shift, code);
    CudaKernel kernel = kernel(adders, "scatter_add", y.dtype());
    walk.write(kernel.struct(0));
    kernel.i64(1, entries).i32(2, shift).view(3, x).view(4, y);
    int columns = 1 << Math.min(bits(walk.run() - 1), bits(CudaDevice.THREADS - 1));
    int rows = CudaDevice.THREADS / columns;
    kernel.launch(
        device.blocks(Math.ceilDiv(walk.count(), rows) * CudaDevice.THREADS),
        (int) Math.min(Math.ceilDiv(walk.run(), columns), 1 << 10),
        columns,
        rows,
        0);
  }

  /** Sorts the tuples of the walk by where they point; returns where the entries are. */
  private long order(View index, int shift, int code) {
    long n = walk.length();
    long count = walk.count();
    long lists = count / n;
    if (bits(Math.multiplyExact(lists, walk.bound())) + shift >= Long.SIZE) {
      throw new AssertionError("scatterAdd: too many places for an entry of 64 bits");
    }
    long bytes = Math.ceilDiv(count * Long.BYTES, 256L) * 256;
    long entries = device.workspace(n > TILE ? 2 * bytes : bytes);
    long other = entries + bytes;
    long perTile = TILE / n;
    CudaKernel first = tiles();
    walk.write(first.struct(0));
    first
        .view(1, index)
        .i32(2, shift)
        .i32(3, (int) perTile)
        .i64(4, entries)
        .i64(5, device.fault())
        .i32(6, code)
        .launch(
            perTile > 0 ? Math.ceilDiv(lists, perTile) : lists * Math.ceilDiv(n, TILE),
            CudaDevice.THREADS);
    for (long width = TILE; width < n; width *= 2) {
      merge()
          .i64(0, entries)
          .i64(1, other)
          .i64(2, count)
          .i64(3, n)
          .i64(4, width)
          .launch(device.blocks(count), CudaDevice.THREADS);
      long sorted = other;
      other = entries;
      entries = sorted;
    }
    return entries;
  }

  /** How many bits a number of 0 or more takes. */
  private static int bits(long number) {
    return Long.SIZE - Long.numberOfLeadingZeros(number);
  }

  private CudaKernel kernel(Map<DType, @Nullable CudaKernel> kernels, String name, DType elements) {
    // Truth values are moved as the bytes they are.
    DType type = elements == DType.BOOL ? DType.U8 : elements;
    CudaKernel kernel = kernels.get(type);
    if (kernel == null) {
      kernel = device.kernel("index", type, KernelName.of(name, type));
      kernels.put(type, kernel);
    }
    return kernel;
  }

  private CudaKernel tiles() {
    CudaKernel kernel = tiles;
    if (kernel == null) {
      kernel = device.kernel("order", "order_tiles");
      tiles = kernel;
    }
    return kernel;
  }

  private CudaKernel merge() {
    CudaKernel kernel = merge;
    if (kernel == null) {
      kernel = device.kernel("order", "order_merge");
      merge = kernel;
    }
    return kernel;
  }
}

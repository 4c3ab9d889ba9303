package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;

/** Sorting along a dimension: kernels/sort.cu. */
final class CudaSort {
  /** TILE of kernels/merge.cuh. */
  private static final long TILE = 1024;

  private enum Form {
    SORT_TILES,
    SORT_MERGE,
    SORT_TAKE
  }

  private final CudaDevice device;
  private final KernelTable<Form> kernels;
  private final Lines lines = new Lines(3, false);

  CudaSort(CudaDevice device) {
    this.device = device;
    this.kernels = new KernelTable<>(device, "sort", "", Form.class);
  }

  /** See {@link dev.downhill.backend.Backend#sort}. */
  void sort(View x, int dim, boolean descending, View values, View indices) {
    long count = x.shape().numel();
    if (count == 0) {
      return;
    }
    lines.clear();
    for (int d = 0; d < x.shape().rank(); d++) {
      if (d != dim) {
        lines.add(
            x.shape().size(d),
            x.layout().stride(d),
            values.layout().stride(d),
            indices.layout().stride(d),
            0,
            0);
      }
    }
    lines.merge();
    long n = x.shape().size(dim);
    // Truth values are ordered as the bytes they are.
    DType type = x.dtype() == DType.BOOL ? DType.U8 : x.dtype();
    long entries = entries(type, x, x.layout().stride(dim), n, descending);
    CudaKernel kernel = kernels.get(Form.SORT_TAKE, type);
    lines.write(kernel.struct(0));
    kernel
        .i64(1, entries)
        .view(2, x)
        .i64(3, x.layout().stride(dim))
        .view(4, values)
        .i64(5, values.layout().stride(dim))
        .view(6, indices)
        .i64(7, indices.layout().stride(dim))
        .i64(8, n)
        .launch(device.blocks(count), CudaDevice.THREADS);
  }

  /** Sorts the elements of each line by way of entries; returns where these are. */
  private long entries(DType type, View x, long stride, long n, boolean descending) {
    long count = lines.count() * n;
    // A key and a place of 32 bits each, or of 64 for types of that size.
    int each = type.bytes() == Long.BYTES ? 2 * Long.BYTES : 2 * Integer.BYTES;
    assert each > Long.BYTES || n <= 1L << Integer.SIZE : n;
    long bytes = Math.ceilDiv(count * each, 256L) * 256;
    long entries = device.workspace(n > TILE ? 2 * bytes : bytes);
    long other = entries + bytes;
    long perTile = TILE / n;
    CudaKernel tiles = kernels.get(Form.SORT_TILES, type);
    lines.write(tiles.struct(0));
    tiles
        .view(1, x)
        .i64(2, stride)
        .i64(3, n)
        .i32(4, descending ? 1 : 0)
        .i32(5, (int) perTile)
        .i64(6, entries)
        .launch(
            perTile > 0
                ? Math.ceilDiv(lines.count(), perTile)
                : lines.count() * Math.ceilDiv(n, TILE),
            CudaDevice.THREADS);
    for (long width = TILE; width < n; width *= 2) {
      kernels
          .get(Form.SORT_MERGE, type)
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
}

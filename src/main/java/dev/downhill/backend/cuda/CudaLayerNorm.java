package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import org.jspecify.annotations.Nullable;

/** Layer normalisation over the last dimension: kernels/layer_norm.cu. */
final class CudaLayerNorm {
  private static final int PACK_BYTES = 16;
  private static final int WARP = 32;

  /** Packs that a lane has of a row before it gets a block in place of a warp. */
  private static final int PACKS_OF_A_LANE = 8;

  /**
   * Lanes that are busy at once on a large device; shares of weights are no more than they need.
   */
  private static final long MANY_LANES = 1 << 16;

  /** Rows of a team at least. */
  private static final long LEAST_ROWS = 4;

  /** Columns of dweight and dbias of a block, as in the kernel. */
  private static final int COLUMNS = 32;

  private enum Form {
    LAYER_NORM,
    LAYER_NORM_BACKWARD,
    LAYER_NORM_FINISH
  }

  private final CudaDevice device;
  private final KernelTable<Form> kernels;
  private final Lines two = new Lines(2, false);
  private final Lines three = new Lines(3, false);

  CudaLayerNorm(CudaDevice device) {
    this.device = device;
    this.kernels = new KernelTable<>(device, "layer_norm", "", Form.class);
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
    if (rstd.shape().numel() == 0) {
      return;
    }
    Lines rows = two.clear();
    for (int d = 0; d < x.shape().rank() - 1; d++) {
      rows.add(x.shape().size(d), x.layout().stride(d), y.layout().stride(d));
    }
    rows.merge();
    long n = CudaSoftmax.length(x);
    int group = group(x.dtype(), n);
    boolean vector =
        CudaSoftmax.isVector(x, rows, 0)
            && CudaSoftmax.isVector(y, rows, 1)
            && isVector(weight)
            && isVector(bias);
    CudaKernel kernel = kernels.get(Form.LAYER_NORM, x.dtype());
    rows.write(kernel.struct(0));
    kernel
        .view(1, x)
        .i64(2, address(weight))
        .i64(3, address(bias))
        .view(4, y)
        .i64(5, address(mean))
        .view(6, rstd)
        .i64(7, n)
        .i64(8, CudaSoftmax.stride(x))
        .i64(9, stride(weight))
        .i64(10, stride(bias))
        .i64(11, CudaSoftmax.stride(y))
        .f64(12, eps)
        .i32(13, vector ? 1 : 0)
        .i32(14, group)
        .launch(CudaSoftmax.blocks(rows.count(), group), CudaDevice.THREADS);
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
    Lines rows = three.clear();
    for (int d = 0; d < x.shape().rank() - 1; d++) {
      long dxStride = dx == null ? 0 : dx.layout().stride(d);
      rows.add(x.shape().size(d), x.layout().stride(d), dy.layout().stride(d), dxStride, 0, 0);
    }
    rows.merge();
    long n = CudaSoftmax.length(x);
    int group = group(x.dtype(), n);
    long count = rows.count();
    long each = Math.max(LEAST_ROWS, Math.ceilDiv(count, MANY_LANES / group));
    long teams = Math.ceilDiv(count, each);
    int wide = x.dtype() == DType.F64 ? Double.BYTES : Float.BYTES;
    long shares = device.workspace(Math.max(1, 2 * n * teams * wide));
    if (count * n > 0) {
      boolean vector =
          CudaSoftmax.isVector(x, rows, 0)
              && CudaSoftmax.isVector(dy, rows, 1)
              && (dx == null || CudaSoftmax.isVector(dx, rows, 2))
              && isVector(weight);
      CudaKernel kernel = kernels.get(Form.LAYER_NORM_BACKWARD, x.dtype());
      rows.write(kernel.struct(0));
      kernel
          .view(1, x)
          .view(2, dy)
          .i64(3, address(weight))
          .i64(4, address(mean))
          .view(5, rstd)
          .i64(6, address(dx))
          .i64(7, shares)
          .i64(8, n)
          .i64(9, CudaSoftmax.stride(x))
          .i64(10, CudaSoftmax.stride(dy))
          .i64(11, stride(weight))
          .i64(12, stride(dx))
          .i64(13, each)
          .i32(14, vector ? 1 : 0)
          .i32(15, group)
          .launch(CudaSoftmax.blocks(teams, group), CudaDevice.THREADS);
    }
    if (n > 0 && (dweight != null || dbias != null)) {
      kernels
          .get(Form.LAYER_NORM_FINISH, x.dtype())
          .i64(0, shares)
          .i64(1, teams)
          .i64(2, n)
          .i64(3, address(dweight))
          .i64(4, stride(dweight))
          .i64(5, address(dbias))
          .i64(6, stride(dbias))
          .launch(Math.ceilDiv(2 * n, COLUMNS), CudaDevice.THREADS);
    }
  }

  private static long address(@Nullable View view) {
    return view == null ? 0 : CudaBuffer.address(view);
  }

  private static long stride(@Nullable View view) {
    return view == null ? 0 : CudaSoftmax.stride(view);
  }

  /** Whether a row of its own can be read in packs. */
  private static boolean isVector(@Nullable View row) {
    return row == null
        || (CudaSoftmax.stride(row) == 1 && CudaBuffer.address(row) % PACK_BYTES == 0);
  }

  /** How many threads do a row: a part of a warp, or a block. */
  private static int group(DType type, long n) {
    long packs = Math.ceilDiv(n, PACK_BYTES / type.bytes());
    return packs > PACKS_OF_A_LANE * WARP
        ? CudaDevice.THREADS
        : (int) Math.min(WARP, CudaSoftmax.powerOf2(packs));
  }
}

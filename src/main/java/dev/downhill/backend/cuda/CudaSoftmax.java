package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;

/** Softmax over the last dimension, and the cross-entropy of class indices: kernels/softmax.cu. */
final class CudaSoftmax {
  // As in the kernels.
  private static final int PACK_BYTES = 16;
  private static final int HELD_BYTES = 128;

  /** Dynamic shared memory that every device has, less what the kernels have besides. */
  private static final long SHARED_BYTES = 47 << 10;

  private enum Form {
    SOFTMAX_GROUP,
    SOFTMAX_BLOCK,
    SOFTMAX_BACKWARD_GROUP,
    SOFTMAX_BACKWARD_BLOCK,
    CROSS_ENTROPY_GROUP,
    CROSS_ENTROPY_BLOCK,
    CROSS_ENTROPY_BACKWARD
  }

  private final CudaDevice device;
  private final KernelTable<Form> kernels;
  private final Lines two = new Lines(2, false);
  private final Lines three = new Lines(3, false);
  private final Lines four = new Lines(4, false);
  private final Lines five = new Lines(5, false);

  CudaSoftmax(CudaDevice device) {
    this.device = device;
    this.kernels = new KernelTable<>(device, "softmax", "", Form.class);
  }

  /** See {@link dev.downhill.backend.Backend#softmax}. */
  void softmax(View x, boolean log, View y) {
    if (x.shape().numel() == 0) {
      return;
    }
    Lines rows = two.clear();
    for (int d = 0; d < x.shape().rank() - 1; d++) {
      rows.add(x.shape().size(d), x.layout().stride(d), y.layout().stride(d));
    }
    rows.merge();
    boolean vector = isVector(x, rows, 0) && isVector(y, rows, 1);
    long n = length(x);
    int group = group(x.dtype(), n);
    CudaKernel kernel = kernels.get(group > 0 ? Form.SOFTMAX_GROUP : Form.SOFTMAX_BLOCK, x.dtype());
    rows.write(kernel.struct(0));
    kernel
        .view(1, x)
        .view(2, y)
        .i64(3, n)
        .i64(4, stride(x))
        .i64(5, stride(y))
        .i32(6, vector ? 1 : 0)
        .i32(7, log ? 1 : 0);
    launch(kernel, 8, rows.count(), group, PACK_BYTES * packs(x.dtype(), n));
  }

  /** See {@link dev.downhill.backend.Backend#softmaxBackward}. */
  void softmaxBackward(View y, View dy, boolean log, View dx) {
    if (y.shape().numel() == 0) {
      return;
    }
    Lines rows = three.clear();
    for (int d = 0; d < y.shape().rank() - 1; d++) {
      long dxStride = dx.layout().stride(d);
      rows.add(y.shape().size(d), y.layout().stride(d), dy.layout().stride(d), dxStride, 0, 0);
    }
    rows.merge();
    boolean vector = isVector(y, rows, 0) && isVector(dy, rows, 1) && isVector(dx, rows, 2);
    long n = length(y);
    int group = group(y.dtype(), n);
    CudaKernel kernel =
        kernels.get(
            group > 0 ? Form.SOFTMAX_BACKWARD_GROUP : Form.SOFTMAX_BACKWARD_BLOCK, y.dtype());
    rows.write(kernel.struct(0));
    kernel
        .view(1, y)
        .view(2, dy)
        .view(3, dx)
        .i64(4, n)
        .i64(5, stride(y))
        .i64(6, stride(dy))
        .i64(7, stride(dx))
        .i32(8, vector ? 1 : 0)
        .i32(9, log ? 1 : 0);
    launch(kernel, 10, rows.count(), group, 2 * PACK_BYTES * packs(y.dtype(), n));
  }

  /** Puts the last parameter, the group or whether a row is kept in shared memory, and launches. */
  private static void launch(CudaKernel kernel, int last, long rows, int group, long rowBytes) {
    if (group > 0) {
      kernel.i32(last, group).launch(blocks(rows, group), CudaDevice.THREADS);
    } else {
      boolean keep = rowBytes <= SHARED_BYTES;
      kernel
          .i32(last, keep ? 1 : 0)
          .launch(rows, 1, CudaDevice.THREADS, 1, keep ? (int) rowBytes : 0);
    }
  }

  /** See {@link dev.downhill.backend.Backend#crossEntropy}. */
  void crossEntropy(View x, View target, long ignore, View y, View z) {
    if (target.shape().numel() == 0) {
      return;
    }
    Lines rows = four.clear();
    for (int d = 0; d < target.shape().rank(); d++) {
      rows.add(
          target.shape().size(d),
          x.layout().stride(d),
          target.layout().stride(d),
          y.layout().stride(d),
          z.layout().stride(d),
          0);
    }
    rows.merge();
    long n = length(x);
    int group = group(x.dtype(), n);
    CudaKernel kernel =
        kernels.get(group > 0 ? Form.CROSS_ENTROPY_GROUP : Form.CROSS_ENTROPY_BLOCK, x.dtype());
    rows.write(kernel.struct(0));
    kernel
        .view(1, x)
        .view(2, target)
        .view(3, y)
        .view(4, z)
        .i64(5, n)
        .i64(6, stride(x))
        .i64(7, ignore)
        .i32(8, isVector(x, rows, 0) ? 1 : 0)
        .i64(9, device.fault())
        .i32(10, CudaFault.ofClass(target.shape(), ignore));
    if (group > 0) {
      kernel.i32(11, group).launch(blocks(rows.count(), group), CudaDevice.THREADS);
    } else {
      kernel.launch(rows.count(), CudaDevice.THREADS);
    }
  }

  /** See {@link dev.downhill.backend.Backend#crossEntropyBackward}. */
  void crossEntropyBackward(View x, View target, long ignore, View z, View dy, View dx) {
    if (x.shape().numel() == 0) {
      return;
    }
    Lines rows = five.clear();
    for (int d = 0; d < target.shape().rank(); d++) {
      rows.add(
          target.shape().size(d),
          x.layout().stride(d),
          target.layout().stride(d),
          z.layout().stride(d),
          dy.layout().stride(d),
          dx.layout().stride(d));
    }
    rows.merge();
    boolean vector = isVector(x, rows, 0) && isVector(dx, rows, 4);
    long n = length(x);
    int group = (int) Math.min(CudaDevice.THREADS, powerOf2(packs(x.dtype(), n)));
    CudaKernel kernel = kernels.get(Form.CROSS_ENTROPY_BACKWARD, x.dtype());
    rows.write(kernel.struct(0));
    kernel
        .view(1, x)
        .view(2, target)
        .view(3, z)
        .view(4, dy)
        .view(5, dx)
        .i64(6, n)
        .i64(7, stride(x))
        .i64(8, stride(dx))
        .i64(9, ignore)
        .i32(10, vector ? 1 : 0)
        .i32(11, group)
        .launch(blocks(rows.count(), group), CudaDevice.THREADS);
  }

  static long length(View x) {
    int rank = x.shape().rank();
    return rank == 0 ? 1 : x.shape().size(rank - 1);
  }

  static long stride(View x) {
    Layout layout = x.layout();
    int rank = layout.shape().rank();
    return rank == 0 ? 1 : layout.stride(rank - 1);
  }

  /** Whether all rows of a view can be read in packs. */
  static boolean isVector(View x, Lines rows, int view) {
    return stride(x) == 1
        && CudaBuffer.address(x) % PACK_BYTES == 0
        && rows.isAligned(view, PACK_BYTES / x.dtype().bytes());
  }

  private static long packs(DType type, long n) {
    return Math.ceilDiv(n, PACK_BYTES / type.bytes());
  }

  /** How many lanes hold a row, or 0 if it is too long for a warp. */
  private static int group(DType type, long n) {
    long held = HELD_BYTES / (type == DType.F64 ? Double.BYTES : Float.BYTES);
    return n > 32 * held ? 0 : (int) Math.min(32, powerOf2(packs(type, n)));
  }

  /** The least power of two that is not below n, 1 or more. */
  static long powerOf2(long n) {
    return n <= 1 ? 1 : Long.highestOneBit(n - 1) << 1;
  }

  /** How many blocks do so many units with groups of threads. */
  static long blocks(long units, int group) {
    return Math.ceilDiv(units, CudaDevice.THREADS / group);
  }
}

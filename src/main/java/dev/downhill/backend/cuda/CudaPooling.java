package dev.downhill.backend.cuda;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The largest elements of windows: kernels/window.cu. */
final class CudaPooling {
  private final CudaDevice device;
  private final Map<DType, @Nullable CudaKernel> forward = new EnumMap<>(DType.class);
  private final Map<DType, @Nullable CudaKernel> backward = new EnumMap<>(DType.class);

  CudaPooling(CudaDevice device) {
    this.device = device;
  }

  /** See {@link dev.downhill.backend.Backend#maxPool}. */
  void maxPool(View x, Slide rows, Slide columns, View y, View indices) {
    assert y.layout().isContiguous() && indices.layout().isContiguous();
    long count = y.shape().numel();
    if (count == 0) {
      return;
    }
    CudaKernel kernel = kernel(forward, "max_pool", x.dtype());
    WindowArguments.write(kernel.struct(0), count, x, x.shape().size(1), x, y, rows, columns);
    kernel
        .i64(1, count)
        .view(2, x)
        .view(3, y)
        .view(4, indices)
        .launch(device.blocks(count), CudaDevice.THREADS);
  }

  /** See {@link dev.downhill.backend.Backend#maxPoolBackward}. */
  void maxPoolBackward(View dy, View indices, Slide rows, Slide columns, View dx) {
    assert dx.layout().isContiguous() && indices.layout().isContiguous();
    long count = dx.shape().numel();
    if (count == 0) {
      return;
    }
    CudaKernel kernel = kernel(backward, "max_pool_backward", dx.dtype());
    WindowArguments.write(kernel.struct(0), count, dy, dx.shape().size(1), dx, dy, rows, columns);
    kernel
        .i64(1, count)
        .view(2, dy)
        .view(3, indices)
        .view(4, dx)
        .launch(device.blocks(count), CudaDevice.THREADS);
  }

  private CudaKernel kernel(Map<DType, @Nullable CudaKernel> kernels, String name, DType type) {
    CudaKernel kernel = kernels.get(type);
    if (kernel == null) {
      kernel = device.kernel("window", type, KernelName.of(name, type));
      kernels.put(type, kernel);
    }
    return kernel;
  }
}

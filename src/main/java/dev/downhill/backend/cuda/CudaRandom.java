package dev.downhill.backend.cuda;

import dev.downhill.backend.Draw;
import dev.downhill.backend.Philox;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Random elements: kernels/random.cu. */
final class CudaRandom {
  private final CudaDevice device;
  private final Map<DType, @Nullable CudaKernel> kernels = new EnumMap<>(DType.class);
  private final Walk walk = new Walk(1);

  CudaRandom(CudaDevice device) {
    this.device = device;
  }

  /** See {@link dev.downhill.backend.Backend#random}. */
  void random(Draw draw, long seed, long stream, View base, long offset, double p, View y) {
    if (y.shape().numel() == 0) {
      return;
    }
    CudaKernel kernel = kernels.get(y.dtype());
    if (kernel == null) {
      kernel = device.kernel("random", y.dtype(), KernelName.of("random", y.dtype()));
      kernels.put(y.dtype(), kernel);
    }
    walk.of(y).write(kernel.struct(0));
    kernel
        .i64(1, seed)
        .i64(2, stream)
        .view(3, base)
        .i64(4, offset)
        .i32(5, draw == Draw.NORMAL ? 1 : 0)
        .i64(6, draw == Draw.BERNOULLI ? Philox.threshold(p) : 0)
        .view(7, y)
        .launch(device.blocks(walk.numel()), CudaDevice.THREADS);
  }
}

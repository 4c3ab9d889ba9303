package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Norm and scaling of many tensors as one vector: kernels/norm.cu. A launch takes up to {@link
 * #SLICES} tensors of one type, listed in its arguments.
 */
final class CudaNorm {
  private static final DType[] TYPES = {DType.F32, DType.F64, DType.BF16};

  // As in the kernel.
  private static final long CHUNK = 16384;
  private static final int SLICES = 64;

  private final CudaDevice device;
  private final Map<DType, @Nullable CudaKernel> parts = new EnumMap<>(DType.class);
  private final Map<DType, @Nullable CudaKernel> finishes = new EnumMap<>(DType.class);
  private final Map<DType, @Nullable CudaKernel> scales = new EnumMap<>(DType.class);

  /** The chunks of the tensors that {@link #fill} listed last. */
  private long listed;

  CudaNorm(CudaDevice device) {
    this.device = device;
  }

  /** See {@link dev.downhill.backend.Backend#norm}. */
  void norm(double p, List<View> xs, View y) {
    int power = p == Double.POSITIVE_INFINITY ? 0 : (int) p;
    long all = 0;
    for (int i = 0; i < xs.size(); i++) {
      all += chunks(xs.get(i));
    }
    long results = device.workspace(Math.max(1, all) * Double.BYTES);
    long done = 0;
    for (DType type : TYPES) {
      for (int i = next(type, xs, 0); i < xs.size(); i = next(type, xs, i)) {
        CudaKernel kernel = kernel(parts, "norm_part", type);
        i = fill(kernel.struct(0), type, xs, i);
        kernel.i32(1, power).i64(2, results + Double.BYTES * done);
        launch(kernel);
        done += listed;
      }
    }
    kernel(finishes, "norm_finish", DType.F32)
        .i64(0, results)
        .i64(1, all)
        .i32(2, power)
        .view(3, y)
        .launch(1, CudaDevice.THREADS);
  }

  /** See {@link dev.downhill.backend.Backend#scale}. */
  void scale(View factor, List<View> xs) {
    for (DType type : TYPES) {
      for (int i = next(type, xs, 0); i < xs.size(); i = next(type, xs, i)) {
        CudaKernel kernel = kernel(scales, "norm_scale", type);
        i = fill(kernel.struct(0), type, xs, i);
        kernel.view(1, factor);
        launch(kernel);
      }
    }
  }

  private void launch(CudaKernel kernel) {
    kernel.launch(device.blocks(listed * CudaDevice.THREADS), CudaDevice.THREADS);
  }

  private static long chunks(View x) {
    assert x.layout().isContiguous() : x;
    return Math.ceilDiv(x.shape().numel(), CHUNK);
  }

  /** The first tensor of a type with elements, from {@code i} on. */
  private static int next(DType type, List<View> xs, int i) {
    while (i < xs.size() && (xs.get(i).dtype() != type || xs.get(i).shape().numel() == 0)) {
      i++;
    }
    return i;
  }

  /** Lists tensors of a type, from {@code i} on, and returns how far it came. */
  private int fill(MemorySegment slices, DType type, List<View> xs, int i) {
    int count = 0;
    listed = 0;
    for (; count < SLICES && i < xs.size(); i = next(type, xs, i + 1)) {
      View x = xs.get(i);
      set(slices, 2 + count, CudaBuffer.address(x));
      set(slices, 2 + SLICES + count, x.shape().numel());
      set(slices, 2 + 2 * SLICES + count, listed);
      listed += chunks(x);
      count++;
    }
    set(slices, 0, count);
    set(slices, 1, listed);
    return i;
  }

  private static void set(MemorySegment slices, long field, long value) {
    slices.set(ValueLayout.JAVA_LONG, Long.BYTES * field, value);
  }

  private CudaKernel kernel(Map<DType, @Nullable CudaKernel> kernels, String name, DType type) {
    CudaKernel kernel = kernels.get(type);
    if (kernel == null) {
      kernel = device.kernel("norm", type, KernelName.of(name, type));
      kernels.put(type, kernel);
    }
    return kernel;
  }
}

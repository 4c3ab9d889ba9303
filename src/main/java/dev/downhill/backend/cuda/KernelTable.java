package dev.downhill.backend.cuda;

import dev.downhill.shape.DType;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The kernels of one form of a typed family, found by operator and type without allocating: the
 * entries {@code <op>[_<form>]_<type>} of the modules {@code <family>_<type>}.
 */
final class KernelTable<E extends Enum<E>> {
  private final CudaDevice device;
  private final String family;
  private final String form;
  private final Map<DType, EnumMap<E, CudaKernel>> kernels = new EnumMap<>(DType.class);

  KernelTable(CudaDevice device, String family, String form, Class<E> ops) {
    this.device = device;
    this.family = family;
    this.form = form;
    for (DType type : DType.values()) {
      kernels.put(type, new EnumMap<>(ops));
    }
  }

  /** The kernel of an operator; loaded on first use. */
  CudaKernel get(E op, DType type) {
    EnumMap<E, CudaKernel> ofType = Objects.requireNonNull(kernels.get(type));
    @Nullable CudaKernel kernel = ofType.get(op);
    if (kernel == null) {
      kernel = device.kernel(family, type, KernelName.of(op, form, type));
      ofType.put(op, kernel);
    }
    return kernel;
  }
}

package dev.downhill.backend.cuda;

import dev.downhill.shape.DType;
import java.util.Locale;

/**
 * How the modules and entries of {@code kernels/*.cu} are called: the one place that spells them.
 */
final class KernelName {
  private KernelName() {}

  /** {@code gelu}, f32: {@code gelu_f32}; {@code copy}, f32, i64: {@code copy_f32_i64}. */
  static String of(String name, DType... types) {
    StringBuilder text = new StringBuilder(name);
    for (DType type : types) {
      text.append('_').append(type.suffix());
    }
    return text.toString();
  }

  /** {@code GELU_TANH}, "backward", f32: {@code gelu_tanh_backward_f32}; form may be empty. */
  static String of(Enum<?> op, String form, DType... types) {
    String name = op.name().toLowerCase(Locale.ROOT);
    return of(form.isEmpty() ? name : name + "_" + form, types);
  }
}

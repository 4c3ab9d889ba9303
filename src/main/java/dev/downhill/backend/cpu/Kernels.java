package dev.downhill.backend.cpu;

import dev.downhill.shape.DType;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

/**
 * The kernels of a family of formulas, each made on first use.
 *
 * @param <K> what tells the formulas apart
 */
@SuppressWarnings("EnumOrdinal") // one array look-up on the way of every small operator
final class Kernels<K extends Enum<K>> {
  private static final int TYPES = DType.values().length;

  private final Function<K, Formula> formulas;
  private final AtomicReferenceArray<Kernel> made;

  Kernels(Class<K> keys, Function<K, Formula> formulas) {
    this.formulas = formulas;
    this.made = new AtomicReferenceArray<>(keys.getEnumConstants().length * TYPES * TYPES);
  }

  /** The kernel for operands of type {@code in} and results of type {@code out}. */
  Kernel get(K key, DType in, DType out) {
    int at = (key.ordinal() * TYPES + in.ordinal()) * TYPES + out.ordinal();
    Kernel known = made.get(at);
    if (known == null) {
      known = make(formulas.apply(key), in, out);
      made.set(at, known);
    }
    return known;
  }

  private static Kernel make(Formula formula, DType in, DType out) {
    Element element = ElementCompiler.compile(formula, in, out);
    Kernel scalar =
        HiddenClass.copy(ScalarKernel.class, Kernel.class, new ScalarKernel.Code(element, in, out));
    boolean vectors = in == DType.F32 && out == DType.F32 && Formula.hasVectorForm(formula);
    return vectors && Simd.AVAILABLE ? new VectorKernel(formula, scalar) : scalar;
  }
}

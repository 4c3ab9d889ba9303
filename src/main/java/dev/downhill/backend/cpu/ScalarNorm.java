package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;

/**
 * {@link NormKernel} for {@code bf16}, and for the other types where there is no Vector API. A
 * template for {@link HiddenClass#copy}.
 */
final class ScalarNorm implements NormKernel {
  private static final Case CASE = HiddenClass.constant(MethodHandles.lookup(), Case.class);

  ScalarNorm() {}

  @Override
  public double part(MemorySegment x, long at, int n, double[] lanes) {
    Arrays.fill(lanes, 0);
    CASE.add(x, at, 0, n, lanes);
    return CASE.fold(lanes);
  }

  @Override
  public void scale(MemorySegment x, long at, int n, double factor) {
    CASE.scale(x, at, n, factor);
  }
}

package dev.downhill.tensor;

import dev.downhill.shape.DType;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Elements put in another order along dimensions: turned round, moved on. */
final class Rearranging {
  private Rearranging() {}

  /**
   * Turned round along dimensions: element i becomes element n - 1 - i. dx = dy turned round
   * likewise.
   *
   * @param dims each at most once; none leaves the order as it is
   */
  static Tensor flip(Tensor x, int... dims) {
    Op op = Op.of("flip", x);
    boolean[] turn = new boolean[Math.max(1, x.dim())];
    for (int dim : dims) {
      int d = x.shape().dim("flip", dim);
      if (turn[d]) {
        throw op.refuse("expected each dimension at most once, got " + Arrays.toString(dims));
      }
      turn[d] = true;
    }
    try (Scope scope = Scope.internal()) {
      Tensor y = x.detach();
      for (int d = 0; d < x.dim(); d++) {
        if (turn[d] && x.size(d) > 1) {
          long n = x.size(d);
          y = y.indexSelect(d, Tensor.arange(x.device(), DType.I64, n).rsub(n - 1.0));
        }
      }
      Tensor turned = y.storage() == x.storage() ? Conversion.copy(y) : y;
      int[] same = dims.clone();
      return scope.keep(op.record(turned, p -> p.dy().flip(same)));
    }
  }

  /**
   * Moved on along dimensions: element i becomes element (i + shift) mod n. dx = dy moved back.
   *
   * @param shifts how far, of either sign and any size; one or more, as many as {@code dims}
   * @param dims which dimensions, one after the other; null moves the elements of all rows as one,
   *     by one shift
   */
  static Tensor roll(Tensor x, long[] shifts, int @Nullable [] dims) {
    Op op = Op.of("roll", x);
    if (shifts.length == 0 || shifts.length != (dims == null ? 1 : dims.length)) {
      throw op.refuse(
          "expected a shift for each dimension, or one without dimensions, got %s and %s"
              .formatted(Arrays.toString(shifts), Arrays.toString(dims)));
    }
    long[] sizes = x.shape().toArray();
    try (Scope scope = Scope.internal()) {
      if (dims == null) {
        return scope.keep(along(x.reshape(x.numel()), 0, shifts[0]).reshape(sizes));
      }
      Tensor y = x.dim() == 0 ? x.reshape(1) : x;
      for (int i = 0; i < dims.length; i++) {
        y = along(y, x.shape().dim("roll", dims[i]), shifts[i]);
      }
      return scope.keep(x.dim() == 0 ? y.reshape() : y);
    }
  }

  private static Tensor along(Tensor x, int dim, long shift) {
    long n = x.size(dim);
    long moved = n == 0 ? 0 : Math.floorMod(shift, n);
    return Tensor.cat(List.of(x.narrow(dim, n - moved, moved), x.narrow(dim, 0, n - moved)), dim);
  }
}

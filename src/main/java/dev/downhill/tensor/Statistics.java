package dev.downhill.tensor;

import dev.downhill.backend.Reduce;
import org.jspecify.annotations.Nullable;

/** How far elements are spread, and how large they are: variance, standard deviation, norms. */
final class Statistics {
  private Statistics() {}

  /**
   * y = Σ (x - mean)² / max(0, n - correction) over {@code dims}; NaN for one element with
   * correction 1. dx = dy 2 (x - mean) / max(0, n - correction).
   *
   * @param dims which dimensions, null for all
   * @param correction 1 for the unbiased estimate, 0 for the mean square deviation
   */
  static Tensor var(Tensor x, int @Nullable [] dims, double correction, boolean keepdim) {
    Op op = Op.of("var", x).floating().saving(x);
    Reduction.Dims d = Reduction.Dims.of("var", x.shape(), dims);
    double n = Math.max(0, d.count() - correction);
    try (Scope scope = Scope.internal()) {
      Tensor y;
      try (Autograd.Mode _ = Autograd.noGrad()) {
        y = centred(x, dims).square().sum(dims, keepdim).div(n);
      }
      return scope.keep(op.record(y, p -> spread(p.saved(0), d.keep(p.dy()).mul(2), dims, n)));
    }
  }

  /**
   * y = the square root of {@link #var}; dx = dy (x - mean) / (max(0, n - correction) y), 0 where y
   * is 0.
   */
  static Tensor std(Tensor x, int @Nullable [] dims, double correction, boolean keepdim) {
    Op op = Op.of("std", x).floating();
    Reduction.Dims d = Reduction.Dims.of("std", x.shape(), dims);
    double n = Math.max(0, d.count() - correction);
    try (Scope scope = Scope.internal()) {
      Tensor y;
      try (Autograd.Mode _ = Autograd.noGrad()) {
        y = var(x, dims, correction, keepdim).sqrt();
      }
      return scope.keep(
          op.saving(x, y)
              .record(
                  y, p -> spread(p.saved(0), d.keep(p.dy().div(divisor(p.saved(1)))), dims, n)));
    }
  }

  private static Tensor centred(Tensor x, int @Nullable [] dims) {
    return x.sub(x.mean(dims, true));
  }

  /** The mean is computed anew, so that second derivatives go through it. */
  private static Tensor spread(Tensor x, Tensor dy, int @Nullable [] dims, double n) {
    return centred(x, dims).mul(dy).div(n);
  }

  /** y, and infinity for 0: what is divided by it becomes 0 there. */
  private static Tensor divisor(Tensor y) {
    return y.maskedFill(y.eq(0), Double.POSITIVE_INFINITY);
  }

  /**
   * The p-norm over {@code dims}; 0 over nothing.
   *
   * <p>p = 1: y = Σ |x|, dx = dy sign(x). p = 2: y = √Σ x², dx = dy x / y, 0 where y is 0. p =
   * infinity: y = max |x|, dx = dy sign(x), shared equally among the elements that attain it, 0
   * where y is 0.
   *
   * @param p 1, 2 or infinity
   * @param dims which dimensions, null for all
   */
  static Tensor norm(Tensor x, double p, int @Nullable [] dims, boolean keepdim) {
    Op op = Op.of("norm", x).floating();
    Reduction.Dims d = Reduction.Dims.of("norm", x.shape(), dims);
    try (Scope scope = Scope.internal()) {
      if (p == 2) {
        return scope.keep(euclidean(op, x, dims, d, keepdim));
      }
      if (p == 1 || (p == Double.POSITIVE_INFINITY && d.count() == 0)) {
        return scope.keep(x.abs().sum(dims, keepdim));
      }
      if (p == Double.POSITIVE_INFINITY) {
        return scope.keep(Extremum.of(Reduce.MAX, x.abs(), dims, keepdim));
      }
      throw new IllegalArgumentException(
          "norm: expected p of 1, 2 or infinity, got %s (shape %s)".formatted(p, x.shape()));
    }
  }

  private static Tensor euclidean(
      Op op, Tensor x, int @Nullable [] dims, Reduction.Dims d, boolean keepdim) {
    Tensor y;
    try (Autograd.Mode _ = Autograd.noGrad()) {
      y = x.square().sum(dims, keepdim).sqrt();
    }
    return op.saving(x, y).record(y, p -> p.saved(0).mul(d.keep(p.dy().div(divisor(p.saved(1))))));
  }
}

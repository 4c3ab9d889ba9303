package dev.downhill.tensor;

import dev.downhill.backend.Reduce;
import dev.downhill.shape.Layout;
import org.jspecify.annotations.Nullable;

/**
 * Softmax, its logarithm, and the logarithm of the sum that both divide by. The largest element is
 * subtracted first, so that e^x does not overflow.
 */
public final class Softmax {
  private Softmax() {}

  /**
   * y = e^x / Σ e^x along a dimension; an element of -infinity has probability 0. Saves y.
   *
   * <p>dx = y (dy - Σ dy y).
   */
  public static Tensor softmax(Tensor x, int dim) {
    return apply("softmax", x, dim, false);
  }

  /**
   * y = x - log Σ e^x along a dimension: more exact than the logarithm of {@link #softmax}. Saves
   * y.
   *
   * <p>dx = dy - e^y Σ dy.
   */
  public static Tensor logSoftmax(Tensor x, int dim) {
    return apply("logSoftmax", x, dim, true);
  }

  private static Tensor apply(String name, Tensor x, int dim, boolean log) {
    Op op = Op.of(name, x).floating();
    int d = x.shape().dim(name, dim);
    Tensor y = op.output(x.shape());
    op.device().run(b -> b.softmax(x.view().with(last(x, d)), log, y.view().with(last(y, d))));
    return op.saving(y).record(y, p -> derivative(p, d, log));
  }

  /** x's layout with dimension {@code dim} last, where the backend works. */
  private static Layout last(Tensor x, int dim) {
    Layout layout = x.layout();
    return x.dim() == 0 ? layout.unsqueeze(0) : layout.transpose(dim, x.dim() - 1);
  }

  private static Tensor derivative(Rule.Pull p, int dim, boolean log) {
    Tensor y = p.saved(0);
    Tensor dy = p.dy();
    if (p.createGraph()) {
      return composed(y, dy, dim, log);
    }
    Tensor dx = Tensor.empty(y.device(), y.dtype(), y.shape());
    dx.device()
        .run(
            b ->
                b.softmaxBackward(
                    y.view().with(last(y, dim)),
                    dy.view().with(last(dy, dim)),
                    log,
                    dx.view().with(last(dx, dim))));
    return dx;
  }

  /** What the derivative kernel is held to. */
  private static Tensor composed(Tensor y, Tensor dy, int dim, boolean log) {
    int[] along = {dim};
    return log
        ? dy.sub(y.exp().mul(dy.sum(along, true)))
        : y.mul(dy.sub(dy.mul(y).sum(along, true)));
  }

  /**
   * y = log Σ e^x over {@code dims}: -infinity for elements of -infinity alone and for nothing,
   * infinity if one is. dx = dy e^(x - y), 0 where y is -infinity.
   *
   * @param dims which dimensions, null for all
   */
  static Tensor logsumexp(Tensor x, int @Nullable [] dims, boolean keepdim) {
    Op op = Op.of("logsumexp", x).floating();
    Reduction.Dims d = Reduction.Dims.of("logsumexp", x.shape(), dims);
    try (Scope scope = Scope.internal()) {
      Tensor y;
      try (Autograd.Mode _ = Autograd.noGrad()) {
        Tensor shift = shift(op, x, d);
        y = x.sub(shift).exp().sum(dims, true).log().add(shift);
        y = y.reshape(d.shape(keepdim).toArray());
      }
      return scope.keep(
          op.saving(x, y)
              .record(y, p -> d.keep(p.dy()).mul(shares(p.saved(0), d.keep(p.saved(1))))));
    }
  }

  private static Tensor shares(Tensor x, Tensor y) {
    return x.sub(y.maskedFill(y.eq(Double.NEGATIVE_INFINITY), 0)).exp();
  }

  /** The largest element, which keeps e^x from overflowing; 0 where that is infinite. */
  private static Tensor shift(Op op, Tensor x, Reduction.Dims d) {
    if (d.count() == 0) {
      return Tensor.zeros(x.device(), x.dtype());
    }
    Tensor largest = Reduction.reduce(op, Reduce.MAX, x, d, true);
    return largest.where(largest.isFinite(), 0);
  }
}

package dev.downhill.tensor;

/** Random omission of elements while training (Srivastava et al. 2014). */
public final class Dropout {
  private Dropout() {}

  /**
   * y = x m / (1 - p), where each element of m is 1 with probability 1 - p and else 0, so that the
   * expectation stays; dx = dy m / (1 - p).
   *
   * @param p the probability of omitting an element, 0 to 1; 1 omits all
   * @param generator draws m
   */
  public static Tensor dropout(Tensor x, double p, Generator generator) {
    Op op = Op.of("dropout", x).floating();
    if (!(p >= 0 && p <= 1)) {
      throw op.refuse("expected a probability of 0 to 1, got " + p);
    }
    try (Scope scope = Scope.internal()) {
      double scale = p == 1 ? 0 : 1 / (1 - p);
      Tensor mask = generator.bernoulli(1 - p, x.shape().toArray()).to(x.dtype()).mul(scale);
      Tensor y;
      try (Autograd.Mode _ = Autograd.noGrad()) {
        y = x.mul(mask);
      }
      return scope.keep(op.saving(mask).record(y, r -> r.dy().mul(r.saved(0))));
    }
  }
}

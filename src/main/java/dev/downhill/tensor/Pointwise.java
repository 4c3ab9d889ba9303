package dev.downhill.tensor;

import dev.downhill.backend.Unary;

/** Functions of one element. */
final class Pointwise {
  private Pointwise() {}

  static Tensor relu(Tensor x) {
    return apply(Unary.RELU, "relu", x, 0, 0);
  }

  /** y = f(x); dx = dy f'(x or y), by the derivative kernel or, for second derivatives, composed. */
  private static Tensor apply(Unary f, String name, Tensor x, double a, double b) {
    Op op = Op.of(name, x);
    Tensor y = op.output(x.shape());
    op.device().run(k -> k.unary(f, x.view(), a, b, y.view()));
    return switch (f.reads()) {
      case NOTHING -> op.record(y, p -> derivative(f, p, p.dy(), a, b));
      case INPUT -> op.saving(x).record(y, p -> derivative(f, p, p.saved(0), a, b));
      case OUTPUT -> op.saving(y).record(y, p -> derivative(f, p, p.saved(0), a, b));
      case NO_DERIVATIVE -> y;
    };
  }

  private static Tensor derivative(Unary f, Rule.Pull p, Tensor saved, double a, double b) {
    if (p.createGraph()) {
      return p.dy().mul(composed(f, saved, a, b));
    }
    Tensor dx = Tensor.empty(p.dy().device(), p.dy().dtype(), p.dy().shape());
    dx.device().run(k -> k.unaryBackward(f, saved.view(), p.dy().view(), a, b, dx.view()));
    return dx;
  }

  /** f' as plain operators on what f saves: the definition that the kernel is held to. */
  private static Tensor composed(Unary f, Tensor s, double a, double b) {
    return switch (f) {
      case RELU -> s.relu(); // placeholder
      default -> throw new AssertionError(f);
    };
  }
}

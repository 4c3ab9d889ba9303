package dev.downhill.tensor;

import dev.downhill.backend.Unary;
import java.util.EnumSet;
import java.util.Set;

/**
 * Functions of one element: y = f(x), dx = dy f'(x). NaN gives NaN. Where f' is infinite, as that
 * of the square root at 0, dx is infinite; where it is a matter of convention, {@link Unary} says
 * which holds.
 */
final class Pointwise {
  /** What integers have too. */
  private static final Set<Unary> WHOLE =
      EnumSet.of(Unary.NEG, Unary.ABS, Unary.SQUARE, Unary.SIGN, Unary.FLOOR, Unary.RELU);

  private Pointwise() {}

  /** y = f(x) for a function without parameters. */
  static Tensor apply(Unary f, String name, Tensor x) {
    return apply(f, name, x, 0, 0);
  }

  /**
   * y = f(x); dx = dy f', which reads x, y or nothing, by the derivative kernel or, for second
   * derivatives, {@linkplain Derivative composed}.
   *
   * @param a the first parameter of f
   * @param b the second
   */
  static Tensor apply(Unary f, String name, Tensor x, double a, double b) {
    Op op = Op.of(name, x);
    if (WHOLE.contains(f)) {
      op.numeric();
    } else {
      op.floating();
    }
    Tensor y = op.output(x.shape());
    op.device().run(k -> k.unary(f, x.view(), a, b, y.view()));
    return switch (f.reads()) {
      case NOTHING -> op.record(y, p -> derivative(f, p, p.dy(), a, b));
      case INPUT -> op.saving(x).record(y, p -> derivative(f, p, p.saved(0), a, b));
      case OUTPUT -> op.saving(y).record(y, p -> derivative(f, p, p.saved(0), a, b));
      case NO_DERIVATIVE -> throw new AssertionError(f);
    };
  }

  private static Tensor derivative(Unary f, Rule.Pull p, Tensor saved, double a, double b) {
    Tensor dy = p.dy();
    if (p.createGraph()) {
      return Derivative.of(f, saved, dy, a, b);
    }
    Tensor dx = Tensor.empty(dy.device(), dy.dtype(), dy.shape());
    dx.device().run(k -> k.unaryBackward(f, saved.view(), dy.view(), a, b, dx.view()));
    return dx;
  }

  /**
   * y = x^a, where 0^0 = 1; dx = dy a x^(a-1), 0 everywhere if a is 0. A half is the square root
   * for -0 and -infinity too, as in PyTorch: -0 and NaN.
   */
  static Tensor pow(Tensor x, double a) {
    return a == 0.5 ? apply(Unary.SQRT, "pow", x) : apply(Unary.POW, "pow", x, a, 0);
  }

  /**
   * y = min(max(x, low), high), high everywhere if low is above it; dx = dy where low &lt;= x &lt;=
   * high, bounds included, else 0.
   *
   * @param low the least value, -infinity for none
   * @param high the largest value, infinity for none
   */
  static Tensor clamp(Tensor x, double low, double high) {
    if (x.dtype().isFloating()) {
      return apply(Unary.CLAMP, "clamp", x, low, high);
    }
    Op op = Op.of("clamp", x);
    boolean below = low != Double.NEGATIVE_INFINITY;
    boolean above = high != Double.POSITIVE_INFINITY;
    double least = below ? op.number(low) : 0;
    double most = above ? op.number(high) : 0;
    try (Scope scope = Scope.internal()) {
      Tensor y = below ? x.maximum(least) : x;
      return scope.keep(above ? y.minimum(most) : y);
    }
  }
}

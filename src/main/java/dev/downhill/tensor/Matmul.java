package dev.downhill.tensor;

import dev.downhill.autograd.Destination;
import dev.downhill.backend.Backend;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import org.jspecify.annotations.Nullable;

/** Matrix products. Transposed, row-strided and offset operands are read where they are. */
public final class Matmul {
  private Matmul() {}

  /**
   * The matrix product over the last two dimensions; the others broadcast. A 1-D operand acts as a
   * row on the left and a column on the right, and its dimension is dropped; two 1-D operands give
   * their dot product. An inner size of 0 gives zeros.
   *
   * <p>z = x y; dx = dz yᵀ, dy = xᵀ dz, summed over broadcast dimensions.
   *
   * @param x (..., n, k)
   * @param y (..., k, m)
   * @return (..., n, m)
   */
  public static Tensor matmul(Tensor x, Tensor y) {
    Op op = Op.of("matmul", x, y).floating();
    if (x.dim() == 0 || y.dim() == 0) {
      throw op.refuse("expected operands with dimensions");
    }
    if (x.shape().size(x.dim() - 1) != y.shape().size(Math.max(0, y.dim() - 2))) {
      throw op.refuse(
          "inner sizes differ, expected equal ones, got %s and %s"
              .formatted(x.shape().size(x.dim() - 1), y.shape().size(Math.max(0, y.dim() - 2))));
    }
    if (x.dim() == 2 && y.dim() == 2) {
      return product(op, x, y);
    }
    try (Scope scope = Scope.internal()) {
      return scope.keep(shaped(x, y));
    }
  }

  /** The cases that are a product of matrices, or of batches of them, after a change of shape. */
  private static Tensor shaped(Tensor x, Tensor y) {
    if (x.dim() == 1) {
      return Views.squeeze(matmul(Views.unsqueeze(x, 0), y), y.dim() == 1 ? -1 : -2);
    }
    if (y.dim() == 1) {
      return Views.squeeze(matmul(x, Views.unsqueeze(y, 1)), -1);
    }
    if (y.dim() == 2 && x.isContiguous()) {
      // One product of tall matrices in place of many small ones.
      long k = x.size(-1);
      Shape shape = x.shape().with(x.dim() - 1, y.size(1));
      long rows = x.shape().slice(0, x.dim() - 1).numel();
      return matmul(x.reshape(rows, k), y).reshape(shape.toArray());
    }
    Op op = Op.of("matmul", x, y);
    Shape left = x.shape().slice(0, x.dim() - 2);
    Shape right = y.shape().slice(0, y.dim() - 2);
    if (!Shape.broadcasts(left, right)) {
      throw op.refuse("batches do not broadcast, expected equal sizes or 1");
    }
    Shape batch = Shape.broadcast("matmul", left, right);
    return product(
        op,
        x.expand(batch.append(x.shape().slice(x.dim() - 2, x.dim())).toArray()),
        y.expand(batch.append(y.shape().slice(y.dim() - 2, y.dim())).toArray()));
  }

  /** The product of equal batches, recorded. */
  private static Tensor product(Op unused, Tensor x, Tensor y) {
    Op op = Op.of("matmul", x, y).saving(x, y);
    Tensor z = op.output(x.shape().with(x.dim() - 1, y.size(-1)));
    multiply(x, y, 0, z.view());
    return op.record(
        z,
        p -> product(p, p.dy(), p.saved(1).transpose(-1, -2)),
        p -> product(p, p.saved(0).transpose(-1, -2), p.dy()));
  }

  /**
   * The product x y as a gradient: where the rule's destination is, if it has one of this shape.
   */
  private static @Nullable Tensor product(Rule.Pull p, Tensor x, Tensor y) {
    Destination<Tensor> d = p.destination();
    Shape shape = x.shape().with(x.dim() - 1, y.size(-1));
    if (d == null || !d.into().shape().equals(shape)) {
      return matmul(x, y);
    }
    multiply(x, y, d.accumulate() ? 1 : 0, d.into().view());
    return p.written();
  }

  /** z = x y + beta z, for equal batches. */
  private static void multiply(Tensor x, Tensor y, double beta, View z) {
    multiply(x, y, z, (b, left, right) -> b.matmul(left, right, 1, beta, z));
  }

  /** A call of a backend with operands that it can read. */
  private interface Call {
    void on(Backend backend, View left, View right);
  }

  private static void multiply(Tensor x, Tensor y, View z, Call call) {
    try (Scope _ = Scope.internal();
        Autograd.Mode _ = Autograd.noGrad()) {
      Tensor left = packed(x);
      Tensor right = packed(y);
      x.device().run(b -> call.on(b, left.view(), right.view()));
      Work.product(z.shape().numel(), x.size(-1));
    }
  }

  /** x itself if a matrix product can read it where it is, else a dense copy. */
  private static Tensor packed(Tensor x) {
    Layout l = x.layout();
    int rank = x.dim();
    long rows = x.size(-2);
    long columns = x.size(-1);
    long down = l.stride(rank - 2);
    long across = l.stride(rank - 1);
    boolean rowMajor = (across == 1 || columns <= 1) && (down >= columns || rows <= 1);
    boolean columnMajor = (down == 1 || rows <= 1) && (across >= rows || columns <= 1);
    return rowMajor || columnMajor ? x : Conversion.copy(x.detach());
  }

  /**
   * The products of equally many matrices, without broadcasting: {@link #matmul} for two operands
   * of three dimensions.
   *
   * @param x (b, n, k)
   * @param y (b, k, m)
   * @return (b, n, m)
   */
  static Tensor bmm(Tensor x, Tensor y) {
    Op op = Op.of("bmm", x, y).floating();
    if (x.dim() != 3 || y.dim() != 3 || x.size(0) != y.size(0) || x.size(2) != y.size(1)) {
      throw op.refuse("expected operands (b, n, k) and (b, k, m)");
    }
    return matmul(x, y);
  }

  /**
   * y = beta x + alpha (a b). Where beta is 0, x is not looked at: its NaN does not show.
   *
   * @param x of a shape that broadcasts to (n, m)
   * @param a (n, k)
   * @param b (k, m)
   */
  static Tensor addmm(Tensor x, Tensor a, Tensor b, double beta, double alpha) {
    Op op = Op.of("addmm", x, a, b).floating();
    boolean fits = a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(0);
    if (!fits || !x.shape().broadcastsTo(Shape.of(a.size(0), b.size(1)))) {
      throw op.refuse(
          "expected matrices (n, k) and (k, m) and a summand that broadcasts to (n, m)");
    }
    try (Scope scope = Scope.internal()) {
      Tensor product = matmul(a, b);
      Tensor scaled = alpha == 1 ? product : product.mul(alpha);
      Tensor summand = beta == 0 ? x.maskedFill(Tensor.ones(x.device(), DType.BOOL), 0) : x;
      return scope.keep(scaled.add(summand, beta));
    }
  }

  /** All products of an element of x (n) and one of y (m): (n, m). */
  static Tensor outer(Tensor x, Tensor y) {
    Op op = Op.of("outer", x, y).sameType().numeric();
    if (x.dim() != 1 || y.dim() != 1) {
      throw op.refuse("expected two operands with one dimension");
    }
    try (Scope scope = Scope.internal()) {
      return scope.keep(x.unsqueeze(1).mul(y));
    }
  }

  /**
   * The affine map of a layer, as PyTorch's {@code F.linear}.
   *
   * <p>y = x wᵀ + b; dx = dy w, dw = dyᵀ x, db = the sum of dy over all rows. The gradients of
   * leaves are computed where they stay: one product each and no copy.
   *
   * @param x (..., in)
   * @param weight (out, in)
   * @param bias (out), or null
   * @return (..., out)
   */
  public static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias) {
    Op op = bias == null ? Op.of("linear", x, weight) : Op.of("linear", x, weight, bias);
    op.floating();
    boolean fits = x.dim() >= 1 && weight.dim() == 2 && x.size(-1) == weight.size(1);
    if (!fits || (bias != null && !bias.shape().equals(Shape.of(weight.size(0))))) {
      throw op.refuse("expected x (..., in), weight (out, in) and bias (out)");
    }
    Shape shape = x.shape().with(x.dim() - 1, weight.size(0));
    long rows = x.shape().slice(0, x.dim() - 1).numel();
    try (Scope scope = Scope.internal()) {
      Tensor flat = x.reshape(rows, weight.size(1));
      return scope.keep(affine(flat, weight, bias).reshape(shape.toArray()));
    }
  }

  private static Tensor affine(Tensor x, Tensor weight, @Nullable Tensor bias) {
    Op op = bias == null ? Op.of("linear", x, weight) : Op.of("linear", x, weight, bias);
    Tensor y = op.output(Shape.of(x.size(0), weight.size(0)));
    Tensor w = Tensor.alias(weight.storage(), weight.layout().transpose(0, 1), null);
    Rule dx = p -> matmul(p.dy(), p.saved(1));
    Rule dw = p -> product(p, p.dy().transpose(0, 1), p.saved(0));
    op.saving(x, weight);
    if (bias == null) {
      multiply(x, w, 0, y.view());
      return op.record(y, dx, dw);
    }
    multiply(x, w, y.view(), (b, left, right) -> b.matmul(left, right, bias.view(), y.view()));
    return op.record(y, dx, dw, p -> Reduction.sumRows(p));
  }
}

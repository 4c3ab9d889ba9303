package dev.downhill.tensor;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.Loss.Over;

/** How alike vectors are: angles, distances, and losses of them. */
public final class Similarity {
  private Similarity() {}

  /** {@link #cosineSimilarity(Tensor, Tensor, int, double)} along dimension 1, with eps 1e-8. */
  public static Tensor cosineSimilarity(Tensor x, Tensor y) {
    return cosineSimilarity(x, y, 1, 1e-8);
  }

  /**
   * The cosine of the angle between vectors along a dimension: z = Σ x y / (max(‖x‖, eps) max(‖y‖,
   * eps)).
   *
   * <p>dx = dz (y / (n m) - z x / (n ‖x‖)) with n and m the two limited norms; for a zero vector,
   * whose norm has the gradient 0, dz y / (n m). Norms below eps are held at it, yet their gradient
   * goes on as if they were not: PyTorch's convention.
   *
   * @param x vectors; x and y broadcast
   * @param eps what norms are limited to from below, 0 or more
   * @return the broadcast shape without {@code dim}
   */
  public static Tensor cosineSimilarity(Tensor x, Tensor y, int dim, double eps) {
    Op.of("cosineSimilarity", x, y).floating();
    Shape shape = Shape.broadcast("cosineSimilarity", x.shape(), y.shape());
    int d = shape.dim("cosineSimilarity", dim);
    if (!(eps >= 0)) {
      throw new IllegalArgumentException(
          "cosineSimilarity: expected eps of 0 or more, got %s (shapes %s and %s)"
              .formatted(eps, x.shape(), y.shape()));
    }
    try (Scope scope = Scope.internal()) {
      long[] sizes = shape.toArray();
      return scope.keep(
          direction(x.expand(sizes), d, eps).mul(direction(y.expand(sizes), d, eps)).sum(d));
    }
  }

  /** x divided by its limited norm. */
  private static Tensor direction(Tensor x, int dim, double eps) {
    Tensor norm = x.norm(2, new int[] {dim}, true);
    Tensor missing = norm.detach().rsub(eps).clamp(0, Double.POSITIVE_INFINITY);
    return x.div(norm.add(missing));
  }

  /**
   * The options of {@link #tripletMarginLoss(Tensor, Tensor, Tensor, Triplet)}.
   *
   * @param margin how much farther the negative is to be than the positive, above 0
   * @param p of the norm that measures distances, above 0; infinity for the largest difference
   * @param eps added to every difference, so that the distance of equal vectors has a gradient
   * @param swap whether the negative may also be compared with the positive, if that is nearer
   * @param over what becomes of the losses
   */
  public record Triplet(double margin, double p, double eps, boolean swap, Over over) {
    /** The mean, of Euclidean distances, with a margin of 1. */
    public static final Triplet DEFAULT = new Triplet(1, 2, 1e-6, false, Over.MEAN);

    /** Checks the numbers. */
    public Triplet {
      if (!(margin > 0 && p > 0) || Double.isNaN(eps)) {
        throw new IllegalArgumentException(
            "tripletMarginLoss: expected a margin and p above 0 and a number for eps, got %s, %s and %s"
                .formatted(margin, p, eps));
      }
    }

    /** Wants another margin. */
    public Triplet withMargin(double m) {
      return new Triplet(m, p, eps, swap, over);
    }

    /** Measures distances by another norm. */
    public Triplet withP(double order) {
      return new Triplet(margin, order, eps, swap, over);
    }

    /** Adds another number to differences. */
    public Triplet withEps(double e) {
      return new Triplet(margin, p, e, swap, over);
    }

    /** Compares the negative with the nearer of the other two. */
    public Triplet withSwap() {
      return new Triplet(margin, p, eps, true, over);
    }

    /** Gives the sum or all in place of the mean. */
    public Triplet withOver(Over o) {
      return new Triplet(margin, p, eps, swap, o);
    }
  }

  /** The mean {@link #tripletMarginLoss(Tensor, Tensor, Tensor, Triplet)}. */
  public static Tensor tripletMarginLoss(Tensor anchor, Tensor positive, Tensor negative) {
    return tripletMarginLoss(anchor, positive, negative, Triplet.DEFAULT);
  }

  /**
   * What anchors lack in being nearer to a positive than to a negative: max(0, d(a, p) - d(a, n) +
   * margin), where d(x, y) = ‖x - y + eps‖ is taken over the last dimension. With swap, d(a, n) is
   * replaced by d(p, n) where that is smaller; at a tie each gets half of the gradient.
   *
   * <p>The loss has its slope at 0 too, where it sets in.
   *
   * @param anchor (..., n); the three broadcast, and have the same number of dimensions
   * @return 0-d, or (...) for {@link Over#NONE}
   */
  public static Tensor tripletMarginLoss(
      Tensor anchor, Tensor positive, Tensor negative, Triplet options) {
    Op op = Op.of("tripletMarginLoss", anchor, positive, negative).floating();
    if (positive.dim() != anchor.dim() || negative.dim() != anchor.dim()) {
      throw op.refuse("expected three tensors with the same number of dimensions");
    }
    Shape two = Shape.broadcast("tripletMarginLoss", anchor.shape(), positive.shape());
    Shape.broadcast("tripletMarginLoss", two, negative.shape());
    try (Scope scope = Scope.internal()) {
      Tensor near = distance(anchor, positive, options);
      Tensor far = distance(anchor, negative, options);
      if (options.swap()) {
        far = far.minimum(distance(positive, negative, options));
      }
      Tensor losses = near.sub(far).add(options.margin()).clamp(0, Double.POSITIVE_INFINITY);
      return scope.keep(options.over().of(losses));
    }
  }

  private static Tensor distance(Tensor x, Tensor y, Triplet options) {
    Tensor d = x.sub(y).add(options.eps());
    double p = options.p();
    if (p == 1 || p == 2 || p == Double.POSITIVE_INFINITY) {
      return d.norm(p, new int[] {-1}, false);
    }
    Tensor sum = d.abs().pow(p).sum(-1);
    // The root is not taken of 0, where it has no finite slope.
    Tensor none = sum.eq(0);
    return sum.maskedFill(none, 1).pow(1 / p).maskedFill(none, 0);
  }
}

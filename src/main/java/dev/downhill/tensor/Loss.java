package dev.downhill.tensor;

import dev.downhill.shape.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Losses, as {@code torch.nn.functional} has them: one number for each element or sample, and of
 * those the mean, the sum, or all. An empty sum is 0, an empty mean NaN.
 */
public final class Loss {
  private Loss() {}

  /** What becomes of the losses of many elements. */
  public enum Over {
    /** Their sum divided by their number, or by their weight where the loss says so. */
    MEAN,
    /** Their sum. */
    SUM,
    /** All of them, in their shape. */
    NONE;

    Tensor of(Tensor losses) {
      return switch (this) {
        case MEAN -> losses.mean();
        case SUM -> losses.sum();
        case NONE -> losses;
      };
    }
  }

  /** A loss of each element. */
  @FunctionalInterface
  private interface Each {
    Tensor of(Tensor difference);
  }

  private static Tensor of(String name, Tensor x, Tensor target, Over over, Each each) {
    Op op = Op.of(name, x, target).floating();
    if (!x.shape().equals(target.shape())) {
      throw op.refuse("expected a target of the input's shape");
    }
    try (Scope scope = Scope.internal()) {
      return scope.keep(over.of(each.of(x.sub(target))));
    }
  }

  /** The mean squared error. */
  public static Tensor mse(Tensor x, Tensor target) {
    return mse(x, target, Over.MEAN);
  }

  /** The squared error d², with d = x - target. The target, of x's shape, gets a gradient too. */
  public static Tensor mse(Tensor x, Tensor target, Over over) {
    return of("mse", x, target, over, Tensor::square);
  }

  /** The mean absolute error. */
  public static Tensor l1(Tensor x, Tensor target) {
    return l1(x, target, Over.MEAN);
  }

  /** The absolute error |d|, with d = x - target; its derivative at 0 is 0. */
  public static Tensor l1(Tensor x, Tensor target, Over over) {
    return of("l1", x, target, over, Tensor::abs);
  }

  /** The mean {@link #huber(Tensor, Tensor, double, Over)} loss with delta 1. */
  public static Tensor huber(Tensor x, Tensor target) {
    return huber(x, target, 1, Over.MEAN);
  }

  /**
   * Huber's loss: d²/2 where |d| &lt;= delta, else delta (|d| - delta/2), with d = x - target.
   *
   * @param delta where squares turn into lines, above 0
   */
  public static Tensor huber(Tensor x, Tensor target, double delta, Over over) {
    if (!(delta > 0)) {
      throw Op.of("huber", x, target).refuse("expected delta above 0, got " + delta);
    }
    return of("huber", x, target, over, d -> curve(d, 0.5, delta, delta));
  }

  /** The mean {@link #smoothL1(Tensor, Tensor, double, Over)} loss with beta 1. */
  public static Tensor smoothL1(Tensor x, Tensor target) {
    return smoothL1(x, target, 1, Over.MEAN);
  }

  /**
   * The absolute error with its tip rounded off: d²/(2 beta) where |d| &lt; beta, else |d| -
   * beta/2, with d = x - target; {@link #l1} if beta is 0.
   *
   * @param beta where squares turn into lines, 0 or more
   */
  public static Tensor smoothL1(Tensor x, Tensor target, double beta, Over over) {
    if (!(beta >= 0)) {
      throw Op.of("smoothL1", x, target).refuse("expected beta of 0 or more, got " + beta);
    }
    return of(
        "smoothL1", x, target, over, d -> beta == 0 ? d.abs() : curve(d, 0.5 / beta, beta, 1));
  }

  /** half q² + slope |d - q| with q = d limited to the bound: a square that goes on as a line. */
  private static Tensor curve(Tensor d, double half, double bound, double slope) {
    Tensor q = d.clamp(-bound, bound);
    return q.square().mul(half).add(d.sub(q).abs(), slope);
  }

  /**
   * The options of {@link #bceWithLogits(Tensor, Tensor, BceWithLogits)}.
   *
   * @param weight multiplies the losses, broadcasting; null for none
   * @param posWeight multiplies the losses of positive targets, broadcasting; null for none
   * @param over what becomes of the losses
   */
  public record BceWithLogits(@Nullable Tensor weight, @Nullable Tensor posWeight, Over over) {
    /** The mean, without weights. */
    public static final BceWithLogits DEFAULT = new BceWithLogits(null, null, Over.MEAN);

    /** Multiplies the losses. */
    public BceWithLogits withWeight(Tensor w) {
      return new BceWithLogits(w, posWeight, over);
    }

    /** Multiplies the losses of positive targets. */
    public BceWithLogits withPosWeight(Tensor w) {
      return new BceWithLogits(weight, w, over);
    }

    /** Gives the sum or all in place of the mean. */
    public BceWithLogits withOver(Over o) {
      return new BceWithLogits(weight, posWeight, o);
    }
  }

  /** The mean {@link #bceWithLogits(Tensor, Tensor, BceWithLogits)}. */
  public static Tensor bceWithLogits(Tensor x, Tensor target) {
    return bceWithLogits(x, target, BceWithLogits.DEFAULT);
  }

  /**
   * The binary cross-entropy of probabilities sigmoid(x): -(posWeight t log p + (1 - t) log(1 -
   * p)), times the weight, computed as (1 - t) x + (1 + (posWeight - 1) t) softplus(-x), which
   * never overflows.
   *
   * <p>dx = dy weight ((1 - t) - (1 + (posWeight - 1) t) sigmoid(-x)).
   *
   * @param x logits, of any shape
   * @param target of x's shape, 0 to 1
   */
  public static Tensor bceWithLogits(Tensor x, Tensor target, BceWithLogits options) {
    Tensor weight = options.weight();
    Tensor posWeight = options.posWeight();
    Op op = Op.of("bceWithLogits", Inputs.given(x, target, weight, posWeight)).floating();
    if (!x.shape().equals(target.shape())) {
      throw op.refuse("expected a target of the input's shape");
    }
    for (Tensor w : Inputs.given(weight, posWeight)) {
      if (!w.shape().broadcastsTo(x.shape())) {
        throw op.refuse("expected weights that broadcast to the input's shape");
      }
    }
    try (Scope scope = Scope.internal()) {
      // Where -x is above 80, log(1 + e^-x) is -x in every dtype.
      Tensor miss = Activation.softplus(x.neg(), 1, 80);
      if (posWeight != null) {
        miss = miss.mul(posWeight.sub(1).mul(target).add(1));
      }
      Tensor losses = target.rsub(1).mul(x).add(miss);
      if (weight != null) {
        losses = losses.mul(weight);
      }
      return scope.keep(options.over().of(losses));
    }
  }

  /**
   * The options of {@link #crossEntropy(Tensor, Tensor, CrossEntropy)}.
   *
   * @param weight one factor for each class, (C), of the input's dtype; null for none
   * @param ignoreIndex targets of this value count for nothing
   * @param labelSmoothing how much of each target is spread evenly over all classes, 0 to 1
   * @param over what becomes of the losses
   */
  public record CrossEntropy(
      @Nullable Tensor weight, long ignoreIndex, double labelSmoothing, Over over) {
    /** The mean, without weights or smoothing; targets of -100 are ignored. */
    public static final CrossEntropy DEFAULT = new CrossEntropy(null, -100, 0, Over.MEAN);

    /** Checks the smoothing. */
    public CrossEntropy {
      if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
        throw new IllegalArgumentException(
            "crossEntropy: expected label smoothing of 0 to 1, got " + labelSmoothing);
      }
    }

    /** Weighs the classes. */
    public CrossEntropy withWeight(Tensor w) {
      return new CrossEntropy(w, ignoreIndex, labelSmoothing, over);
    }

    /** Ignores targets of another value. */
    public CrossEntropy withIgnoreIndex(long index) {
      return new CrossEntropy(weight, index, labelSmoothing, over);
    }

    /** Spreads a share of each target evenly over all classes. */
    public CrossEntropy withLabelSmoothing(double share) {
      return new CrossEntropy(weight, ignoreIndex, share, over);
    }

    /** Gives the sum or all in place of the mean. */
    public CrossEntropy withOver(Over o) {
      return new CrossEntropy(weight, ignoreIndex, labelSmoothing, o);
    }
  }

  /** The mean {@link #crossEntropy(Tensor, Tensor, CrossEntropy)}. */
  public static Tensor crossEntropy(Tensor x, Tensor target) {
    return crossEntropy(x, target, CrossEntropy.DEFAULT);
  }

  /**
   * The cross-entropy of class probabilities softmax(x). With ℓ = log softmax(x) over the classes,
   * w the class weights, e the smoothing and C the number of classes, a sample's loss is
   *
   * <ul>
   *   <li>for class indices y (int64): (1 - e) (-w_y ℓ_y) + e/C Σ -w_c ℓ_c, and 0 where y is the
   *       ignored index. The mean divides by Σ w_y over the samples that are not ignored; NaN if
   *       all are.
   *   <li>for probabilities t (of x's dtype): -Σ w_c t'_c ℓ_c with t' = (1 - e) t + e/C. The mean
   *       divides by the number of samples.
   * </ul>
   *
   * @param x logits: (N, C), (N, C, ...) or (C)
   * @param target indices of x's shape without C, or probabilities of x's shape
   * @return 0-d, or of x's shape without C for {@link Over#NONE}
   * @throws IllegalArgumentException if an index is neither ignored nor 0 to C - 1
   */
  public static Tensor crossEntropy(Tensor x, Tensor target, CrossEntropy options) {
    Op op = Op.of("crossEntropy", Inputs.given(x, target, options.weight()));
    int classDim = classes(op, x, options.weight());
    try (Scope scope = Scope.internal()) {
      if (target.dtype().isFloating()) {
        Tensor logs = Softmax.logSoftmax(x, classDim);
        return scope.keep(probabilities(op, logs, target, classDim, options));
      }
      Targets targets =
          Targets.of(op, x, target, classDim, options.weight(), options.ignoreIndex());
      Tensor losses =
          options.labelSmoothing() > 0 ? smoothed(x, targets, options) : targets.crossEntropy(x);
      return scope.keep(targets.over(options.over(), losses));
    }
  }

  /** The dimension of the classes. */
  private static int classes(Op op, Tensor x, @Nullable Tensor weight) {
    int dim = x.dim() == 1 ? 0 : 1;
    if (x.dim() == 0 || !x.dtype().isFloating()) {
      throw op.refuse(
          "expected a floating-point input (C), (N, C) or (N, C, ...), got " + x.dtype());
    }
    if (weight != null
        && (!weight.shape().equals(Shape.of(x.size(dim))) || weight.dtype() != x.dtype())) {
      throw op.refuse(
          "expected a weight of shape (%s) and dtype %s, got %s %s"
              .formatted(x.size(dim), x.dtype(), weight.dtype(), weight.shape()));
    }
    return dim;
  }

  private static Tensor smoothed(Tensor x, Targets targets, CrossEntropy options) {
    double e = options.labelSmoothing();
    int classDim = targets.classDim();
    Tensor logs = Softmax.logSoftmax(x, classDim);
    Tensor even = targets.ignored(weighted(logs, options.weight(), classDim));
    return targets.losses(logs).mul(1 - e).sub(even, e / x.size(classDim));
  }

  /** Σ w_c ℓ_c over the classes. */
  private static Tensor weighted(Tensor logs, @Nullable Tensor weight, int classDim) {
    Tensor terms = weight == null ? logs : logs.mul(alongClasses(weight, logs, classDim));
    return terms.sum(classDim);
  }

  private static Tensor alongClasses(Tensor weight, Tensor x, int classDim) {
    long[] sizes = new long[x.dim() - classDim];
    Arrays.fill(sizes, 1);
    sizes[0] = weight.numel();
    return weight.reshape(sizes);
  }

  private static Tensor probabilities(
      Op op, Tensor logs, Tensor target, int classDim, CrossEntropy options) {
    op.sameType();
    if (!target.shape().equals(logs.shape())) {
      throw op.refuse("expected probabilities of the input's shape");
    }
    double e = options.labelSmoothing();
    Tensor smooth = e > 0 ? target.mul(1 - e).add(e / logs.size(classDim)) : target;
    Tensor losses = weighted(logs.mul(smooth), options.weight(), classDim).neg();
    return options.over().of(losses);
  }

  /**
   * The options of {@link #nll(Tensor, Tensor, Nll)}.
   *
   * @param weight one factor for each class, (C), of the input's dtype; null for none
   * @param ignoreIndex targets of this value count for nothing
   * @param over what becomes of the losses
   */
  public record Nll(@Nullable Tensor weight, long ignoreIndex, Over over) {
    /** The mean, without weights; targets of -100 are ignored. */
    public static final Nll DEFAULT = new Nll(null, -100, Over.MEAN);

    /** Weighs the classes. */
    public Nll withWeight(Tensor w) {
      return new Nll(w, ignoreIndex, over);
    }

    /** Ignores targets of another value. */
    public Nll withIgnoreIndex(long index) {
      return new Nll(weight, index, over);
    }

    /** Gives the sum or all in place of the mean. */
    public Nll withOver(Over o) {
      return new Nll(weight, ignoreIndex, o);
    }
  }

  /** The mean {@link #nll(Tensor, Tensor, Nll)}. */
  public static Tensor nll(Tensor x, Tensor target) {
    return nll(x, target, Nll.DEFAULT);
  }

  /**
   * The negative log-likelihood -w_y x_y of class indices y under log-probabilities x, and 0 where
   * y is the ignored index. The mean divides by Σ w_y over the samples that are not ignored; NaN if
   * all are.
   *
   * @param x log-probabilities: (N, C), (N, C, ...) or (C)
   * @param target int64, of x's shape without C
   * @return 0-d, or of the target's shape for {@link Over#NONE}
   * @throws IllegalArgumentException if an index is neither ignored nor 0 to C - 1
   */
  public static Tensor nll(Tensor x, Tensor target, Nll options) {
    Op op = Op.of("nll", Inputs.given(x, target, options.weight()));
    int classDim = classes(op, x, options.weight());
    try (Scope scope = Scope.internal()) {
      Targets targets =
          Targets.of(op, x, target, classDim, options.weight(), options.ignoreIndex());
      return scope.keep(targets.over(options.over(), targets.losses(x)));
    }
  }
}

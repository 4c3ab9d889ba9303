package dev.downhill.tensor;

import dev.downhill.tensor.Loss.Over;
import org.jspecify.annotations.Nullable;

/**
 * How far probabilities are from those that were wanted: losses of probabilities and of their
 * logarithms, as {@code torch.nn.functional} has them. Probabilities that came out of a sigmoid or
 * a softmax are better left to {@link Loss#bceWithLogits(Tensor, Tensor)} and {@link
 * Loss#crossEntropy(Tensor, Tensor)}, which do not lose the digits of small ones.
 */
public final class Divergence {
  /**
   * What a logarithm is limited to from below, so that a wrong certainty does not cost infinity.
   */
  private static final double LEAST_LOG = -100;

  /** What x (1 - x) is limited to from below. */
  private static final double LEAST_SPREAD = 1e-12;

  private Divergence() {}

  /**
   * The options of {@link #binaryCrossEntropy(Tensor, Tensor, BinaryCrossEntropy)}.
   *
   * @param weight multiplies the losses, broadcasting to their shape; null for none
   * @param over what becomes of the losses
   */
  public record BinaryCrossEntropy(@Nullable Tensor weight, Over over) {
    /** The mean, without weights. */
    public static final BinaryCrossEntropy DEFAULT = new BinaryCrossEntropy(null, Over.MEAN);

    /** Multiplies the losses. */
    public BinaryCrossEntropy withWeight(Tensor w) {
      return new BinaryCrossEntropy(w, over);
    }

    /** Gives the sum or all in place of the mean. */
    public BinaryCrossEntropy withOver(Over o) {
      return new BinaryCrossEntropy(weight, o);
    }
  }

  /** The mean {@link #binaryCrossEntropy(Tensor, Tensor, BinaryCrossEntropy)}. */
  public static Tensor binaryCrossEntropy(Tensor x, Tensor target) {
    return binaryCrossEntropy(x, target, BinaryCrossEntropy.DEFAULT);
  }

  /**
   * The binary cross-entropy of probabilities: -w (t log x + (1 - t) log(1 - x)), both logarithms
   * limited to -100 from below.
   *
   * <p>dx = dy w (x - t) / max(x (1 - x), 1e-12), which is finite at 0 and 1 too; dt = dy w (log(1
   * - x) - log x), limited likewise.
   *
   * @param x probabilities, 0 to 1, of any shape; outside of it the loss is NaN
   * @param target of x's shape, 0 to 1
   */
  public static Tensor binaryCrossEntropy(Tensor x, Tensor target, BinaryCrossEntropy options) {
    Tensor weight = options.weight();
    Op op = likes("binaryCrossEntropy", x, target);
    // The rules are of x and the target, but the weight too must be there and on their device.
    Op.of("binaryCrossEntropy", Inputs.given(x, target, weight));
    if (weight != null
        && (weight.dtype() != x.dtype() || !weight.shape().broadcastsTo(x.shape()))) {
      throw op.refuse(
          "expected a weight of dtype %s whose shape broadcasts to the input's, got %s %s"
              .formatted(x.dtype(), weight.dtype(), weight.shape()));
    }
    try (Scope scope = Scope.internal()) {
      Tensor losses;
      try (Autograd.Mode _ = Autograd.noGrad()) {
        losses = target.sub(1).mul(logOfRest(x)).sub(target.mul(log(x)));
      }
      losses =
          op.saving(x, target)
              .record(
                  losses,
                  p -> p.dy().mul(slope(p.saved(0), p.saved(1))),
                  p -> p.dy().mul(logOfRest(p.saved(0)).sub(log(p.saved(0)))));
      return scope.keep(options.over().of(weight == null ? losses : losses.mul(weight)));
    }
  }

  private static Tensor log(Tensor x) {
    return x.log().clamp(LEAST_LOG, Double.POSITIVE_INFINITY);
  }

  /** log(1 - x). */
  private static Tensor logOfRest(Tensor x) {
    return x.neg().log1p().clamp(LEAST_LOG, Double.POSITIVE_INFINITY);
  }

  private static Tensor slope(Tensor x, Tensor target) {
    Tensor spread = x.mul(x.rsub(1)).clamp(LEAST_SPREAD, Double.POSITIVE_INFINITY);
    return x.sub(target).div(spread);
  }

  /** What becomes of the terms of a divergence. */
  public enum Terms {
    /** Their sum divided by the size of dimension 0: the divergence of a sample, on average. */
    BATCH_MEAN,
    /** Their sum divided by their number, PyTorch's default. */
    MEAN,
    /** Their sum. */
    SUM,
    /** All of them, in their shape. */
    NONE;

    Tensor of(Tensor terms) {
      return switch (this) {
        case BATCH_MEAN -> terms.dim() == 0 ? terms : terms.sum().div((double) terms.size(0));
        case MEAN -> terms.mean();
        case SUM -> terms.sum();
        case NONE -> terms;
      };
    }
  }

  /**
   * The options of {@link #klDiv(Tensor, Tensor, KlDiv)}.
   *
   * @param logTarget whether the target holds logarithms too
   * @param terms what becomes of the terms
   */
  public record KlDiv(boolean logTarget, Terms terms) {
    /** The mean over all terms, of a target of probabilities. */
    public static final KlDiv DEFAULT = new KlDiv(false, Terms.MEAN);

    /** Takes a target of log-probabilities. */
    public KlDiv withLogTarget() {
      return new KlDiv(true, terms);
    }

    /** Gives the sum, the mean over samples, or all in place of the mean over all terms. */
    public KlDiv withTerms(Terms t) {
      return new KlDiv(logTarget, t);
    }
  }

  /** The mean {@link #klDiv(Tensor, Tensor, KlDiv)}. */
  public static Tensor klDiv(Tensor x, Tensor target) {
    return klDiv(x, target, KlDiv.DEFAULT);
  }

  /**
   * The Kullback-Leibler divergence of a target from a prediction, term by term: t (log t - x), 0
   * where t is 0; e^t (t - x) if the target holds logarithms.
   *
   * <p>dx = -dy t, or -dy e^t; the target gets a gradient too, 0 where t is 0.
   *
   * @param x log-probabilities, of any shape
   * @param target probabilities of x's shape, or their logarithms
   */
  public static Tensor klDiv(Tensor x, Tensor target, KlDiv options) {
    likes("klDiv", x, target);
    try (Scope scope = Scope.internal()) {
      return scope.keep(
          options.terms().of(options.logTarget() ? ofLogs(x, target) : terms(x, target)));
    }
  }

  private static Tensor ofLogs(Tensor x, Tensor target) {
    return target.exp().mul(target.sub(x));
  }

  private static Tensor terms(Tensor x, Tensor target) {
    // Where the target is 0, nothing infinite may be multiplied by it, nor come back as a gradient.
    Tensor none = target.eq(0);
    Tensor gap = target.maskedFill(none, 1).log().sub(x).maskedFill(none, 0);
    return target.mul(gap);
  }

  private static Op likes(String name, Tensor x, Tensor target) {
    Op op = Op.of(name, x, target).floating();
    if (!x.shape().equals(target.shape())) {
      throw op.refuse("expected a target of the input's shape");
    }
    return op;
  }
}

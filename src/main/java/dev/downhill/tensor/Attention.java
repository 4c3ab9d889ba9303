package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import org.jspecify.annotations.Nullable;

/** Values mixed by how well their keys answer a query (Vaswani et al. 2017). */
public final class Attention {
  private Attention() {}

  /**
   * The options of {@link #scaledDotProductAttention(Tensor, Tensor, Tensor, Options)}.
   *
   * @param mask broadcasts to (..., L, S): bool, where true takes part, or of the query's dtype,
   *     then it is added to the scores and may be -infinity; null for none
   * @param causal whether query i sees keys 0 to i only, counted from the first of each, also where
   *     L and S differ; not together with a mask
   * @param scale what scores are multiplied by; null for 1/√E
   */
  public record Options(@Nullable Tensor mask, boolean causal, @Nullable Double scale) {
    /** Every query sees every key, the scale is 1/√E. */
    public static final Options DEFAULT = new Options(null, false, null);

    /** With a mask. */
    public Options withMask(Tensor seen) {
      return new Options(seen, causal, scale);
    }

    /** Whether query i sees keys 0 to i only. */
    public Options withCausal(boolean whether) {
      return new Options(mask, whether, scale);
    }

    /** What scores are multiplied by, of so many elements; there are no scores of none. */
    double factor(long elements) {
      return scale != null ? scale : elements == 0 ? 0 : 1 / Math.sqrt((double) elements);
    }

    /** With another scale. */
    public Options withScale(double factor) {
      return new Options(mask, causal, factor);
    }
  }

  /** Attention without a mask; see the form with {@link Options}. */
  public static Tensor scaledDotProductAttention(Tensor query, Tensor key, Tensor value) {
    return scaledDotProductAttention(query, key, value, Options.DEFAULT);
  }

  /**
   * softmax(scale query keyᵀ + mask) value over the last two dimensions, as {@code
   * F.scaled_dot_product_attention} without dropout. The dimensions before them broadcast.
   *
   * <p>With p the softmax and s the scores: dvalue = pᵀ dy, dp = dy valueᵀ, ds = p (dp - Σ dp p),
   * dquery = scale ds key, dkey = scale dsᵀ query, and ds for a floating-point mask. A query that
   * sees no key gives zeros and has no part in any gradient. Without a mask the scores are never in
   * memory all at once, and one number a query is saved; with one it is composed of operators.
   *
   * @param query (..., L, E)
   * @param key (..., S, E)
   * @param value (..., S, V)
   * @return (..., L, V)
   * @throws ShapeException if shapes or dtypes do not fit, or on a mask together with {@code
   *     causal}
   */
  public static Tensor scaledDotProductAttention(
      Tensor query, Tensor key, Tensor value, Options options) {
    String name = "scaledDotProductAttention";
    Op op = Op.of(name, query, key, value).floating();
    Tensor mask = options.mask();
    if (mask != null) {
      op = Op.of(name, query, key, value, mask);
    }
    check(op, query, key, value, options);
    double factor = options.factor(query.size(-1));
    if (mask == null) {
      return FusedAttention.of(op, query, key, value, options.causal(), factor);
    }
    try (Scope scope = Scope.internal()) {
      Tensor scores = scores(query, key, factor, false);
      if (!mask.shape().broadcastsTo(scores.shape())) {
        throw op.refuse("expected a mask that broadcasts to the scores, " + scores.shape());
      }
      return scope.keep(masked(scores, mask).matmul(value));
    }
  }

  /**
   * Attention of a sequence to itself, in several heads: {@link #scaledDotProductAttention} of what
   * one linear map made of it, side by side, so that nothing is copied on the way.
   *
   * <p>Head h has elements h E/heads to (h + 1) E/heads - 1 of query, key, value and result. dqkv
   * is the gradients of the three side by side.
   *
   * @param qkv (N, T, 3 E): query, key and value
   * @param heads divides E
   * @param options without a mask
   * @return (N, T, E)
   * @throws ShapeException if the shape does not fit, or on a mask
   */
  public static Tensor selfAttention(Tensor qkv, long heads, Options options) {
    Op op = Op.of("selfAttention", qkv).floating();
    boolean fits = qkv.dim() == 3 && heads > 0 && qkv.size(2) % (3 * heads) == 0;
    if (!fits || options.mask() != null) {
      throw op.refuse(
          "expected (N, T, 3 E), heads that divide E and no mask, got %d heads".formatted(heads));
    }
    checkScale(op, options);
    double factor = options.factor(qkv.size(2) / (3 * heads));
    return FusedAttention.ofSelf(op, qkv, heads, options.causal(), factor);
  }

  /** factor query keyᵀ, -infinity where a causal query sees nothing. */
  static Tensor scores(Tensor query, Tensor key, double factor, boolean causal) {
    Tensor scores = query.mul(factor).matmul(key.transpose(-1, -2));
    return causal ? scores.where(notAfter(scores), Double.NEGATIVE_INFINITY) : scores;
  }

  private static void check(Op op, Tensor query, Tensor key, Tensor value, Options options) {
    boolean fits = query.dim() >= 2 && key.dim() >= 2 && value.dim() >= 2;
    if (!fits || query.size(-1) != key.size(-1) || key.size(-2) != value.size(-2)) {
      throw op.refuse("expected query (..., L, E), key (..., S, E) and value (..., S, V)");
    }
    Tensor mask = options.mask();
    if (mask != null && options.causal()) {
      throw op.refuse("expected a mask or causal, got both");
    }
    if (mask != null && mask.dtype() != DType.BOOL && mask.dtype() != query.dtype()) {
      throw op.refuse(
          "expected a mask of bool or %s, got %s".formatted(query.dtype(), mask.dtype()));
    }
    checkScale(op, options);
  }

  private static void checkScale(Op op, Options options) {
    Double scale = options.scale();
    if (scale != null && !Double.isFinite(scale)) {
      throw op.refuse("expected a finite scale, got " + scale);
    }
  }

  /** Whether a key is not after the query, (L, S). */
  private static Tensor notAfter(Tensor scores) {
    long queries = scores.size(-2);
    Tensor query = Tensor.arange(scores.device(), DType.I64, queries).reshape(queries, 1);
    return query.ge(Tensor.arange(scores.device(), DType.I64, scores.size(-1)));
  }

  /** The softmax of masked scores, zeros for a row of -infinity alone. */
  private static Tensor masked(Tensor scores, Tensor mask) {
    Tensor s =
        mask.dtype() == DType.BOOL
            ? scores.where(mask, Double.NEGATIVE_INFINITY)
            : scores.add(mask);
    if (s.size(-1) == 0) {
      return s;
    }
    Tensor blind = s.detach().max(-1, true).values().eq(Double.NEGATIVE_INFINITY);
    return s.maskedFill(blind, 0).softmax(-1).maskedFill(blind, 0);
  }
}

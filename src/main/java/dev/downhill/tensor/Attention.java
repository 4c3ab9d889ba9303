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
   * sees no key gives zeros and has no part in any gradient.
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
    Double scale = options.scale();
    double factor = scale == null ? 1 / Math.sqrt((double) query.size(-1)) : scale;
    try (Scope scope = Scope.internal()) {
      Tensor scores = query.mul(factor).matmul(key.transpose(-1, -2));
      if (mask != null && !mask.shape().broadcastsTo(scores.shape())) {
        throw op.refuse("expected a mask that broadcasts to the scores, " + scores.shape());
      }
      if (options.causal()) {
        scores = scores.where(notAfter(scores), Double.NEGATIVE_INFINITY);
      }
      Tensor shares = mask == null ? scores.softmax(-1) : masked(scores, mask);
      return scope.keep(shares.matmul(value));
    }
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

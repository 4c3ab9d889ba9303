package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Attention;
import dev.downhill.tensor.Matmul;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attention in several heads, each on its share of the features, batch first: query (N, L, E), key
 * and value (N, S, E), y (N, L, E). As a layer of one input it is self-attention.
 *
 * <p>The parameters are {@code in_proj_weight} (3 E, E) and {@code in_proj_bias} (3 E), which
 * project queries, keys and values, and the part {@code out_proj}, a {@link Linear}. As in PyTorch
 * the first starts as {@link Init#xavierUniform}, the biases as 0. See {@link
 * Attention#scaledDotProductAttention(Tensor, Tensor, Tensor, Attention.Options)}.
 */
public final class MultiHeadAttention extends Layer {
  private final long dim;
  private final long heads;
  private final Options options;
  private final Parameter inWeight;
  private final @Nullable Parameter inBias;
  private final Linear out;

  /**
   * What attention has.
   *
   * @param bias whether there are biases
   * @param causal whether position i sees positions 0 to i only
   */
  public record Options(boolean bias, boolean causal) {
    /** With biases, all positions seen. */
    public static final Options DEFAULT = new Options(true, false);

    /** Without biases. */
    public Options withoutBias() {
      return new Options(false, causal);
    }

    /** Whether position i sees positions 0 to i only. */
    public Options withCausal(boolean whether) {
      return new Options(bias, whether);
    }
  }

  /** On {@code dim} features in {@code heads} heads. */
  public MultiHeadAttention(long dim, long heads) {
    this(dim, heads, Options.DEFAULT);
  }

  /** On {@code dim} features in {@code heads} heads. */
  public MultiHeadAttention(long dim, long heads, Options options) {
    if (dim < 1 || heads < 1 || dim % heads != 0) {
      throw new IllegalArgumentException(
          "MultiHeadAttention: expected heads that divide the features, got %s heads and %s features"
              .formatted(heads, dim));
    }
    this.dim = dim;
    this.heads = heads;
    this.options = options;
    Linear.Options linear = Linear.Options.DEFAULT;
    inWeight = parameter("in_proj_weight", Shape.of(3 * dim, dim), Init.xavierUniform(1));
    inBias = options.bias() ? parameter("in_proj_bias", Shape.of(3 * dim), Init.zeros()) : null;
    out =
        part(
            "out_proj",
            new Linear(
                dim,
                dim,
                options.bias() ? linear.withBiasInit(Init.zeros()) : linear.withoutBias()));
  }

  /** Self-attention. */
  @Override
  public Tensor forward(Tensor x) {
    return forward(x, x, x, null);
  }

  /** What the queries find in the values. */
  public Tensor forward(Tensor query, Tensor key, Tensor value) {
    return forward(query, key, value, null);
  }

  /**
   * What the queries find in the values, under a mask.
   *
   * @param mask broadcasts to (N, heads, L, S): bool, where true takes part, or numbers that are
   *     added; null for none
   */
  public Tensor forward(Tensor query, Tensor key, Tensor value, @Nullable Tensor mask) {
    for (Tensor t : List.of(query, key, value)) {
      if (t.dim() != 3 || t.size(2) != dim) {
        throw new ShapeException(
            "multiHeadAttention: expected query, key and value (N, T, %s), got shapes %s, %s and %s"
                .formatted(dim, query.shape(), key.shape(), value.shape()));
      }
    }
    Attention.Options seen = Attention.Options.DEFAULT.withCausal(options.causal());
    boolean self = key == query && value == query && mask == null;
    try (Scope scope = Scope.open()) {
      Tensor y = self ? ofSelf(query, seen) : ofThree(query, key, value, mask, seen);
      return scope.keep(out.forward(y));
    }
  }

  private Tensor ofSelf(Tensor x, Attention.Options seen) {
    Tensor b = inBias == null ? null : inBias.tensor();
    return Attention.selfAttention(Matmul.linear(x, inWeight.tensor(), b), heads, seen);
  }

  private Tensor ofThree(
      Tensor query, Tensor key, Tensor value, @Nullable Tensor mask, Attention.Options seen) {
    List<Tensor> projected = projected(query, key, value);
    Tensor y =
        Attention.scaledDotProductAttention(
            split(projected.get(0)),
            split(projected.get(1)),
            split(projected.get(2)),
            mask == null ? seen : seen.withMask(mask));
    return y.transpose(1, 2).reshape(query.size(0), query.size(1), dim);
  }

  /** Query, key and value after their maps; of one input in one product. */
  private List<Tensor> projected(Tensor query, Tensor key, Tensor value) {
    Tensor w = inWeight.tensor();
    Tensor b = inBias == null ? null : inBias.tensor();
    List<Tensor> inputs = List.of(query, key, value);
    if (inputs.stream().allMatch(t -> t == query)) {
      return Matmul.linear(query, w, b).split(dim, 2);
    }
    List<Tensor> results = new ArrayList<>();
    for (Tensor x : inputs) {
      long from = results.size() * dim;
      results.add(
          Matmul.linear(x, w.narrow(0, from, dim), b == null ? null : b.narrow(0, from, dim)));
    }
    return results;
  }

  /** (N, T, E) as (N, heads, T, E / heads). */
  private Tensor split(Tensor x) {
    return x.reshape(x.size(0), x.size(1), heads, dim / heads).transpose(1, 2);
  }

  @Override
  public MultiHeadAttention on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public MultiHeadAttention on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }

  @Override
  public String toString() {
    return "MultiHeadAttention(%s, %s%s%s)"
        .formatted(
            dim,
            heads,
            options.bias() ? "" : ", bias=false",
            options.causal() ? ", causal=true" : "");
  }
}

package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Activation;
import dev.downhill.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * Self-attention and a small network at each position, each behind a layer normalisation and added
 * to what it read: x (N, T, E), h = x + attention(norm1(x)), y = h +
 * linear2(gelu(linear1(norm2(h)))).
 *
 * <p>The parts are {@code self_attn}, {@code linear1}, {@code linear2}, {@code norm1} and {@code
 * norm2}, as those of {@code nn.TransformerEncoderLayer} with {@code norm_first}, {@code
 * batch_first} and GELU.
 */
public final class TransformerBlock extends Layer {
  private final MultiHeadAttention attention;
  private final Linear up;
  private final Linear down;
  private final LayerNorm norm1;
  private final LayerNorm norm2;
  private final Dropout dropout;
  private final Dropout dropout1;
  private final Dropout dropout2;
  private final UnaryOperator<Tensor> activation;

  /**
   * What a block has.
   *
   * @param hidden how wide the network is inside; 0 for four times the features
   * @param causal whether position i sees positions 0 to i only
   * @param bias whether linear maps and normalisations have biases
   * @param dropout the probability of omitting, inside the network and behind both parts
   * @param activation between the two maps of the network
   */
  public record Options(
      long hidden, boolean causal, boolean bias, double dropout, UnaryOperator<Tensor> activation) {
    /** Four times as wide inside, all positions seen, biases, no dropout, GELU. */
    public static final Options DEFAULT = new Options(0, false, true, 0, Activation::gelu);

    /** So wide inside. */
    public Options withHidden(long width) {
      return new Options(width, causal, bias, dropout, activation);
    }

    /** Whether position i sees positions 0 to i only. */
    public Options withCausal(boolean whether) {
      return new Options(hidden, whether, bias, dropout, activation);
    }

    /** Without biases. */
    public Options withoutBias() {
      return new Options(hidden, causal, false, dropout, activation);
    }

    /** With this probability of omitting. */
    public Options withDropout(double p) {
      return new Options(hidden, causal, bias, p, activation);
    }

    /** With another function between the two maps, such as {@code Activation::geluTanh}. */
    public Options withActivation(UnaryOperator<Tensor> function) {
      return new Options(hidden, causal, bias, dropout, function);
    }
  }

  /** On {@code dim} features in {@code heads} heads. */
  public TransformerBlock(long dim, long heads) {
    this(dim, heads, Options.DEFAULT);
  }

  /** On {@code dim} features in {@code heads} heads. */
  public TransformerBlock(long dim, long heads, Options options) {
    MultiHeadAttention.Options attends =
        new MultiHeadAttention.Options(options.bias(), options.causal());
    Linear.Options linear = Linear.Options.DEFAULT;
    Linear.Options maps = options.bias() ? linear : linear.withoutBias();
    LayerNorm.Options norms = LayerNorm.Options.DEFAULT;
    norms = options.bias() ? norms : norms.withoutBias();
    long hidden = options.hidden() == 0 ? 4 * dim : options.hidden();
    attention = part("self_attn", new MultiHeadAttention(dim, heads, attends));
    up = part("linear1", new Linear(dim, hidden, maps));
    dropout = part("dropout", new Dropout(options.dropout()));
    down = part("linear2", new Linear(hidden, dim, maps));
    norm1 = part("norm1", new LayerNorm(Shape.of(dim), norms));
    norm2 = part("norm2", new LayerNorm(Shape.of(dim), norms));
    dropout1 = part("dropout1", new Dropout(options.dropout()));
    dropout2 = part("dropout2", new Dropout(options.dropout()));
    activation = options.activation();
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor h = x.add(dropout1.forward(attention.forward(norm1.forward(x))));
    Tensor inside = dropout.forward(activation.apply(up.forward(norm2.forward(h))));
    return h.add(dropout2.forward(down.forward(inside)));
  }

  @Override
  public TransformerBlock on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public TransformerBlock on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

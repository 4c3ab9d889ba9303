package dev.downhill.nn;

import dev.downhill.shape.Shape;
import dev.downhill.tensor.Recurrent;
import org.jspecify.annotations.Nullable;

/**
 * A layer that reads sequences step by step: x (T, N, in), or (N, T, in) if the batch comes first;
 * y likewise, the states after all steps.
 *
 * <p>With G gates and H = {@code hidden}, the parameters are {@code weight_ih_l0} (G H, in), {@code
 * weight_hh_l0} (G H, H), {@code bias_ih_l0} and {@code bias_hh_l0} (G H). All start uniform on
 * ±1/√H, as in PyTorch.
 */
public abstract sealed class RecurrentLayer extends Layer permits Lstm, Gru {
  private final long in;
  private final long hidden;
  private final Options options;
  private final Parameter inputWeight;
  private final Parameter hiddenWeight;
  private final @Nullable Parameter inputBias;
  private final @Nullable Parameter hiddenBias;

  /**
   * What a recurrent layer has.
   *
   * @param bias whether there are biases
   * @param batchFirst whether the batch comes before the time
   */
  public record Options(boolean bias, boolean batchFirst) {
    /** As in PyTorch: with biases, the time first. */
    public static final Options DEFAULT = new Options(true, false);

    /** Without biases. */
    public Options withoutBias() {
      return new Options(false, batchFirst);
    }

    /** With the batch before the time. */
    public Options withBatchFirst() {
      return new Options(bias, true);
    }
  }

  RecurrentLayer(int gates, long in, long hidden, Options options) {
    if (in < 1 || hidden < 1) {
      throw new IllegalArgumentException(
          "%s: expected 1 or more features, got in %s and hidden %s"
              .formatted(getClass().getSimpleName(), in, hidden));
    }
    this.in = in;
    this.hidden = hidden;
    this.options = options;
    double bound = 1 / Math.sqrt((double) hidden);
    Init init = Init.uniform(-bound, bound);
    Shape all = Shape.of(gates * hidden);
    inputWeight = parameter("weight_ih_l0", Shape.of(gates * hidden, in), init);
    hiddenWeight = parameter("weight_hh_l0", Shape.of(gates * hidden, hidden), init);
    inputBias = options.bias() ? parameter("bias_ih_l0", all, init) : null;
    hiddenBias = options.bias() ? parameter("bias_hh_l0", all, init) : null;
  }

  final Recurrent.Weights weights() {
    return new Recurrent.Weights(
        inputWeight.tensor(),
        hiddenWeight.tensor(),
        inputBias == null ? null : inputBias.tensor(),
        hiddenBias == null ? null : hiddenBias.tensor());
  }

  /** From zeros. */
  final Recurrent.Options fromZeros() {
    return Recurrent.Options.DEFAULT.withBatchFirst(options.batchFirst());
  }

  @Override
  public String toString() {
    return "%s(%s, %s%s%s)"
        .formatted(
            getClass().getSimpleName(),
            in,
            hidden,
            options.bias() ? "" : ", bias=false",
            options.batchFirst() ? ", batch_first=true" : "");
  }
}

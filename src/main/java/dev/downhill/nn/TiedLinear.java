package dev.downhill.nn;

import dev.downhill.tensor.Matmul;
import dev.downhill.tensor.Tensor;

/**
 * The linear map y = x wᵀ by the weight of another layer, such as the table of an {@link
 * Embedding}: x (..., in), y (..., out), without a bias (Press and Wolf 2017).
 *
 * <p>The weight stays the other layer's, once in the state and among the parameters, and gets the
 * sum of both uses' gradients. This layer has no parameters of its own.
 *
 * <pre>{@code
 * var table = new Embedding(50, 16);
 * var model = new Sequential(table, new LayerNorm(16), new TiedLinear(table.weight()));
 * }</pre>
 */
public final class TiedLinear extends Layer {
  private final Parameter weight;

  /** Multiplies by the transpose of {@code weight}, (out, in). */
  public TiedLinear(Parameter weight) {
    if (weight.shape().rank() != 2) {
      throw new IllegalArgumentException(
          "TiedLinear: expected a weight (out, in), got shape " + weight.shape());
    }
    this.weight = weight;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Matmul.linear(x, weight.tensor(), null);
  }

  @Override
  public String toString() {
    return "TiedLinear(%s, %s)".formatted(weight.shape().size(1), weight.shape().size(0));
  }
}

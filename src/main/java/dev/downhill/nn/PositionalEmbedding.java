package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Tensor;

/**
 * Adds to each step of a sequence the row of its position: x (..., T, dim) with T up to {@code
 * num}, y = x + weight[0:T], with the parameter {@code weight} (num, dim), which starts as N(0, 1),
 * as that of {@link Embedding}.
 */
public final class PositionalEmbedding extends Layer {
  private final long num;
  private final long dim;
  private final Parameter weight;

  /** A row of {@code dim} numbers for each of {@code num} positions. */
  public PositionalEmbedding(long num, long dim) {
    this(num, dim, Init.normal(0, 1));
  }

  /** A row of {@code dim} numbers for each of {@code num} positions, which starts so. */
  public PositionalEmbedding(long num, long dim, Init init) {
    if (num < 1 || dim < 1) {
      throw new IllegalArgumentException(
          "PositionalEmbedding: expected 1 or more positions and numbers, got num %s and dim %s"
              .formatted(num, dim));
    }
    this.num = num;
    this.dim = dim;
    weight = parameter("weight", Shape.of(num, dim), init);
  }

  /** The table, (num, dim). */
  public Parameter weight() {
    return weight;
  }

  @Override
  public Tensor forward(Tensor x) {
    if (x.dim() < 2 || x.size(-1) != dim || x.size(-2) > num) {
      throw new ShapeException(
          "positionalEmbedding: expected x (..., T, %s) with T up to %s, got shape %s"
              .formatted(dim, num, x.shape()));
    }
    return x.add(weight.tensor().narrow(0, 0, x.size(-2)));
  }

  @Override
  public PositionalEmbedding on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public PositionalEmbedding on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }

  @Override
  public String toString() {
    return "PositionalEmbedding(%s, %s)".formatted(num, dim);
  }
}

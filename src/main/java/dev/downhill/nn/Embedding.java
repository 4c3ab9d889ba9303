package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Indexing;
import dev.downhill.tensor.Tensor;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a table picked by index: x int64 (...), y (..., dim), with the parameter {@code weight}
 * (num, dim), which starts as N(0, 1), as in PyTorch. See {@link Indexing#embedding}.
 */
public final class Embedding extends Layer {
  private final long num;
  private final long dim;
  private final @Nullable Long paddingIdx;
  private final Parameter weight;

  /**
   * What an embedding starts with.
   *
   * @param paddingIdx a row that starts as zeros and gets no gradient, may count from the end; null
   *     for none
   * @param weightInit how the rows start
   */
  public record Options(@Nullable Long paddingIdx, Init weightInit) {
    /** No padding, N(0, 1). */
    public static final Options DEFAULT = new Options(null, Init.normal(0, 1));

    /** With a padding row. */
    public Options withPaddingIdx(long row) {
      return new Options(row, weightInit);
    }

    /** With rows that start so. */
    public Options withWeightInit(Init init) {
      return new Options(paddingIdx, init);
    }
  }

  /** A table of {@code num} rows of {@code dim} numbers. */
  public Embedding(long num, long dim) {
    this(num, dim, Options.DEFAULT);
  }

  /** A table of {@code num} rows of {@code dim} numbers. */
  public Embedding(long num, long dim, Options options) {
    Long padding = options.paddingIdx();
    if (num < 1 || dim < 1 || (padding != null && (padding < -num || padding >= num))) {
      throw new IllegalArgumentException(
          "Embedding: expected 1 or more rows and numbers and a padding row among them, got num %s, dim %s and padding %s"
              .formatted(num, dim, padding));
    }
    this.num = num;
    this.dim = dim;
    this.paddingIdx = padding;
    Init init = options.weightInit();
    weight =
        parameter(
            "weight",
            Shape.of(num, dim),
            padding == null ? init : padded(init, Math.floorMod(padding, num)));
  }

  /** Draws the padding row too, so that the others are what they would be without it. */
  private static Init padded(Init init, long row) {
    return (Shape shape, HostRandom random) -> {
      DoubleSupplier values = init.values(shape, random);
      long from = row * shape.size(1);
      long to = from + shape.size(1);
      long[] next = {0};
      return () -> {
        double value = values.getAsDouble();
        long i = next[0]++;
        return i >= from && i < to ? 0 : value;
      };
    };
  }

  /** The table, (num, dim). */
  public Parameter weight() {
    return weight;
  }

  @Override
  public Tensor forward(Tensor x) {
    return paddingIdx == null
        ? Indexing.embedding(x, weight.tensor())
        : Indexing.embedding(x, weight.tensor(), paddingIdx);
  }

  @Override
  public Embedding on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Embedding on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }

  @Override
  public String toString() {
    return "Embedding(%s, %s%s)"
        .formatted(num, dim, paddingIdx == null ? "" : ", padding " + paddingIdx);
  }
}

package dev.downhill.nn;

import dev.downhill.tensor.Pooling;
import dev.downhill.tensor.Tensor;

/** Largest elements of an image, as many as wanted. See {@link Pooling#adaptiveMaxPool2d}. */
public final class AdaptiveMaxPool2d extends Layer {
  private final long height;
  private final long width;

  /** A square output; 1 gives the largest of all elements. */
  public AdaptiveMaxPool2d(long size) {
    this(size, size);
  }

  /** An output of this size, where -1 keeps that of the input. */
  public AdaptiveMaxPool2d(long height, long width) {
    if (height < -1 || width < -1) {
      throw new IllegalArgumentException(
          "AdaptiveMaxPool2d: expected sizes of 0 or more, or -1, got %d and %d"
              .formatted(height, width));
    }
    this.height = height;
    this.width = width;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Pooling.adaptiveMaxPool2d(x, height, width);
  }

  @Override
  public String toString() {
    return height == width
        ? "AdaptiveMaxPool2d(output_size=%s)".formatted(text(height))
        : "AdaptiveMaxPool2d(output_size=(%s, %s))".formatted(text(height), text(width));
  }

  private static String text(long size) {
    return size == -1 ? "None" : Long.toString(size);
  }
}

package dev.downhill.nn;

import dev.downhill.tensor.Pooling;
import dev.downhill.tensor.Tensor;

/** Means of an image, as many as wanted. See {@link Pooling#adaptiveAvgPool2d}. */
public final class AdaptiveAvgPool2d extends Layer {
  private final long height;
  private final long width;

  /** A square output; 1 gives the mean of all elements. */
  public AdaptiveAvgPool2d(long size) {
    this(size, size);
  }

  /** An output of this size, where -1 keeps that of the input. */
  public AdaptiveAvgPool2d(long height, long width) {
    if (height < -1 || width < -1) {
      throw new IllegalArgumentException(
          "AdaptiveAvgPool2d: expected sizes of 0 or more, or -1, got %s and %s"
              .formatted(height, width));
    }
    this.height = height;
    this.width = width;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Pooling.adaptiveAvgPool2d(x, height, width);
  }

  @Override
  public String toString() {
    return height == width
        ? "AdaptiveAvgPool2d(output_size=%s)".formatted(text(height))
        : "AdaptiveAvgPool2d(output_size=(%s, %s))".formatted(text(height), text(width));
  }

  private static String text(long size) {
    return size == -1 ? "None" : Long.toString(size);
  }
}

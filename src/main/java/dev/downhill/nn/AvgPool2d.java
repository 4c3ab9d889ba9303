package dev.downhill.nn;

import dev.downhill.tensor.Pooling;
import dev.downhill.tensor.Tensor;

/** The mean of every window of an image. See {@link Pooling#avgPool2d}. */
public final class AvgPool2d extends Layer {
  private final Pooling.Average windows;

  /** Windows of this size side by side, one number for both directions or one for each. */
  public AvgPool2d(long... kernel) {
    this(Pooling.Average.of(kernel));
  }

  /** These windows. */
  public AvgPool2d(Pooling.Average windows) {
    this.windows = windows;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Pooling.avgPool2d(x, windows);
  }

  @Override
  public String toString() {
    return "AvgPool2d(kernel_size=%s, stride=%s, padding=%s)"
        .formatted(
            Printed.numbers(windows.kernel()),
            Printed.numbers(windows.stride().isEmpty() ? windows.kernel() : windows.stride()),
            Printed.numbers(windows.padding()));
  }
}

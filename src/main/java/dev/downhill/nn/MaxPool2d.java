package dev.downhill.nn;

import dev.downhill.tensor.Pooling;
import dev.downhill.tensor.Tensor;

/** The largest element of every window of an image. See {@link Pooling#maxPool2d}. */
public final class MaxPool2d extends Layer {
  private final Pooling.Max windows;

  /** Windows of this size side by side, one number for both directions or one for each. */
  public MaxPool2d(long... kernel) {
    this(Pooling.Max.of(kernel));
  }

  /** These windows. */
  public MaxPool2d(Pooling.Max windows) {
    this.windows = windows;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Pooling.maxPool2d(x, windows);
  }

  @Override
  public String toString() {
    return "MaxPool2d(kernel_size=%s, stride=%s, padding=%s, dilation=%s, ceil_mode=%s)"
        .formatted(
            Printed.numbers(windows.kernel()),
            Printed.numbers(windows.stride().isEmpty() ? windows.kernel() : windows.stride()),
            Printed.numbers(windows.padding()),
            Printed.numbers(windows.dilation()),
            windows.ceilMode() ? "True" : "False");
  }
}

package dev.downhill.backend;

import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;

/**
 * Elements of a buffer, seen through a layout.
 *
 * @param buffer the memory
 * @param layout which elements, in which order
 */
public record View(Buffer buffer, Layout layout) {
  /** Checks that the layout stays inside the buffer. */
  public View {
    assert layout.reach() <= buffer.numel() : layout + " reaches beyond " + buffer.numel();
  }

  /** The type of the elements. */
  public DType dtype() {
    return buffer.dtype();
  }

  /** The sizes. */
  public Shape shape() {
    return layout.shape();
  }

  /** The same buffer through another layout. */
  public View with(Layout other) {
    return new View(buffer, other);
  }
}

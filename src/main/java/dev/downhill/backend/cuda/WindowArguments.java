package dev.downhill.backend.cuda;

import dev.downhill.backend.Slide;
import dev.downhill.backend.View;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** {@code Windows} of kernels/window.cu. */
final class WindowArguments {
  private WindowArguments() {}

  /**
   * Writes how windows slide over an image.
   *
   * @param count places that the kernel computes
   * @param image the view whose strides the kernel reads
   * @param channels how many of its channels
   * @param x a view with the sizes of the image
   * @param y a view with a row and a column for each window
   */
  static void write(
      MemorySegment to,
      long count,
      View image,
      long channels,
      View x,
      View y,
      Slide rows,
      Slide columns) {
    set(to, 0, channels);
    write(to, 1, rows, x.shape().size(2), y.shape().size(2));
    write(to, 7, columns, x.shape().size(3), y.shape().size(3));
    for (int d = 0; d < 4; d++) {
      set(to, 13 + d, image.layout().stride(d));
    }
    set(to, 17, count >= Walk.LARGE_AT || Walk.FORCE_LARGE ? 1 : 0);
  }

  private static void write(MemorySegment to, int field, Slide slide, long length, long count) {
    set(to, field, slide.size());
    set(to, field + 1, slide.step());
    set(to, field + 2, slide.dilation());
    set(to, field + 3, slide.padding());
    set(to, field + 4, length);
    set(to, field + 5, count);
  }

  private static void set(MemorySegment to, int field, long value) {
    to.setAtIndex(ValueLayout.JAVA_LONG, field, value);
  }
}

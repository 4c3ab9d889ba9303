package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.Layout;
import java.lang.foreign.MemorySegment;

/**
 * A view with four dimensions - samples, channels, rows, columns - as numbers that loops read;
 * positions and strides are counted in elements. Set anew for each call, so that calls allocate
 * nothing.
 */
final class Image {
  MemorySegment segment = MemorySegment.NULL;
  long offset;
  long sample;
  long channel;
  long row;
  long column;
  int rows;
  int columns;

  Image set(View view) {
    Layout layout = view.layout();
    segment = CpuBuffer.segment(view);
    offset = layout.offset();
    sample = layout.stride(0);
    channel = layout.stride(1);
    row = layout.stride(2);
    column = layout.stride(3);
    rows = Math.toIntExact(layout.shape().size(2));
    columns = Math.toIntExact(layout.shape().size(3));
    return this;
  }

  /** Where an element lies. */
  long at(long n, long c, long y, long x) {
    return offset + n * sample + c * channel + y * row + x * column;
  }
}

package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Copies a rectangle of elements from any strides to any strides, one element after the other;
 * positions and strides are counted in bytes.
 */
final class ElementCopy {
  private ElementCopy() {}

  /**
   * Copies lines of elements.
   *
   * @param wide {@code f64}, else {@code f32}
   * @param at where the first line starts, {@code line} the way to the next, {@code step} that to
   *     the next element of a line; and the same for where they go
   */
  static void copy(
      boolean wide,
      MemorySegment from,
      long at,
      long line,
      long step,
      MemorySegment to,
      long toAt,
      long toLine,
      long toStep,
      int lines,
      int steps) {
    MemorySegment x = Scalars.offHeap(from);
    MemorySegment y = Scalars.offHeap(to);
    for (int l = 0; l < lines; l++) {
      if (wide) {
        line64(x, at, step, y, toAt, toStep, steps);
      } else {
        line32(x, at, step, y, toAt, toStep, steps);
      }
      at += line;
      toAt += toLine;
    }
  }

  // A call for each line, for the JIT compiler counts calls.

  private static void line32(
      MemorySegment x, long at, long step, MemorySegment y, long to, long toStep, int steps) {
    for (int p = 0; p < steps; p++) {
      Scalars.storeF32(Scalars.loadF32(x, at + p * step), y, to + p * toStep);
    }
  }

  private static void line64(
      MemorySegment x, long at, long step, MemorySegment y, long to, long toStep, int steps) {
    for (int p = 0; p < steps; p++) {
      Scalars.storeF64(Scalars.loadF64(x, at + p * step), y, to + p * toStep);
    }
  }
}

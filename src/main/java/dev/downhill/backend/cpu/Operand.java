package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * One side of a matrix product: for each matrix of a stack, lines of k elements. The lines of the
 * left side are its rows, those of the right side its columns. {@link Matrices} are read from
 * memory; other sides may make their elements while they are packed.
 */
interface Operand {
  /**
   * Copies steps {@code k} to {@code k + depth} of some lines to a panel that runs along k: step p
   * of line l goes to element {@code p * width + l} of the panel, and elements from {@code lines}
   * to {@code width} of each step are 0. Threads call this at the same time.
   *
   * @param at where in {@code to} the panel starts, in bytes
   * @param width a whole number of vectors, the fewest that hold the lines
   */
  void pack(
      long matrix, long line, int lines, long k, int depth, MemorySegment to, long at, int width);
}

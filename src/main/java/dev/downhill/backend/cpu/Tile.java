package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The innermost part of a matrix product: some rows and vectors of columns of y, kept in registers
 * while k runs. Positions and strides are counted in bytes.
 */
interface Tile {
  /**
   * y = (start + a b) + end, where start + a b is one chain of fused multiply-adds in the order of
   * k. Columns lie side by side in all but a.
   *
   * @param ia where the first row of a starts
   * @param aLine from row to row of a
   * @param aStep from step to step of k in a
   * @param ib where the first step of k in b starts
   * @param bStep from step to step of k in b
   * @param depth how many steps of k
   * @param start what the sums start from; may be y itself
   * @param end a row, from the start of the segment
   */
  void multiply(
      MemorySegment a,
      long ia,
      long aLine,
      long aStep,
      MemorySegment b,
      long ib,
      long bStep,
      int depth,
      MemorySegment start,
      long is,
      long startLine,
      MemorySegment end,
      MemorySegment y,
      long iy,
      long yLine);
}

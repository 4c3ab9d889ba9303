package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The innermost loop of a matrix product: some rows and vectors of columns of y, whose sums stay in
 * registers while k runs. Positions and strides are counted in bytes.
 */
interface Tile {
  /**
   * y = start + a b; each sum is one chain of fused multiply-adds in the order of k.
   *
   * @param ia where the first row of a starts
   * @param aLine from row to row of a
   * @param aStep from step to step of k in a
   * @param ib where the first step of k in b starts; its columns lie side by side
   * @param bStep from step to step of k in b
   * @param depth how many steps of k
   * @param start what the sums begin with, laid out as y; {@code startLine} of 0 begins every row
   *     with the same
   * @param yLine from row to row of y; its columns lie side by side
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
      long iStart,
      long startLine,
      MemorySegment y,
      long iy,
      long yLine);
}

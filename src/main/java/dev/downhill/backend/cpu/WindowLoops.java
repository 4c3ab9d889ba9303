package dev.downhill.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The inner loops of {@link CpuConvolution} and {@link CpuPooling}, on heap arrays. Positions in
 * segments are counted in elements of {@code f32}.
 */
interface WindowLoops {
  /** Up to a multiple of how many columns a product may read and write. */
  int COLUMNS = 32;

  /**
   * c[i, j] = or += the sum over k, in order and each step fused, of a[rows[ir + i] + ia + k]
   * b[columns[k] + j].
   *
   * @param height rows
   * @param width columns; up to a multiple of {@link #COLUMNS} are computed
   * @param stride from row to row of c
   */
  void product(
      float[] a,
      int[] rows,
      int ir,
      int ia,
      float[] b,
      int[] columns,
      int depth,
      int height,
      int width,
      boolean add,
      float[] c,
      int stride);

  /**
   * Copies a part of an image side by side: planes of lines.
   *
   * @param at where the part starts
   */
  void load(Image image, long at, int planes, int lines, int width, float[] to, int it);

  /**
   * Copies lines and writes {@code outside} around them. What follows the last line is overwritten
   * with anything, up to {@link #COLUMNS} elements.
   *
   * @param down from line to line in {@code from}
   * @param across from element to element in {@code from}
   * @param stride from line to line in {@code to}
   * @param before how many elements lie before those copied; the rest of a line lies behind
   */
  void lines(
      float[] from,
      int i,
      int down,
      int across,
      int lines,
      int width,
      float[] to,
      int it,
      int stride,
      int before,
      float outside);

  /** Stores a line of elements, {@code across} apart, plus a number: -0 changes nothing. */
  void store(float[] from, int i, int width, float added, MemorySegment s, long at, long across);

  /** Stores a line of integers as {@code i64}; {@code at} is counted in these. */
  void store(int[] from, int width, MemorySegment s, long at);

  /**
   * to[i, j] = element i of line j of an image.
   *
   * @param down from line to line in the segment
   * @param across from element to element in the segment
   * @param stride from row to row of {@code to}
   */
  void transpose(
      MemorySegment s,
      long at,
      long down,
      long across,
      int lines,
      int width,
      float[] to,
      int it,
      int stride);

  /**
   * For windows p: the largest of a[ia + places[k] + p] over k, the first of equal ones, NaN if
   * there is one, and origin[at + p] + delta[k] of it; -infinity and first[at + p] if all are
   * -infinity.
   *
   * @param width windows; up to a multiple of {@link #COLUMNS} are looked at
   */
  void largest(
      float[] a,
      int ia,
      int[] places,
      int[] first,
      int[] origin,
      int at,
      int[] delta,
      int width,
      float[] best,
      int[] chosen);

  /**
   * {@link #largest} for windows inside their plane, whose elements are read where they lie.
   *
   * @param s the plane, from element {@code at} on, the elements of a row side by side
   * @param down from the windows of one row to those of the next
   * @param across from window to window, 1 or 2
   * @param taps where the elements of the first window lie, from {@code at} on
   * @param origin from {@code io} on, the index of each window's first element, at {@code taps[0]}
   * @param high rows of windows
   * @param wide windows of a row; up to a multiple of {@link #COLUMNS} are looked at
   */
  void largestInside(
      MemorySegment s,
      long at,
      long down,
      int across,
      long[] taps,
      int[] origin,
      int io,
      int[] delta,
      int high,
      int wide,
      float[] best,
      int[] chosen);

  /** On the Vector API where it is there. */
  static WindowLoops of() {
    return Simd.AVAILABLE ? new VectorWindowLoops() : new ScalarWindowLoops();
  }
}

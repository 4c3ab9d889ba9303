package dev.downhill.backend.cpu;

/**
 * The innermost loop of {@link WindowLoops#product}: some rows and vectors of columns of c, whose
 * sums stay in registers while k runs.
 */
interface WindowTile {
  /**
   * c = or += a b: see {@link WindowLoops#product}.
   *
   * @param j the first column of b
   * @param ic where the first row of c starts
   */
  void multiply(
      float[] a,
      int[] rows,
      int ir,
      int ia,
      float[] b,
      int[] columns,
      int j,
      int depth,
      boolean add,
      float[] c,
      int ic,
      int stride);
}

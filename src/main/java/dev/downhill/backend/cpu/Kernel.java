package dev.downhill.backend.cpu;

/** The innermost two loops of an elementwise operator. */
interface Kernel {
  /**
   * Runs over a rectangle of elements.
   *
   * @param loop the memory, the inner strides and the scalars
   * @param xi where in x the rectangle starts, in bytes; likewise the others
   */
  void run(StridedLoop loop, long xi, long yi, long ci, long zi, long rows, long cols);
}

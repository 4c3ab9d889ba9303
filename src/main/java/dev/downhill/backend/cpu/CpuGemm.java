package dev.downhill.backend.cpu;

/**
 * The loops of a matrix product in one element type, with packed copies of what is being
 * multiplied; each thread has its own. An element of the product is one chain of fused
 * multiply-adds in the order of k, so an implementation is free in how it cuts, but not in what it
 * computes.
 */
interface CpuGemm {
  /** The most rows of a block of y. */
  int ROWS = 256;

  /** The most columns of a block of y. */
  int COLS = 256;

  /** How many steps of k are packed at a time. */
  int DEPTH = 256;

  /**
   * Computes one block of y.
   *
   * @param ia where in a the first row of the block starts
   * @param ib where in b the first column of the block starts
   * @param iy where in y the block starts
   */
  void block(Product product, long ia, long ib, long iy, int rows, int cols);

  /** y = alpha a b + beta y, with k columns of a and rows of b. */
  record Product(Matrices a, Matrices b, Matrices y, long k, double alpha, double beta) {}

  /** The loops for {@code f32}: on the Vector API where it is there. */
  static CpuGemm f32() {
    return Simd.AVAILABLE ? new CpuVectorGemm() : new CpuGemmF32();
  }
}

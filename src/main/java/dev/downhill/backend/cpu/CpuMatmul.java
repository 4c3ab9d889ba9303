package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.lang.foreign.ValueLayout;

/**
 * Batched matrix products. Every element is what {@link #reference} says, bit for bit: a chain of
 * fused multiply-adds in the order of k, in the element type, however y is cut into blocks.
 */
final class CpuMatmul {
  private final Workers workers;
  private final ThreadLocal<CpuGemm> f32 = ThreadLocal.withInitial(CpuGemm::f32);
  private final ThreadLocal<CpuGemm> f64 = ThreadLocal.withInitial(CpuGemmF64::new);

  CpuMatmul(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#matmul}. */
  void matmul(View a, View b, double alpha, double beta, View y) {
    if (y.shape().numel() == 0) {
      return;
    }
    CpuGemm.Product product = product(a, b, alpha, beta, y);
    ThreadLocal<CpuGemm> gemm = y.dtype() == DType.F64 ? f64 : f32;
    long m = y.shape().size(y.shape().rank() - 2);
    long n = y.shape().size(y.shape().rank() - 1);
    Blocks blocks = Blocks.of(product.y().count(), m, n, product.k());
    workers.run(
        blocks.tasks(),
        task -> {
          CpuGemm mine = gemm.get();
          long end = Math.min(blocks.count(), (task + 1) * blocks.perTask());
          for (long block = task * blocks.perTask(); block < end; block++) {
            long j = block % blocks.across() * blocks.cols();
            long i = block / blocks.across() % blocks.down() * blocks.rows();
            long matrix = block / blocks.across() / blocks.down();
            mine.block(
                product,
                product.a().at(matrix, i, 0),
                product.b().at(matrix, 0, j),
                product.y().at(matrix, i, j),
                (int) Math.min(blocks.rows(), m - i),
                (int) Math.min(blocks.cols(), n - j));
          }
        });
  }

  private static CpuGemm.Product product(View a, View b, double alpha, double beta, View y) {
    int rank = y.shape().rank();
    assert y.shape().size(rank - 1) == 1 || y.layout().stride(rank - 1) == 1 : y.layout();
    long k = a.shape().size(rank - 1);
    return new CpuGemm.Product(Matrices.of(a), Matrices.of(b), Matrices.of(y), k, alpha, beta);
  }

  /**
   * How a stack of matrices is cut into blocks, and blocks are dealt to tasks.
   *
   * @param rows of a block
   * @param cols of a block
   * @param down blocks below each other in a matrix
   * @param across blocks side by side
   * @param count blocks in all matrices
   * @param perTask blocks of a task
   */
  private record Blocks(int rows, int cols, long down, long across, long count, long perTask) {
    /** Multiply-adds below which another thread costs more than it brings. */
    private static final long SMALL = 1 << 16;

    /** Blocks wanted of one large product; more would copy the operands more often. */
    private static final int ENOUGH = 4;

    static Blocks of(long matrices, long m, long n, long k) {
      long down = ceil(m, CpuGemm.ROWS);
      long across = ceil(n, CpuGemm.COLS);
      while (matrices * down * across < ENOUGH
          && matrices * m * n * k > SMALL
          && Math.max(m / down, n / across) >= 64) {
        if (m / down >= n / across) {
          down *= 2;
        } else {
          across *= 2;
        }
      }
      int rows = part(m, down);
      int cols = part(n, across);
      down = ceil(m, rows);
      across = ceil(n, cols);
      long perTask = ceil(SMALL, Math.max(1, (long) rows * cols * k));
      return new Blocks(rows, cols, down, across, matrices * down * across, perTask);
    }

    int tasks() {
      return Math.toIntExact(ceil(count, perTask));
    }

    /** About equal parts, of whole tiles where there are several. */
    private static int part(long size, long parts) {
      return (int) (parts == 1 ? size : 32 * ceil(ceil(size, parts), 32));
    }

    private static long ceil(long x, long y) {
      return (x + y - 1) / y;
    }
  }

  /** The definition of {@link #matmul}, one element after the other. */
  static void reference(View a, View b, double alpha, double beta, View y) {
    CpuGemm.Product p = product(a, b, alpha, beta, y);
    Shape shape = y.shape();
    long m = shape.size(shape.rank() - 2);
    long n = shape.size(shape.rank() - 1);
    for (long e = 0; e < shape.numel(); e++) {
      long ia = p.a().at(e / n / m, e / n % m, 0);
      long ib = p.b().at(e / n / m, 0, e % n);
      long iy = p.y().at(e / n / m, e / n % m, e % n);
      if (y.dtype() == DType.F64) {
        element64(p, ia, ib, iy);
      } else {
        element32(p, ia, ib, iy);
      }
    }
  }

  private static void element32(CpuGemm.Product p, long ia, long ib, long iy) {
    float alpha = (float) p.alpha();
    float beta = (float) p.beta();
    float sum = 0;
    for (long k = 0; k < p.k(); k++) {
      float a = p.a().segment().getAtIndex(ValueLayout.JAVA_FLOAT, ia + k * p.a().colStride());
      float b = p.b().segment().getAtIndex(ValueLayout.JAVA_FLOAT, ib + k * p.b().rowStride());
      sum = Math.fma(a, b, sum);
    }
    float y =
        beta == 0
            ? alpha * sum
            : Math.fma(alpha, sum, beta * p.y().segment().getAtIndex(ValueLayout.JAVA_FLOAT, iy));
    p.y().segment().setAtIndex(ValueLayout.JAVA_FLOAT, iy, y);
  }

  private static void element64(CpuGemm.Product p, long ia, long ib, long iy) {
    double sum = 0;
    for (long k = 0; k < p.k(); k++) {
      double a = p.a().segment().getAtIndex(ValueLayout.JAVA_DOUBLE, ia + k * p.a().colStride());
      double b = p.b().segment().getAtIndex(ValueLayout.JAVA_DOUBLE, ib + k * p.b().rowStride());
      sum = Math.fma(a, b, sum);
    }
    double y =
        p.beta() == 0
            ? p.alpha() * sum
            : Math.fma(
                p.alpha(), sum, p.beta() * p.y().segment().getAtIndex(ValueLayout.JAVA_DOUBLE, iy));
    p.y().segment().setAtIndex(ValueLayout.JAVA_DOUBLE, iy, y);
  }
}

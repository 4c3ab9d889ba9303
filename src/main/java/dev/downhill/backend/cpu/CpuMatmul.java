package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Batched matrix products. Every element is what {@link #reference} says, bit for bit: a chain of
 * fused multiply-adds in the order of k, in the element type, that begins with the bias or beta y,
 * however y is cut into blocks.
 */
final class CpuMatmul {
  private final Workers workers;
  private final ThreadLocal<CpuGemm> f32 = ThreadLocal.withInitial(() -> new CpuGemm(false));
  private final ThreadLocal<CpuGemm> f64 = ThreadLocal.withInitial(() -> new CpuGemm(true));

  // One product at a time, so that it costs no memory.
  private final Job shared = new Job();

  CpuMatmul(Workers workers) {
    this.workers = workers;
  }

  /** What is set to a product; captured work keeps its own. */
  private static final class Job {
    final Matrices left = new Matrices();
    final Matrices right = new Matrices();
    final Product product = new Product();
    final Blocks blocks = new Blocks();
  }

  private Job job() {
    return workers.isCapturing() ? new Job() : shared;
  }

  /** See {@link dev.downhill.backend.Backend#matmul}. */
  void matmul(View a, View b, double alpha, double beta, View y) {
    long k = a.shape().size(a.shape().rank() - 1);
    Job job = job();
    multiply(job, job.left.rows(a), job.right.columns(b), k, alpha, beta, y, null);
  }

  /** y = bias + a b. */
  void matmul(View a, View b, View bias, View y) {
    long k = a.shape().size(a.shape().rank() - 1);
    Job job = job();
    multiply(job, job.left.rows(a), job.right.columns(b), k, 1, 0, y, bias);
  }

  /**
   * y = bias + alpha a b, or beta y + alpha a b, where the operands need not lie in memory.
   *
   * @param k the length of the lines of a and b
   * @param y its batch dimensions and sizes are those of the product; columns of stride 1
   * @param bias a row that every row begins with, or null; with it beta is 0
   */
  void multiply(
      Operand a, Operand b, long k, double alpha, double beta, View y, @Nullable View bias) {
    multiply(job(), a, b, k, alpha, beta, y, bias);
  }

  private void multiply(
      Job job,
      Operand a,
      Operand b,
      long k,
      double alpha,
      double beta,
      View y,
      @Nullable View bias) {
    if (y.shape().numel() == 0) {
      return;
    }
    Product product = job.product;
    product.set(a, b, k, alpha, beta, y, bias);
    boolean narrow = product.n <= (k < LONG ? NARROW : 2 * NARROW - 1);
    if (narrow && product.n < product.m && alpha == 1) {
      product.swap(y, bias);
    }
    job.blocks.set(product, y.dtype() == DType.F64 ? f64 : f32, workers.threads());
    workers.run(job.blocks.tasks(), job.blocks);
  }

  /**
   * Columns that are too few for a vector, where the vectors can run along the rows instead: the
   * product of the transposes is computed. Long sums make up for the way its columns are stored.
   */
  private static final int NARROW = 8;

  private static final int LONG = 64;

  /** How a stack of matrices is cut into blocks, and blocks are dealt to tasks. */
  private static final class Blocks implements IntConsumer {
    /** Work below which another thread costs more than it brings. */
    private static final long SMALL = 1 << 18;

    /**
     * Multiply-adds that an element read or written counts for: it may have to come from the cache
     * of another processor, which takes longest where much is written and little computed.
     */
    private static final long MOVE = 32;

    /** Columns that are multiplied as fast as more. */
    private static final int WIDE = 64;

    /** Rows that are. */
    private static final int HIGH = 16;

    /** So many blocks for each thread that it does not matter who has one more. */
    private static final int MANY = 8;

    private Product product = new Product();
    private @Nullable ThreadLocal<CpuGemm> gemm;
    private int rows;
    private int cols;
    private long down;
    private long across;
    private long count;
    private long perTask;

    /**
     * Cuts a product so that no thread has a block more than another. Blocks side by side share
     * nothing but the rows of a, which are read where they are, and two for each thread even out
     * what else its processor does. A block below another packs the same columns of b again.
     */
    void set(Product p, ThreadLocal<CpuGemm> g, int threads) {
      product = p;
      gemm = g;
      down = ceil(p.m, CpuGemm.ROWS);
      across = ceil(p.n, CpuGemm.COLS);
      while (work(p.m, p.n, p.k) / (down * across) > 2 * SMALL) {
        long blocks = p.count * down * across;
        boolean uneven = blocks % threads != 0 && blocks < (long) MANY * threads;
        if ((uneven || blocks < 2L * threads) && p.n / across >= 2 * WIDE) {
          across++;
        } else if (uneven && p.m / down >= 2 * HIGH) {
          down++;
        } else {
          break;
        }
      }
      rows = part(p.m, down, Tiles.ROWS);
      cols = part(p.n, across, WIDE);
      down = ceil(p.m, rows);
      across = ceil(p.n, cols);
      count = p.count * down * across;
      perTask = ceil(SMALL, Math.max(1, work(rows, cols, p.k)));
    }

    /** Of a product of these sizes, in multiply-adds. */
    private static long work(long m, long n, long k) {
      return m * n * k + MOVE * (m * n + m * k + n * k);
    }

    int tasks() {
      return Math.toIntExact(ceil(count, perTask));
    }

    @Override
    public void accept(int task) {
      CpuGemm mine = Objects.requireNonNull(gemm).get();
      Product p = product;
      long end = Math.min(count, (task + 1) * perTask);
      for (long block = task * perTask; block < end; block++) {
        long j = block % across * cols;
        long i = block / across % down * rows;
        long matrix = block / across / down;
        mine.block(p, matrix, i, j, (int) Math.min(rows, p.m - i), (int) Math.min(cols, p.n - j));
      }
    }

    /** About equal parts, of whole tiles where there are several. */
    private static int part(long size, long parts, int tile) {
      return (int) (parts == 1 ? size : tile * ceil(ceil(size, parts), tile));
    }

    private static long ceil(long x, long y) {
      return (x + y - 1) / y;
    }
  }

  /** The definition of {@link #multiply}, one element after the other. */
  static void reference(View a, View b, double alpha, double beta, View y, @Nullable View bias) {
    Product p = new Product();
    Matrices left = new Matrices().rows(a);
    Matrices right = new Matrices().columns(b);
    p.set(left, right, a.shape().size(a.shape().rank() - 1), alpha, beta, y, bias);
    for (long e = 0; e < p.count * p.m * p.n; e++) {
      long matrix = e / p.n / p.m;
      long i = e / p.n % p.m;
      long j = e % p.n;
      if (y.dtype() == DType.F64) {
        element64(p, left, right, matrix, i, j);
      } else {
        element32(p, left, right, matrix, i, j);
      }
    }
  }

  private static void element32(Product p, Matrices a, Matrices b, long matrix, long i, long j) {
    MemorySegment y = p.y.segment();
    long iy = p.y.at(matrix, i, j);
    Matrices bias = p.bias;
    float sum = bias == null ? 0 : Scalars.loadF32(bias.segment(), bias.at(0, 0, j));
    if (p.beta != 0) {
      sum = (float) p.beta * Scalars.loadF32(y, iy);
    }
    for (long k = 0; k < p.k; k++) {
      float x = (float) p.alpha * Scalars.loadF32(a.segment(), a.at(matrix, i, k));
      sum = Math.fma(x, Scalars.loadF32(b.segment(), b.at(matrix, j, k)), sum);
    }
    Scalars.storeF32(sum, y, iy);
  }

  private static void element64(Product p, Matrices a, Matrices b, long matrix, long i, long j) {
    MemorySegment y = p.y.segment();
    long iy = p.y.at(matrix, i, j);
    Matrices bias = p.bias;
    double sum = bias == null ? 0 : Scalars.loadF64(bias.segment(), bias.at(0, 0, j));
    if (p.beta != 0) {
      sum = p.beta * Scalars.loadF64(y, iy);
    }
    for (long k = 0; k < p.k; k++) {
      double x = p.alpha * Scalars.loadF64(a.segment(), a.at(matrix, i, k));
      sum = Math.fma(x, Scalars.loadF64(b.segment(), b.at(matrix, j, k)), sum);
    }
    Scalars.storeF64(sum, y, iy);
  }
}

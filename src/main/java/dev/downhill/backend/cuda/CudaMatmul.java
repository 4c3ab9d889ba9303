package dev.downhill.backend.cuda;

import dev.downhill.backend.Binary;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasOperation;

/**
 * Batched matrix products by cuBLAS, which counts along columns: seen so, a row-major matrix is its
 * own transpose, and y = a b is computed as yᵀ = bᵀ aᵀ. No operand is copied.
 */
final class CudaMatmul {
  private static final long VECTOR_BYTES = 16;

  private final CudaDevice device;
  private final CudaElementwise elementwise;
  private final Cublas cublas;
  private final MatmulPrecision precision = MatmulPrecision.configured();

  // alpha and beta, which cuBLAS reads while it is called.
  private final MemorySegment scalars = Arena.ofAuto().allocate(2 * Double.BYTES);
  private final Address alphaAt = new Address(scalars.address());
  private final Address betaAt = new Address(scalars.address() + Double.BYTES);

  CudaMatmul(CudaDevice device, CudaElementwise elementwise) {
    this.device = device;
    this.elementwise = elementwise;
    this.cublas = new Cublas(device);
  }

  /** The library and how it computes, for people. */
  String describe() {
    return "cuBLAS %s, %s".formatted(Cublas.version(), precision);
  }

  /** See {@link dev.downhill.backend.Backend#matmul}. */
  void matmul(View a, View b, double alpha, double beta, View y) {
    if (y.shape().numel() == 0) {
      return;
    }
    if (a.shape().size(a.shape().rank() - 1) == 0) {
      scale(y, beta);
      return;
    }
    Product product = Product.of(a, b, y);
    put(y.dtype(), alpha, beta);
    Batches batches = product.batches;
    if (batches.count() == 1) {
      one(product, 0);
    } else if (batches.isEven()) {
      even(product);
    } else if (tableWorks(product)) {
      table(product);
    } else {
      for (long matrix = 0; matrix < batches.count(); matrix++) {
        one(product, matrix);
      }
    }
  }

  /** The product of matrices without inner elements. */
  private void scale(View y, double beta) {
    if (beta == 0) {
      elementwise.fill(y, 0);
    } else if (beta != 1) {
      elementwise.binary(Binary.MUL, y, beta, y);
    }
  }

  private void put(DType dtype, double alpha, double beta) {
    if (dtype == DType.F64) {
      scalars.set(ValueLayout.JAVA_DOUBLE, 0, alpha);
      scalars.set(ValueLayout.JAVA_DOUBLE, Double.BYTES, beta);
    } else {
      scalars.set(ValueLayout.JAVA_FLOAT, 0, (float) alpha);
      scalars.set(ValueLayout.JAVA_FLOAT, Double.BYTES, (float) beta);
    }
  }

  private int computeType(DType dtype) {
    return switch (dtype) {
      case F64 -> cublasComputeType.CUBLAS_COMPUTE_64F;
      case F32 -> precision.computeType();
      case BF16 -> cublasComputeType.CUBLAS_COMPUTE_32F;
      default -> throw new AssertionError(dtype);
    };
  }

  private static int dataType(DType dtype) {
    return switch (dtype) {
      case F64 -> cudaDataType.CUDA_R_64F;
      case F32 -> cudaDataType.CUDA_R_32F;
      case BF16 -> cudaDataType.CUDA_R_16BF;
      default -> throw new AssertionError(dtype);
    };
  }

  /**
   * Whether a table of pointers may be used. cuBLAS cannot look into one, and on tensor cores it
   * takes all matrices to start at a multiple of 16 bytes.
   */
  private boolean tableWorks(Product p) {
    boolean tensorCores =
        p.dtype == DType.BF16 || (p.dtype == DType.F32 && precision != MatmulPrecision.FULL);
    if (!tensorCores) {
      return true;
    }
    for (long matrix = 0; matrix < p.batches.count(); matrix++) {
      long any = p.address(p.a, matrix) | p.address(p.b, matrix) | p.address(p.y, matrix);
      if (any % VECTOR_BYTES != 0) {
        return false;
      }
    }
    return true;
  }

  private void one(Product p, long matrix) {
    int type = dataType(p.dtype);
    Address a = new Address(p.address(p.a, matrix));
    Address b = new Address(p.address(p.b, matrix));
    Address y = new Address(p.address(p.y, matrix));
    cublas.call(
        "cublasGemmEx",
        p,
        handle ->
            JCublas2.cublasGemmEx_new(
                handle,
                p.b.operation,
                p.a.operation,
                p.n,
                p.m,
                p.k,
                alphaAt,
                b,
                type,
                p.b.distance,
                a,
                type,
                p.a.distance,
                betaAt,
                y,
                type,
                p.y.distance,
                computeType(p.dtype),
                cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
  }

  private void even(Product p) {
    int type = dataType(p.dtype);
    Address a = new Address(p.address(p.a, 0));
    Address b = new Address(p.address(p.b, 0));
    Address y = new Address(p.address(p.y, 0));
    cublas.call(
        "cublasGemmStridedBatchedEx",
        p,
        handle ->
            JCublas2.cublasGemmStridedBatchedEx_new(
                handle,
                p.b.operation,
                p.a.operation,
                p.n,
                p.m,
                p.k,
                alphaAt,
                b,
                type,
                p.b.distance,
                p.batches.stride(p.b.view),
                a,
                type,
                p.a.distance,
                p.batches.stride(p.a.view),
                betaAt,
                y,
                type,
                p.y.distance,
                p.batches.stride(p.y.view),
                p.count(),
                computeType(p.dtype),
                cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
  }

  private void table(Product p) {
    int count = p.count();
    long[] pointers = new long[Math.multiplyExact(3, count)];
    for (int matrix = 0; matrix < count; matrix++) {
      pointers[matrix] = p.address(p.a, matrix);
      pointers[count + matrix] = p.address(p.b, matrix);
      pointers[2 * count + matrix] = p.address(p.y, matrix);
    }
    long bytes = (long) Long.BYTES * count;
    long table = device.workspace(3 * bytes);
    device.upload(MemorySegment.ofArray(pointers), table);
    int type = dataType(p.dtype);
    Address a = new Address(table);
    Address b = new Address(table + bytes);
    Address y = new Address(table + 2 * bytes);
    cublas.call(
        "cublasGemmBatchedEx",
        p,
        handle ->
            JCublas2.cublasGemmBatchedEx_new(
                handle,
                p.b.operation,
                p.a.operation,
                p.n,
                p.m,
                p.k,
                alphaAt,
                b,
                type,
                p.b.distance,
                a,
                type,
                p.a.distance,
                betaAt,
                y,
                type,
                p.y.distance,
                count,
                computeType(p.dtype),
                cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
  }

  /**
   * The matrices of a view as cuBLAS wants to hear of them.
   *
   * @param view its number: a is 0, b 1, y 2
   * @param start the address of the first matrix
   * @param operation what makes it the transpose of the view's matrix
   * @param distance of the lines of a matrix, in elements
   */
  private record Operand(int view, long start, int operation, int distance) {
    static Operand of(int number, View view) {
      int rank = view.shape().rank();
      long rows = view.shape().size(rank - 2);
      long columns = view.shape().size(rank - 1);
      long down = view.layout().stride(rank - 2);
      long across = view.layout().stride(rank - 1);
      boolean rowMajor = (across == 1 || columns == 1) && (down >= columns || rows == 1);
      assert rowMajor || ((down == 1 || rows == 1) && (across >= rows || columns == 1)) : view;
      return new Operand(
          number,
          CudaBuffer.address(view),
          rowMajor ? cublasOperation.CUBLAS_OP_N : cublasOperation.CUBLAS_OP_T,
          rowMajor ? distance(rows, down, columns) : distance(columns, across, rows));
    }

    /** Of a single line, any distance that fits. */
    private static int distance(long lines, long stride, long length) {
      return Math.toIntExact(lines == 1 ? length : stride);
    }
  }

  /** y (m, n) = a (m, k) b (k, n), for all batches. */
  private record Product(
      DType dtype, int m, int n, int k, Operand a, Operand b, Operand y, Batches batches) {

    static Product of(View a, View b, View y) {
      int rank = y.shape().rank();
      assert y.shape().size(rank - 1) == 1 || y.layout().stride(rank - 1) == 1 : y.layout();
      Batches batches = Batches.of(a, b, y);
      try {
        // The number of matrices is checked with the rest.
        Math.toIntExact(3 * batches.count());
        return new Product(
            y.dtype(),
            Math.toIntExact(y.shape().size(rank - 2)),
            Math.toIntExact(y.shape().size(rank - 1)),
            Math.toIntExact(a.shape().size(rank - 1)),
            Operand.of(0, a),
            Operand.of(1, b),
            Operand.of(2, y),
            batches);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            ("matmul: expected sizes, distances of rows and numbers of matrices that cuBLAS can"
                    + " count in 32 bits, got %s times %s")
                .formatted(a.layout(), b.layout()),
            e);
      }
    }

    int count() {
      return (int) batches.count();
    }

    long address(Operand operand, long matrix) {
      return operand.start + batches.position(operand.view, matrix) * dtype.bytes();
    }

    @Override
    public String toString() {
      return "%s products (%s, %s) times (%s, %s) of %s"
          .formatted(batches.count(), m, k, k, n, dtype);
    }
  }
}

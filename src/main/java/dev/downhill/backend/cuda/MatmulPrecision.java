package dev.downhill.backend.cuda;

import jcuda.jcublas.cublasComputeType;
import org.jspecify.annotations.Nullable;

/** How {@code f32} products are computed; {@code -Ddownhill.cuda.matmul} asks for a faster way. */
enum MatmulPrecision {
  /** With the 24 bits of {@code f32} throughout. */
  FULL("in full precision", cublasComputeType.CUBLAS_COMPUTE_32F_PEDANTIC),
  /** With 11 bits of each factor. */
  TF32("with factors rounded to tf32", cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32),
  /** With 8 bits of each factor. */
  BF16("with factors rounded to bf16", cublasComputeType.CUBLAS_COMPUTE_32F_FAST_16BF);

  private static final String PROPERTY = "downhill.cuda.matmul";

  private final String text;
  private final int computeType;

  MatmulPrecision(String text, int computeType) {
    this.text = text;
    this.computeType = computeType;
  }

  /** What the system property says, by default {@link #FULL}. */
  static MatmulPrecision configured() {
    return of(System.getProperty(PROPERTY));
  }

  static MatmulPrecision of(@Nullable String name) {
    return switch (name) {
      case null -> FULL;
      case "f32" -> FULL;
      case "tf32" -> TF32;
      case "bf16" -> BF16;
      default ->
          throw new IllegalArgumentException(
              "%s: expected f32, tf32 or bf16, got '%s'".formatted(PROPERTY, name));
    };
  }

  /** The {@code cublasComputeType}. */
  int computeType() {
    return computeType;
  }

  @Override
  public String toString() {
    return "f32 products " + text;
  }
}

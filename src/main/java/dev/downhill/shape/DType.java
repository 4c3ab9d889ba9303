package dev.downhill.shape;

/**
 * The element types a tensor can have. Types never mix silently: convert with {@code to(dtype)}.
 */
public enum DType {
  /** IEEE double precision. */
  F64(8, "float64", "f64"),
  /** IEEE single precision, the default. */
  F32(4, "float32", "f32"),
  /** bfloat16: stored in 16 bits, computed in {@link #F32} and rounded once per operator. */
  BF16(2, "bfloat16", "bf16"),
  /** 64-bit signed integer; indices and sums of integers have this type. */
  I64(8, "int64", "i64"),
  /** 32-bit signed integer, wrapping on overflow. */
  I32(4, "int32", "i32"),
  /** 8-bit unsigned integer, wrapping on overflow. */
  U8(1, "uint8", "u8"),
  /** A truth value stored as one byte, 0 or 1. */
  BOOL(1, "bool", "bool");

  private final int bytes;
  private final String label;
  private final String suffix;

  DType(int bytes, String label, String suffix) {
    this.bytes = bytes;
    this.label = label;
    this.suffix = suffix;
  }

  /** The size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** Whether elements are floating-point numbers, the only ones that can have gradients. */
  public boolean isFloating() {
    return this == F64 || this == F32 || this == BF16;
  }

  /** The short name used in kernel names: {@code f32}, {@code i64}, ... */
  public String suffix() {
    return suffix;
  }

  /** The name NumPy and PyTorch use: {@code float32}, {@code int64}, ... */
  @Override
  public String toString() {
    return label;
  }
}

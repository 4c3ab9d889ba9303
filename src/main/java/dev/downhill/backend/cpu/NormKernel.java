package dev.downhill.backend.cpu;

import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;

/** The loops of {@link CpuNorm} for one norm and one element type. Positions in elements. */
interface NormKernel {
  /** Partial results: element i of a part goes to lane i mod 16, at every vector width. */
  int LANES = 16;

  /**
   * The sum of |x|^p over {@code n} elements, or for infinity the largest |x|, in double.
   *
   * @param lanes room for {@link #LANES} numbers
   */
  double part(MemorySegment x, long at, int n, double[] lanes);

  /** Multiplies {@code n} elements, in double, and rounds each product to the element's type. */
  void scale(MemorySegment x, long at, int n, double factor);

  /** Makes a kernel: a class of its own, in which the case is a constant. */
  static NormKernel of(Case c) {
    boolean vectors = Simd.AVAILABLE && c.dtype() != DType.BF16;
    return HiddenClass.copy(vectors ? VectorNorm.class : ScalarNorm.class, NormKernel.class, c);
  }

  /** What a kernel is made for, and the loops on single elements. */
  record Case(double p, DType dtype) {
    double join(double first, double second) {
      return p == Double.POSITIVE_INFINITY ? Math.max(first, second) : first + second;
    }

    /** Adds the elements {@code from} to {@code n - 1} of a part to their lanes. */
    void add(MemorySegment x, long at, int from, int n, double[] lanes) {
      for (int i = from; i < n; i++) {
        double value = load(x, at + i);
        double lane = lanes[i % LANES];
        lanes[i % LANES] = p == 2 ? Math.fma(value, value, lane) : join(lane, Math.abs(value));
      }
    }

    double fold(double[] lanes) {
      for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
          lanes[l] = join(lanes[l], lanes[l + half]);
        }
      }
      return lanes[0];
    }

    void scale(MemorySegment x, long at, int n, double factor) {
      for (long i = at; i < at + n; i++) {
        double product = load(x, i) * factor;
        switch (dtype) {
          case F64 -> Scalars.storeF64(product, x, i * Double.BYTES);
          case F32 -> Scalars.storeF32((float) product, x, i * Float.BYTES);
          case BF16 -> Scalars.storeBf16((float) product, x, i * Short.BYTES);
          case I64, I32, U8, BOOL -> throw new AssertionError(dtype);
        }
      }
    }

    private double load(MemorySegment x, long i) {
      return switch (dtype) {
        case F64 -> Scalars.loadF64(x, i * Double.BYTES);
        case F32 -> Scalars.loadF32(x, i * Float.BYTES);
        case BF16 -> Scalars.loadBf16(x, i * Short.BYTES);
        case I64, I32, U8, BOOL -> throw new AssertionError(dtype);
      };
    }
  }
}

package dev.downhill.backend.cpu;

import dev.downhill.backend.Reduce;
import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;

/**
 * The loops of one reduction of one element type. A partial result is 64 bits: a double for the
 * floating types, else a long. Positions are counted in bytes.
 */
interface ReduceKernel {
  /** Partial sums of a block: element i goes to lane i mod 16. */
  int LANES = 16;

  /** The most elements that make one partial result. */
  int BLOCK = 4096;

  /** The most results at a time, columns or rows. */
  int RESULTS = 1024;

  /** The partial results of {@code rows} rows of {@code n} neighbouring elements. */
  void rows(MemorySegment x, long[] starts, int rows, int n, Scratch scratch, long[] results);

  /** The partial results of {@code cols} columns, whose {@code n} rows start at {@code starts}. */
  void columns(MemorySegment x, long[] starts, int n, int cols, Scratch scratch, long[] results);

  /** The partial result of two neighbouring blocks. */
  long combine(long first, long second);

  /** Rounds each of {@code n} results once, to y's type. */
  void store(long[] results, int n, MemorySegment y, long[] places);

  /** The lanes of a thread: each holds a sum per column, or one. */
  final class Scratch {
    final float[][] f32 = new float[LANES][RESULTS];
    final double[][] f64 = new double[LANES][RESULTS];
  }

  /** What a kernel is made for. */
  record Case(Reduce op, DType dtype) {}

  /** Makes a kernel: a class of its own, in which the operator is a constant. */
  static ReduceKernel of(Case c) {
    Class<? extends ReduceKernel> template =
        !c.dtype().isFloating()
            ? IntegerReduce.class
            : c.dtype() == DType.F32 && Simd.AVAILABLE ? VectorReduce.class : FloatReduce.class;
    return HiddenClass.copy(template, ReduceKernel.class, c);
  }
}

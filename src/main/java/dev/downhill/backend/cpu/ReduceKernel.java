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

  /** The most columns at a time. */
  int COLUMNS = 1024;

  /** The partial result of {@code n} neighbouring elements. */
  long row(MemorySegment x, long at, int n, Scratch scratch);

  /** The partial results of {@code cols} columns, whose rows start at {@code rows}. */
  void columns(MemorySegment x, long[] rows, int n, int cols, Scratch scratch, long[] results);

  /** The partial result of two neighbouring blocks. */
  long combine(long first, long second);

  /** Rounds the result once, to y's type. */
  void store(long result, MemorySegment y, long at);

  /** The lanes of a thread: each holds a sum per column, or one. */
  final class Scratch {
    final float[][] f32 = new float[LANES][COLUMNS];
    final double[][] f64 = new double[LANES][COLUMNS];
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

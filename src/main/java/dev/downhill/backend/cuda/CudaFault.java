package dev.downhill.backend.cuda;

import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What kernels say about an index out of range: {@code Fault} of kernels/common.cuh, in the words
 * of the CPU backend. A fault holds numbers only, so every use of an index has a code that stands
 * for its operator and shapes. Equal uses share one, and it is never given to another: recorded
 * work may report it at any time.
 */
final class CudaFault {
  private static final long CODE = 0;
  private static final long INDEX = 8;
  private static final long SIZE = 16;
  private static final long POSITION = 24;

  private static final String CLASSES = "crossEntropy";
  private static final Uses USES = new Uses();

  private CudaFault() {}

  /**
   * The code of an operator that reads or writes through an index. Positions are counted in
   * row-major order of the index.
   *
   * @param indexed the shape that the index points into
   * @param dim the dimension in which it does
   * @param index the shape of the index
   */
  static int ofIndex(String op, Shape indexed, int dim, Shape index) {
    return USES.code(op, indexed, dim, index, 0);
  }

  /**
   * The code of {@code crossEntropy}. Positions are counted in row-major order of the targets.
   *
   * @param targets the shape of the targets
   * @param ignore the target that is no class and no fault
   */
  static int ofClass(Shape targets, long ignore) {
    return USES.code(CLASSES, targets, 0, targets, ignore);
  }

  /**
   * Reports a fault.
   *
   * @param fault as copied from the device
   * @throws IllegalArgumentException if there is one
   */
  static void check(MemorySegment fault) {
    int code = fault.get(ValueLayout.JAVA_INT, CODE);
    if (code != 0) {
      Use use = USES.get(code);
      throw new IllegalArgumentException(
          use.message(
              fault.get(ValueLayout.JAVA_LONG, INDEX),
              fault.get(ValueLayout.JAVA_LONG, SIZE),
              fault.get(ValueLayout.JAVA_LONG, POSITION)));
    }
  }

  /** What a code stands for. */
  private record Use(String op, Shape indexed, int dim, Shape index, long ignore) {

    boolean is(String op, Shape indexed, int dim, Shape index, long ignore) {
      return this.dim == dim
          && this.ignore == ignore
          && this.op.equals(op)
          && this.index.equals(index)
          && this.indexed.equals(indexed);
    }

    static int hash(String op, Shape indexed, int dim, Shape index, long ignore) {
      int hash = op.hashCode();
      hash = 31 * hash + indexed.hashCode();
      hash = 31 * hash + dim;
      hash = 31 * hash + index.hashCode();
      hash = 31 * hash + Long.hashCode(ignore);
      return hash ^ hash >>> 16;
    }

    int hash() {
      return hash(op, indexed, dim, index, ignore);
    }

    String message(long value, long size, long position) {
      return op.equals(CLASSES)
          ? "%s: class %s at position %s out of range, expected 0 to %s, or %s to ignore (shapes %s)"
              .formatted(op, value, position, size - 1, ignore, index)
          : ("%s: index %s at position %s out of range, expected 0 to %s"
                  + " (input %s, dimension %s, index %s)")
              .formatted(op, value, place(position), size - 1, indexed, dim, index);
    }

    private String place(long position) {
      long[] place = new long[index.rank()];
      for (int d = place.length - 1; d >= 0; d--) {
        place[d] = position % index.size(d);
        position /= index.size(d);
      }
      return Arrays.toString(place);
    }
  }

  /**
   * All uses so far, found by what they are without allocating: a table of codes with open
   * addressing. Any thread may ask for one.
   */
  private static final class Uses {
    private final List<Use> uses = new ArrayList<>();
    private int[] codes = new int[64];

    synchronized Use get(int code) {
      return uses.get(code - 1);
    }

    synchronized int code(String op, Shape indexed, int dim, Shape index, long ignore) {
      int at = Use.hash(op, indexed, dim, index, ignore) & (codes.length - 1);
      while (codes[at] != 0) {
        if (uses.get(codes[at] - 1).is(op, indexed, dim, index, ignore)) {
          return codes[at];
        }
        at = (at + 1) & (codes.length - 1);
      }
      uses.add(new Use(op, indexed, dim, index, ignore));
      codes[at] = uses.size();
      if (2 * uses.size() > codes.length) {
        grow();
      }
      return uses.size();
    }

    private void grow() {
      codes = new int[2 * codes.length];
      for (int code = 1; code <= uses.size(); code++) {
        int at = uses.get(code - 1).hash() & (codes.length - 1);
        while (codes[at] != 0) {
          at = (at + 1) & (codes.length - 1);
        }
        codes[at] = code;
      }
    }
  }
}

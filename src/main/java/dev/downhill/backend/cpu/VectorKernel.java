package dev.downhill.backend.cpu;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Rows of {@code f32} vector by vector, where the elements of z are neighbours and those of x and y
 * neighbours or all the same; what is left over, and other strides, element by element.
 */
final class VectorKernel implements Kernel {
  private final Formula formula;
  private final Kernel scalar;

  /** The loops for rows x and y, for one x and rows y, and for rows x and one y. */
  private final AtomicReferenceArray<LaneLoop> loops = new AtomicReferenceArray<>(3);

  VectorKernel(Formula formula, Kernel scalar) {
    this.formula = formula;
    this.scalar = scalar;
  }

  @Override
  public void run(StridedLoop s, long xi, long yi, long ci, long zi, long rows, long cols) {
    boolean sameX = s.x.colStride == 0;
    boolean sameY = s.y.colStride == 0;
    if (cols < Lanes.SPECIES.length()
        || s.z.colStride != Float.BYTES
        || (s.x.colStride != Float.BYTES && !sameX)
        || (s.y.colStride != Float.BYTES && !sameY)
        || (sameX && sameY)) {
      scalar.run(s, xi, yi, ci, zi, rows, cols);
      return;
    }
    LaneLoop loop = loop(sameX, sameY);
    for (long r = 0; r < rows; r++) {
      long done =
          loop.run(
              s.x.segment, xi, s.y.segment, yi, s.z.segment, zi, (float) s.a, (float) s.b, cols);
      if (done < cols) {
        scalar.run(
            s,
            xi + done * s.x.colStride,
            yi + done * s.y.colStride,
            ci,
            zi + done * Float.BYTES,
            1,
            cols - done);
      }
      xi += s.x.rowStride;
      yi += s.y.rowStride;
      zi += s.z.rowStride;
    }
  }

  private LaneLoop loop(boolean sameX, boolean sameY) {
    int at = sameX ? 1 : sameY ? 2 : 0;
    LaneLoop known = loops.get(at);
    if (known == null) {
      known = LaneCompiler.compile(formula, sameX, sameY);
      loops.set(at, known);
    }
    return known;
  }
}

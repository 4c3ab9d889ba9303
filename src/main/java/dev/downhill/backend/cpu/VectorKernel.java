package dev.downhill.backend.cpu;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Rows of {@code f32} vector by vector, where the elements of z are neighbours and those of x and y
 * neighbours or all the same; what is left over, and other strides, element by element.
 */
final class VectorKernel implements Kernel {
  private final Formula formula;
  private final Kernel scalar;
  private final AtomicReferenceArray<LaneLoop> loops = new AtomicReferenceArray<>(8);

  VectorKernel(Formula formula, Kernel scalar) {
    this.formula = formula;
    this.scalar = scalar;
  }

  @Override
  public void run(StridedLoop s, long xi, long yi, long ci, long zi, long rows, long cols) {
    boolean sameX = s.x.colStride == 0;
    boolean sameY = s.y.colStride == 0;
    int step = Lanes.SPECIES.length();
    if (cols < step
        || s.z.colStride != Float.BYTES
        || (s.x.colStride != Float.BYTES && !sameX)
        || (s.y.colStride != Float.BYTES && !sameY)) {
      scalar.run(s, xi, yi, ci, zi, rows, cols);
      return;
    }
    long done = cols - cols % step;
    loop(sameX, sameY, cols < 16L * step && rows > cols / step)
        .run(
            s.x.segment,
            xi,
            s.x.rowStride,
            s.y.segment,
            yi,
            s.y.rowStride,
            s.z.segment,
            zi,
            s.z.rowStride,
            (float) s.a,
            (float) s.b,
            rows,
            done);
    if (done < cols) {
      long x = xi + done * s.x.colStride;
      long y = yi + done * s.y.colStride;
      scalar.run(s, x, y, ci, zi + done * Float.BYTES, rows, cols - done);
    }
  }

  private LaneLoop loop(boolean sameX, boolean sameY, boolean manyRows) {
    int at = (sameX ? 1 : 0) + (sameY ? 2 : 0) + (manyRows ? 4 : 0);
    LaneLoop known = loops.get(at);
    if (known == null) {
      known = LaneCompiler.compile(formula, sameX, sameY, manyRows);
      loops.set(at, known);
    }
    return known;
  }
}

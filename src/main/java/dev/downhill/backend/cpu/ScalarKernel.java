package dev.downhill.backend.cpu;

import dev.downhill.shape.DType;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;

/** Element by element; a template for {@link HiddenClass#copy}. */
final class ScalarKernel implements Kernel {
  /** What makes a copy. */
  record Code(Element element, DType in, DType out) {}

  private static final Code CODE = HiddenClass.constant(MethodHandles.lookup(), Code.class);
  private static final Element ELEMENT = CODE.element();
  private static final long IN = CODE.in().bytes();
  private static final long OUT = CODE.out().bytes();

  ScalarKernel() {}

  @Override
  public void run(StridedLoop s, long xi, long yi, long ci, long zi, long rows, long cols) {
    if (s.x.colStride == IN && s.y.colStride == IN && s.z.colStride == OUT) {
      dense(s, xi, yi, ci, zi, rows, cols);
    } else {
      strided(s, xi, yi, ci, zi, rows, cols);
    }
  }

  /** Several times as fast as {@link #strided}: with constant strides, bounds are checked once. */
  private static void dense(
      StridedLoop s, long xi, long yi, long ci, long zi, long rows, long cols) {
    MemorySegment x = Scalars.offHeap(s.x.segment);
    MemorySegment y = Scalars.offHeap(s.y.segment);
    MemorySegment c = Scalars.offHeap(s.c.segment);
    MemorySegment z = Scalars.offHeap(s.z.segment);
    long cs = s.c.colStride;
    double a = s.a;
    double b = s.b;
    for (long r = 0; r < rows; r++) {
      for (long i = 0; i < cols; i++) {
        ELEMENT.at(x, xi + i * IN, y, yi + i * IN, c, ci + i * cs, z, zi + i * OUT, a, b);
      }
      xi += s.x.rowStride;
      yi += s.y.rowStride;
      ci += s.c.rowStride;
      zi += s.z.rowStride;
    }
  }

  private static void strided(
      StridedLoop s, long xi, long yi, long ci, long zi, long rows, long cols) {
    MemorySegment x = Scalars.offHeap(s.x.segment);
    MemorySegment y = Scalars.offHeap(s.y.segment);
    MemorySegment c = Scalars.offHeap(s.c.segment);
    MemorySegment z = Scalars.offHeap(s.z.segment);
    long xs = s.x.colStride;
    long ys = s.y.colStride;
    long cs = s.c.colStride;
    long zs = s.z.colStride;
    double a = s.a;
    double b = s.b;
    for (long r = 0; r < rows; r++) {
      for (long i = 0; i < cols; i++) {
        ELEMENT.at(x, xi + i * xs, y, yi + i * ys, c, ci + i * cs, z, zi + i * zs, a, b);
      }
      xi += s.x.rowStride;
      yi += s.y.rowStride;
      ci += s.c.rowStride;
      zi += s.z.rowStride;
    }
  }
}

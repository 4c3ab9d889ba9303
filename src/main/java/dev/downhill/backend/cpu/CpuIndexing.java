package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Reading and adding at places that an index names. All indices are checked before anything is
 * written.
 */
final class CpuIndexing {
  /** The least elements of a task. */
  private static final long PIECE = 1 << 14;

  /** Rows whose places are found at a time; they stay in the first cache. */
  private static final int ROWS = 64;

  /** Elements that plain loops do in some 10 ms. */
  private static final Early EARLY = Early.until(1 << 22);

  private final Workers workers;
  private final ThreadLocal<long[]> places = ThreadLocal.withInitial(() -> new long[ROWS]);

  CpuIndexing(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#gather}. */
  void gather(View x, int dim, View index, View y) {
    check("gather", x.shape(), dim, index);
    if (y.shape().numel() == 0) {
      return;
    }
    IndexWalk walk = new IndexWalk(y, x, dim, index);
    MemorySegment from = CpuBuffer.segment(x);
    MemorySegment to = CpuBuffer.segment(y);
    int bytes = y.dtype().bytes();
    long xs = walk.indexedRunStride() * bytes;
    long ys = walk.directRunStride() * bytes;
    long count = walk.count();
    long perTask = Math.ceilDiv(PIECE, walk.run());
    boolean dense = xs == bytes && ys == bytes;
    long length = walk.run() * bytes;
    IndexWalk.Visitor copy =
        (yi, step, rows, n) -> {
          if (dense
              && vectors(n * walk.run())
              && VectorCopy.gather(from, rows, bytes, to, yi * bytes, step * bytes, n, length)) {
            return;
          }
          MemorySegment source = Scalars.offHeap(from);
          MemorySegment target = Scalars.offHeap(to);
          for (int r = 0; r < n; r++) {
            long at = (yi + r * step) * bytes;
            AnyType.copy(source, rows[r] * bytes, xs, target, at, ys, walk.run(), bytes);
          }
        };
    workers.run(
        Math.toIntExact(Math.ceilDiv(count, perTask)),
        task -> {
          long end = Math.min(count, (task + 1) * perTask);
          walk.forEach(task * perTask, end, places.get(), copy);
        });
  }

  private static boolean vectors(long work) {
    return Simd.AVAILABLE && !EARLY.is(work);
  }

  /**
   * See {@link dev.downhill.backend.Backend#scatterAdd}. Two elements of x meet in y only if they
   * differ in {@code dim} alone, so tasks share out the dimensions before it and the run behind it,
   * and each keeps the order of p.
   */
  void scatterAdd(View x, int dim, View index, View y) {
    check("scatterAdd", y.shape(), dim, index);
    if (x.shape().numel() == 0) {
      return;
    }
    IndexWalk walk = new IndexWalk(x, y, dim, index);
    Adder adder = new Adder(x, walk.directRunStride(), y, walk.indexedRunStride());
    long perPrefix = walk.count() / walk.before();
    long wanted = Math.ceilDiv(walk.count() * walk.run(), PIECE);
    long prefixes = Math.ceilDiv(walk.before(), Math.min(wanted, walk.before()));
    long groups = Math.ceilDiv(walk.before(), prefixes);
    long strips = Math.clamp(wanted / groups, 1, Math.max(1, walk.run() / 32));
    long width = Math.ceilDiv(walk.run(), strips);
    IndexWalk.Visitor[] add = new IndexWalk.Visitor[Math.toIntExact(strips)];
    for (int strip = 0; strip < strips; strip++) {
      long column = strip * width;
      long n = Math.min(width, walk.run() - column);
      add[strip] = (xi, step, rows, count) -> adder.add(xi, step, rows, count, column, n);
    }
    workers.run(
        Math.toIntExact(groups * strips),
        task -> {
          long group = task / strips;
          walk.forEach(
              group * prefixes * perPrefix,
              Math.min(walk.before(), (group + 1) * prefixes) * perPrefix,
              places.get(),
              add[(int) (task % strips)]);
        });
  }

  /** Adds parts of runs of x to runs of y. */
  private record Adder(DType dtype, MemorySegment x, long xs, MemorySegment y, long ys) {

    Adder(View x, long xs, View y, long ys) {
      this(y.dtype(), CpuBuffer.segment(x), xs, CpuBuffer.segment(y), ys);
    }

    void add(long xStart, long step, long[] places, int rows, long column, long n) {
      boolean dense = dtype == DType.F32 && xs == 1 && ys == 1;
      long done =
          dense && vectors(rows * n)
              ? CpuVectorAdd.add(x, xStart, step, y, places, rows, column, n)
              : 0;
      for (int r = 0; done < n && r < rows; r++) {
        long xi = xStart + r * step + (column + done) * xs;
        add(xi, places[r] + (column + done) * ys, n - done);
      }
    }

    private void add(long xi, long yi, long n) {
      switch (dtype) {
        case F32 -> {
          for (long i = 0; i < n; i++) {
            long at = (yi + i * ys) * Float.BYTES;
            float z = Scalars.loadF32(y, at) + Scalars.loadF32(x, (xi + i * xs) * Float.BYTES);
            Scalars.storeF32(z, y, at);
          }
        }
        case F64 -> {
          for (long i = 0; i < n; i++) {
            long at = (yi + i * ys) * Double.BYTES;
            double z = Scalars.loadF64(y, at) + Scalars.loadF64(x, (xi + i * xs) * Double.BYTES);
            Scalars.storeF64(z, y, at);
          }
        }
        case I64 -> {
          for (long i = 0; i < n; i++) {
            long at = (yi + i * ys) * Long.BYTES;
            long z = Scalars.loadI64(y, at) + Scalars.loadI64(x, (xi + i * xs) * Long.BYTES);
            Scalars.storeI64(z, y, at);
          }
        }
        case I32 -> {
          for (long i = 0; i < n; i++) {
            long at = (yi + i * ys) * Integer.BYTES;
            long z = Scalars.loadI32(y, at) + Scalars.loadI32(x, (xi + i * xs) * Integer.BYTES);
            Scalars.storeI32((int) z, y, at);
          }
        }
        case U8 -> {
          for (long i = 0; i < n; i++) {
            long at = yi + i * ys;
            long z = Scalars.loadU8(y, at) + Scalars.loadU8(x, xi + i * xs);
            Scalars.storeU8((int) z, y, at);
          }
        }
        case BF16, BOOL -> throw new AssertionError(dtype);
      }
    }
  }

  /** Looks at every index once, however often the view repeats it. */
  private void check(String op, Shape indexed, int dim, View index) {
    Layout once = once(index.layout());
    long count = once.shape().numel();
    if (count == 0) {
      return;
    }
    Layout line = once.reshape(Shape.of(count));
    Rows rows = Rows.of(index.with(line == null ? once : line));
    long size = indexed.rank() == 0 ? 1 : indexed.size(dim);
    workers.run(
        Math.toIntExact(Math.ceilDiv(count, PIECE)),
        task -> {
          long end = Math.min(count, (task + 1) * PIECE);
          for (long p = task * PIECE; p < end; ) {
            long i = p % rows.length();
            long n = Math.min(rows.length() - i, end - p);
            long at = rows.start(p / rows.length()) + i * rows.stride();
            long good = good(rows.segment(), at, rows.stride(), n, size);
            if (good < n) {
              throw new IllegalArgumentException(
                  ("%s: index %s at position %s out of range, expected 0 to %s"
                          + " (input %s, dimension %s, index %s)")
                      .formatted(
                          op,
                          Scalars.loadI64(rows.segment(), (at + good * rows.stride()) * Long.BYTES),
                          position(once.shape(), p + good),
                          size - 1,
                          indexed,
                          dim,
                          index.shape()));
            }
            p += n;
          }
        });
  }

  /** The layout without repetitions. */
  private static Layout once(Layout layout) {
    Shape shape = layout.shape();
    long[] strides = new long[shape.rank()];
    for (int d = 0; d < strides.length; d++) {
      strides[d] = layout.stride(d);
      shape = strides[d] == 0 && shape.size(d) > 1 ? shape.with(d, 1) : shape;
    }
    return Layout.of(shape, strides, layout.offset());
  }

  /** How many of {@code n} indices are in range before the first that is not. */
  private static long good(MemorySegment s, long start, long stride, long n, long size) {
    MemorySegment index = Scalars.offHeap(s);
    boolean all =
        stride == 1 // a loop of its own can be made of vectors
            ? areGood(index, start, 1, n, size)
            : areGood(index, start, stride, n, size);
    long good = all ? n : 0;
    while (good < n && areGood(index, start + good * stride, 1, 1, size)) {
      good++;
    }
    return good;
  }

  /** No branch for each index: the sign of all is looked at. */
  private static boolean areGood(MemorySegment s, long start, long stride, long n, long size) {
    long signs = 0;
    for (int i = 0; i < n; i++) {
      long index = Scalars.loadI64(s, (start + i * stride) * Long.BYTES);
      signs |= index | (size - 1 - index);
    }
    return signs >= 0;
  }

  private static String position(Shape shape, long p) {
    long[] position = new long[shape.rank()];
    for (int d = shape.rank() - 1; d >= 0; d--) {
      position[d] = p % shape.size(d);
      p /= shape.size(d);
    }
    return Arrays.toString(position);
  }
}

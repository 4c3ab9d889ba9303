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

  private final Workers workers;

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
    IndexWalk.Visitor copy =
        (yi, xi) ->
            AnyType.copy(
                Scalars.offHeap(from),
                xi * bytes,
                xs,
                Scalars.offHeap(to),
                yi * bytes,
                ys,
                walk.run(),
                bytes);
    workers.run(
        Math.toIntExact(Math.ceilDiv(count, perTask)),
        task -> walk.forEach(task * perTask, Math.min(count, (task + 1) * perTask), copy));
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
      add[strip] = (xi, yi) -> adder.add(xi, yi, column, n);
    }
    workers.run(
        Math.toIntExact(groups * strips),
        task -> {
          long group = task / strips;
          walk.forEach(
              group * prefixes * perPrefix,
              Math.min(walk.before(), (group + 1) * prefixes) * perPrefix,
              add[(int) (task % strips)]);
        });
  }

  /** Adds parts of runs of x to runs of y. */
  private record Adder(DType dtype, MemorySegment x, long xs, MemorySegment y, long ys) {

    Adder(View x, long xs, View y, long ys) {
      this(y.dtype(), CpuBuffer.segment(x), xs, CpuBuffer.segment(y), ys);
    }

    void add(long xStart, long yStart, long column, long n) {
      long xi = xStart + column * xs;
      long yi = yStart + column * ys;
      switch (dtype) {
        case F32 -> {
          long done = xs == 1 && ys == 1 && Simd.AVAILABLE ? CpuVectorAdd.add(x, xi, y, yi, n) : 0;
          for (long i = done; i < n; i++) {
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
    Layout layout = index.layout();
    Shape shape = layout.shape();
    Shape distinct = shape;
    for (int d = 0; d < shape.rank(); d++) {
      if (layout.stride(d) == 0 && shape.size(d) > 1) {
        distinct = distinct.with(d, 1);
      }
    }
    Rows rows = Rows.of(index.with(withShape(layout, distinct)));
    long size = indexed.rank() == 0 ? 1 : indexed.size(dim);
    long count = rows.length() == 0 ? 0 : rows.count();
    long perTask = Math.ceilDiv(PIECE, Math.max(1, rows.length()));
    workers.run(
        Math.toIntExact(Math.ceilDiv(count, perTask)),
        task -> {
          long end = Math.min(count, (task + 1) * perTask);
          for (long row = task * perTask; row < end; row++) {
            long start = rows.start(row);
            for (long i = 0; i < rows.length(); i++) {
              long at = start + i * rows.stride();
              long value = Scalars.loadI64(rows.segment(), at * Long.BYTES);
              if (value < 0 || value >= size) {
                throw new IllegalArgumentException(
                    ("%s: index %s at position %s out of range, expected 0 to %s"
                            + " (input %s, dimension %s, index %s)")
                        .formatted(
                            op,
                            value,
                            position(rows.layout().shape(), shape.rank(), row, i),
                            size - 1,
                            indexed,
                            dim,
                            shape));
              }
            }
          }
        });
  }

  private static Layout withShape(Layout layout, Shape shape) {
    long[] strides = new long[shape.rank()];
    Arrays.setAll(strides, layout::stride);
    return Layout.of(shape, strides, layout.offset());
  }

  private static String position(Shape shape, int rank, long row, long column) {
    long[] position = new long[rank];
    for (int d = rank - 1; d >= 0; d--) {
      long size = d == rank - 1 ? 1 : shape.size(d);
      position[d] = d == rank - 1 ? column : row % size;
      row /= size;
    }
    return Arrays.toString(position);
  }
}

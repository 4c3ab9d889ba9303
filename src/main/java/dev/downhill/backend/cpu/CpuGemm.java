package dev.downhill.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Computes blocks of a matrix product; each thread has its own, with room for packed operands.
 * Positions and strides are counted in bytes.
 *
 * <p>For some 256 steps of k at a time, the rows of a stay in the second-level cache; one panel of
 * b, as wide as a tile, is read or packed, stays in the first-level cache, and is multiplied with
 * all of them.
 */
final class CpuGemm {
  /** The most rows of a block. */
  static final int ROWS = 512;

  /** The most steps of k between two visits of y. */
  private static final int DEPTH = 256;

  private final boolean wide;
  private final Tiles tiles;
  private final int bytes;
  private final int lanes;
  private final int width;

  // What is packed of a and of b, and a tile that would reach over the edge.
  private final MemorySegment packedA;
  private final MemorySegment packedB;
  private final MemorySegment corner;

  /** What sums start from. */
  private final MemorySegment zeros;

  /** What is added at the end: a part of the bias. */
  private final MemorySegment bias;

  /** Likewise, for no bias: -0, which changes nothing, not even the sign of a 0. */
  private final MemorySegment nothing;

  // Where the tiles read now.
  private MemorySegment a;
  private long ia;
  private long aLine;
  private long aStep;
  private MemorySegment b;
  private long ib;
  private long bStep;

  /**
   * For one thread.
   *
   * @param wide {@code f64}, else {@code f32}
   */
  CpuGemm(boolean wide) {
    this.wide = wide;
    tiles = new Tiles(wide);
    bytes = tiles.bytes();
    lanes = tiles.lanes();
    width = Tiles.VECTORS * lanes;
    Arena arena = Arena.ofAuto();
    packedA = arena.allocate((long) ROWS * DEPTH * bytes, 64);
    packedB = arena.allocate((long) width * DEPTH * bytes, 64);
    zeros = arena.allocate((long) width * bytes, 64);
    bias = arena.allocate((long) width * bytes, 64);
    nothing = arena.allocate((long) width * bytes, 64);
    for (int c = 0; c < width; c++) {
      if (wide) {
        nothing.setAtIndex(ValueLayout.JAVA_DOUBLE, c, -0.0);
      } else {
        nothing.setAtIndex(ValueLayout.JAVA_FLOAT, c, -0.0f);
      }
    }
    corner = arena.allocate((long) Tiles.ROWS * width * bytes, 64);
    a = packedA;
    b = packedB;
  }

  /** Computes {@code rows} by {@code cols} elements of a matrix of y, from (i, j). */
  void block(Product p, long matrix, long i, long j, int rows, int cols) {
    if (p.beta != 0 && p.beta != 1) {
      scale(
          p.y.segment(),
          p.y.at(matrix, i, j),
          p.y.lineStride(),
          p.y.stepStride(),
          rows,
          cols,
          p.beta);
    }
    int depth = part(p.k);
    long k = 0;
    do {
      int steps = (int) Math.min(depth, p.k - k);
      boolean add = k > 0 || p.beta != 0;
      boolean last = k + steps == p.k;
      left(p, matrix, i, k, rows, steps, cols);
      for (int c = 0; c < cols; c += width) {
        int across = Math.min(width, cols - c);
        right(p, matrix, j + c, k, across, steps, rows);
        panel(p, matrix, i, j + c, rows, across, steps, add, last);
      }
      k += steps;
    } while (k < p.k);
  }

  /** About equal parts of k, so that the last is not a small one. */
  private static int part(long k) {
    long parts = Math.max(1, (k + DEPTH - 1) / DEPTH);
    return (int) Math.min(DEPTH, (k + parts - 1) / parts + 15 & -16);
  }

  private void left(Product p, long matrix, long line, long k, int rows, int depth, int cols) {
    if (p.a instanceof Matrices m && p.alpha == 1 && (m.alongSteps() || cols <= 2 * width)) {
      a = m.segment();
      ia = m.at(matrix, line, k);
      aLine = m.lineStride();
      aStep = m.stepStride();
      return;
    }
    int across = (rows + lanes - 1) / lanes * lanes;
    p.a.pack(matrix, line, rows, k, depth, packedA, 0, across);
    a = packedA;
    ia = 0;
    aLine = bytes;
    aStep = (long) across * bytes;
    if (p.alpha != 1) {
      scale(packedA, 0, aStep, bytes, depth, rows, p.alpha);
    }
  }

  private void right(Product p, long matrix, long line, long k, int cols, int depth, int rows) {
    if (p.b instanceof Matrices m && m.acrossLines() && cols % lanes == 0 && rows <= 64) {
      b = m.segment();
      ib = m.at(matrix, line, k);
      bStep = m.stepStride();
      return;
    }
    int across = (cols + lanes - 1) / lanes * lanes;
    p.b.pack(matrix, line, cols, k, depth, packedB, 0, across);
    b = packedB;
    ib = 0;
    bStep = (long) across * bytes;
  }

  /** Multiplies the rows of a with one panel of b. */
  private void panel(
      Product p,
      long matrix,
      long i,
      long j,
      int rows,
      int cols,
      int depth,
      boolean add,
      boolean last) {
    boolean biased = last && p.bias != null;
    if (biased && !p.swapped) {
      biasRow(p, j, cols);
    }
    MemorySegment end = biased && !p.swapped ? bias : nothing;
    int vectors = (cols + lanes - 1) / lanes;
    boolean inside = cols % lanes == 0 && p.y.alongSteps() && !(biased && p.swapped);
    MemorySegment y = p.y.segment();
    long line = p.y.lineStride();
    int count = (rows + Tiles.ROWS - 1) / Tiles.ROWS;
    int row = 0;
    for (int t = 0; t < count; t++) {
      int height = rows / count + (t < rows % count ? 1 : 0);
      Tile tile = tiles.get(height, vectors);
      long ir = ia + row * aLine;
      long iy = p.y.at(matrix, i + row, j);
      if (!inside) {
        corner(p, tile, ir, i + row, iy, height, cols, depth, add, end, biased);
      } else if (add) {
        tile.multiply(a, ir, aLine, aStep, b, ib, bStep, depth, y, iy, line, end, y, iy, line);
      } else {
        tile.multiply(a, ir, aLine, aStep, b, ib, bStep, depth, zeros, 0, 0, end, y, iy, line);
      }
      row += height;
    }
  }

  /** A tile that y has no room for, or not in this order: it is made beside y. */
  private void corner(
      Product p,
      Tile tile,
      long ir,
      long i,
      long iy,
      int rows,
      int cols,
      int depth,
      boolean add,
      MemorySegment end,
      boolean biased) {
    Matrices y = p.y;
    MemorySegment c = corner;
    long line = (cols + lanes - 1) / lanes * lanes * (long) bytes;
    long yLine = y.lineStride();
    long yStep = y.stepStride();
    if (add) {
      copy(y.segment(), iy, yLine, yStep, c, 0, line, bytes, rows, cols);
      tile.multiply(a, ir, aLine, aStep, b, ib, bStep, depth, c, 0, line, end, c, 0, line);
    } else {
      tile.multiply(a, ir, aLine, aStep, b, ib, bStep, depth, zeros, 0, 0, end, c, 0, line);
    }
    if (biased && p.swapped) {
      biasColumn(p, i, line, rows, cols);
    }
    copy(c, 0, line, bytes, y.segment(), iy, yLine, yStep, rows, cols);
  }

  private void copy(
      MemorySegment from,
      long at,
      long line,
      long step,
      MemorySegment to,
      long toAt,
      long toLine,
      long toStep,
      int rows,
      int cols) {
    if (Simd.AVAILABLE && step == bytes && toStep == bytes) {
      VectorCopy.rows(from, at, line, to, toAt, toLine, rows, (long) cols * bytes);
    } else {
      ElementCopy.copy(wide, from, at, line, step, to, toAt, toLine, toStep, rows, cols);
    }
  }

  private void biasRow(Product p, long j, int cols) {
    Matrices x = Objects.requireNonNull(p.bias);
    long at = x.at(0, 0, j);
    ElementCopy.copy(wide, x.segment(), at, 0, x.stepStride(), bias, 0, 0, bytes, 1, cols);
  }

  private void biasColumn(Product p, long i, long line, int rows, int cols) {
    Matrices x = Objects.requireNonNull(p.bias);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        long at = r * line + (long) c * bytes;
        if (wide) {
          double y = Scalars.loadF64(x.segment(), x.at(0, 0, i + r));
          Scalars.storeF64(Scalars.loadF64(corner, at) + y, corner, at);
        } else {
          float y = Scalars.loadF32(x.segment(), x.at(0, 0, i + r));
          Scalars.storeF32(Scalars.loadF32(corner, at) + y, corner, at);
        }
      }
    }
  }

  /** Multiplies elements by a factor that is hardly ever used. */
  private void scale(
      MemorySegment x, long at, long line, long step, int lines, int steps, double factor) {
    for (int l = 0; l < lines; l++) {
      for (int s = 0; s < steps; s++) {
        long there = at + l * line + s * step;
        if (wide) {
          Scalars.storeF64(factor * Scalars.loadF64(x, there), x, there);
        } else {
          Scalars.storeF32((float) factor * Scalars.loadF32(x, there), x, there);
        }
      }
    }
  }
}

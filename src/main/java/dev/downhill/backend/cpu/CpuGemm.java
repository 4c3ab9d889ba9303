package dev.downhill.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Computes blocks of a matrix product; each thread has its own, with room for packed operands.
 * Positions and strides are counted in bytes.
 *
 * <p>For up to 512 steps of k at a time (a tenth faster than 256: sums are loaded and stored less
 * often), the rows of a stay in the second-level cache; one panel of b, as wide as a tile, is read
 * or packed and multiplied with all of them. Matrices are read where they are, save where that
 * costs more than a copy: b if its columns do not lie side by side or many rows read it again, a if
 * each step of k lies on another page.
 */
final class CpuGemm {
  /** The most rows of a block, whole tiles. */
  static final int ROWS = 85 * Tiles.ROWS;

  /** Rows of a for which b is packed even if its columns lie side by side. */
  private static final int MANY = 256;

  private static final int PAGE = 4096;

  /** The most steps of k between two visits of y. */
  private static final int DEPTH = 512;

  private final boolean wide;
  private final Tiles tiles;
  private final int bytes;
  private final int lanes;
  private final int width;

  // What is packed of a and of b.
  private final MemorySegment packedA;
  private final MemorySegment packedB;
  private final Sums sums;

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
    packedA = arena.allocate((long) (ROWS + lanes) * DEPTH * bytes, 64);
    packedB = arena.allocate((long) width * DEPTH * bytes, 64);
    sums = sums(wide, Tiles.ROWS * width);
    a = packedA;
    b = packedB;
  }

  private static Sums sums(boolean wide, int count) {
    if (wide) {
      return new Sums.F64(count);
    }
    return Simd.AVAILABLE ? new VectorSums(count) : new Sums.F32(count);
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
    if (p.a instanceof Matrices m
        && p.alpha == 1
        && (m.stepStride() <= PAGE || cols <= 2 * width)) {
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
    if (p.b instanceof Matrices m && m.acrossLines() && cols % lanes == 0 && rows <= MANY) {
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
    Matrices bias = last ? p.bias : null;
    Matrices y = p.y;
    int vectors = (cols + lanes - 1) / lanes;
    int across = vectors * lanes;
    int count = (rows + Tiles.ROWS - 1) / Tiles.ROWS;
    long start = y.at(matrix, i, j);
    int row = 0;
    for (int t = 0; t < count; t++) {
      int height = rows / count + (t < rows % count ? 1 : 0);
      long iy = start + row * y.lineStride();
      if (add) {
        sums.load(y.segment(), iy, y.lineStride(), y.stepStride(), height, cols, across);
      } else {
        sums.clear(height * across);
      }
      Tile tile = tiles.get(height, vectors);
      tile.multiply(a, ia + row * aLine, aLine, aStep, b, ib, bStep, depth, sums.array());
      if (bias != null) {
        long ibias = bias.at(0, i + row, j);
        sums.add(bias.segment(), ibias, bias.lineStride(), bias.stepStride(), height, cols, across);
      }
      sums.store(y.segment(), iy, y.lineStride(), y.stepStride(), height, cols, across);
      row += height;
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

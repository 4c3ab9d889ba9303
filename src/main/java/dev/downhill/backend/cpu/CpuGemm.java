package dev.downhill.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

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

  /** The most columns of a block. */
  static final int COLS = 512;

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

  /** A tile of y whose columns are no whole vectors, or do not lie side by side. */
  private final MemorySegment edge;

  private final MemorySegment zeros;

  /** A row that all sums begin with, where it is no whole vectors. */
  private final MemorySegment padded;

  // Where the tiles read now.
  private MemorySegment a;
  private long ia;
  private long aLine;
  private long aStep;
  private MemorySegment b;
  private long ib;
  private long bStep;

  /** What sums begin with; null for zeros. */
  private @Nullable Matrices start;

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
    edge = arena.allocate((long) Tiles.ROWS * width * bytes, 64);
    zeros = arena.allocate((long) width * bytes, 64);
    padded = arena.allocate((long) width * bytes, 64);
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
    start = p.beta != 0 ? p.y : p.bias;
    int depth = part(p.k);
    int vectors = vectors(cols);
    int panels = (vectors + Tiles.VECTORS - 1) / Tiles.VECTORS;
    long k = 0;
    do {
      int steps = (int) Math.min(depth, p.k - k);
      left(p, matrix, i, k, rows, steps, cols);
      int c = 0;
      for (int q = 0; q < panels; q++) {
        int wanted = (vectors / panels + (q < vectors % panels ? 1 : 0)) * lanes;
        int across = Math.min(wanted, cols - c);
        right(p, matrix, j + c, k, across, steps, rows);
        panel(p, matrix, i, j + c, rows, across, steps);
        c += across;
      }
      k += steps;
      start = p.y;
    } while (k < p.k);
  }

  private int vectors(int cols) {
    return (cols + lanes - 1) / lanes;
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
    int across = vectors(rows) * lanes;
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
    int across = vectors(cols) * lanes;
    p.b.pack(matrix, line, cols, k, depth, packedB, 0, across);
    b = packedB;
    ib = 0;
    bStep = (long) across * bytes;
  }

  /** Multiplies the rows of a with one panel of b. */
  private void panel(Product p, long matrix, long i, long j, int rows, int cols, int depth) {
    Matrices y = p.y;
    Matrices from = start;
    long iStart = from == null ? 0 : from.at(from == y ? matrix : 0, i, j);
    long startLine = from == null ? 0 : from.lineStride();
    long iy = y.at(matrix, i, j);
    boolean whole = cols % lanes == 0;
    boolean begins = from == null || (whole && from.alongSteps());
    boolean fits = whole && y.alongSteps();
    long across = (long) vectors(cols) * lanes * bytes;
    MemorySegment first = from == null ? zeros : from.segment();
    if (from != null && !begins && startLine == 0) {
      copy(first, iStart, 0, from.stepStride(), padded, 0, across, bytes, 1, cols);
      first = padded;
      iStart = 0;
      begins = true;
    }
    int count = (rows + Tiles.ROWS - 1) / Tiles.ROWS;
    int row = 0;
    for (int t = 0; t < count; t++) {
      int height = rows / count + (t < rows % count ? 1 : 0);
      long at = iStart + row * startLine;
      long to = iy + row * y.lineStride();
      if (from != null && !begins) {
        copy(
            from.segment(), at, startLine, from.stepStride(), edge, 0, across, bytes, height, cols);
      }
      tiles
          .get(height, vectors(cols), depth)
          .multiply(
              a,
              ia + row * aLine,
              aLine,
              aStep,
              b,
              ib,
              bStep,
              depth,
              begins ? first : edge,
              begins ? at : 0,
              begins ? startLine : across,
              fits ? y.segment() : edge,
              fits ? to : 0,
              fits ? y.lineStride() : across);
      if (!fits) {
        copy(edge, 0, across, bytes, y.segment(), to, y.lineStride(), y.stepStride(), height, cols);
      }
      row += height;
    }
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

package dev.downhill.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@code f32} products on the Vector API. A block of a and a block of b are copied to heap arrays,
 * row by row; then tiles of a few rows and one or two vectors of columns of y stay in registers
 * while k runs. Between two copies the sums so far lie in y itself, or in a scratch block where
 * alpha or beta forbid that.
 */
final class CpuVectorGemm implements CpuGemm {
  private static final VectorSpecies<Float> SPECIES = Lanes.SPECIES;
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
  private static final int LANES = SPECIES.length();
  private static final int BYTES = LANES * Float.BYTES;

  /** Columns of a tile; a tile with at most half of them takes eight rows. */
  private static final int WIDTH = 2 * LANES;

  /** Rows of a tile: sixteen vectors of sums need the 32 registers that come with 512 bits. */
  private static final int HEIGHT = LANES == 16 ? 8 : 4;

  /** From row to row of the packed blocks; a power of two would crowd a few sets of the cache. */
  private static final int STRIDE = 256 + 16;

  private final float[] packedA = new float[ROWS * STRIDE];
  private final float[] packedB = new float[DEPTH * STRIDE];
  private final MemorySegment scratch = Arena.ofAuto().allocate(4L * ROWS * COLS, 64);
  private final MemorySegment corner = Arena.ofAuto().allocate(4L * 8 * WIDTH, 64);

  @Override
  public void block(Product p, long ia, long ib, long iy, int rows, int cols) {
    boolean direct = p.alpha() == 1 && p.beta() == 0;
    MemorySegment c = direct ? p.y().segment() : scratch;
    long ic = direct ? 4 * iy : 0;
    long row = direct ? 4 * p.y().rowStride() : 4 * COLS;
    long k = 0;
    do {
      int depth = (int) Math.min(DEPTH, p.k() - k);
      pack(p.a(), ia + k * p.a().colStride(), rows, depth, packedA);
      pack(p.b(), ib + k * p.b().rowStride(), depth, cols, packedB);
      for (int j = 0; j < cols; j += WIDTH) {
        int width = Math.min(WIDTH, cols - j);
        int height = width > LANES ? HEIGHT : 8;
        for (int i = 0; i < rows; i += height) {
          long at = ic + i * row + 4L * j;
          tile(i, j, Math.min(height, rows - i), width, depth, k > 0, c, at, row);
        }
      }
      k += depth;
    } while (k < p.k());
    if (!direct) {
      store((float) p.alpha(), (float) p.beta(), rows, cols, p.y(), iy);
    }
  }

  /** Copies the part of a matrix that starts at {@code at}. */
  private static void pack(Matrices m, long at, int rows, int cols, float[] to) {
    if (m.colStride() == 1 && cols >= LANES) {
      for (int c = 0; c < cols - LANES; c += LANES) {
        packVectors(m, at + c, rows, to, c);
      }
      packVectors(m, at + cols - LANES, rows, to, cols - LANES); // overlaps the one before
    } else if (m.rowStride() == 1 && LANES == 16) {
      packTransposed(m, at, rows, cols, to);
    } else {
      packElements(m, at, 0, rows, 0, cols, to);
    }
  }

  /** Rows of one vector each; a bulk copy of every row costs more to call. */
  private static void packVectors(Matrices m, long at, int rows, float[] to, int it) {
    for (int r = 0; r < rows; r++) {
      Lanes.load(m.segment(), 4 * (at + r * m.rowStride())).intoArray(to, it + r * STRIDE);
    }
  }

  private static void packTransposed(Matrices m, long at, int rows, int cols, float[] to) {
    int wholeRows = rows & -16;
    int wholeCols = cols & -16;
    for (int r = 0; r < wholeRows; r += 16) {
      for (int c = 0; c < wholeCols; c += 16) {
        long from = 4 * (at + r + c * m.colStride());
        CpuTranspose.tile(m.segment(), from, 4 * m.colStride(), to, r * STRIDE + c, STRIDE);
      }
    }
    packElements(m, at, 0, wholeRows, wholeCols, cols, to);
    packElements(m, at, wholeRows, rows, 0, cols, to);
  }

  private static void packElements(
      Matrices m, long at, int row, int rows, int col, int cols, float[] to) {
    MemorySegment s = m.segment();
    long step = 4 * m.colStride();
    for (int r = row; r < rows; r++) {
      long from = 4 * (at + r * m.rowStride());
      for (int c = col; c < cols; c++) {
        to[r * STRIDE + c] = s.get(JAVA_FLOAT, from + c * step);
      }
    }
  }

  /** One tile of c; one that would reach over the edge is made beside it. */
  private void tile(
      int i,
      int j,
      int rows,
      int cols,
      int depth,
      boolean add,
      MemorySegment c,
      long ic,
      long row) {
    if (cols == WIDTH ? rows == HEIGHT : cols == LANES && rows == 8) {
      multiply(i, j, rows, cols, depth, add, c, ic, row);
      return;
    }
    long width = 4L * WIDTH;
    VectorMask<Float> first = SPECIES.indexInRange(0, cols);
    VectorMask<Float> second = SPECIES.indexInRange(LANES, Math.max(LANES, cols));
    for (int r = 0; add && r < rows; r++) {
      Lanes.store(load(c, ic + r * row, first), corner, r * width);
      if (cols > LANES) {
        Lanes.store(load(c, ic + r * row + BYTES, second), corner, r * width + BYTES);
      }
    }
    multiply(i, j, rows, cols, depth, add, corner, 0, width);
    for (int r = 0; r < rows; r++) {
      store(Lanes.load(corner, r * width), c, ic + r * row, first);
      if (cols > LANES) {
        store(Lanes.load(corner, r * width + BYTES), c, ic + r * row + BYTES, second);
      }
    }
  }

  /** y = alpha scratch + beta y. */
  private void store(float alpha, float beta, int rows, int cols, Matrices y, long iy) {
    MemorySegment s = y.segment();
    for (int j = 0; j < cols; j += LANES) {
      VectorMask<Float> mask = SPECIES.indexInRange(j, cols);
      for (int r = 0; r < rows; r++) {
        long at = 4 * (iy + r * y.rowStride() + j);
        FloatVector sum = Lanes.load(scratch, 4L * (r * COLS + j));
        FloatVector z =
            beta == 0
                ? sum.mul(alpha)
                : Lanes.broadcast(alpha).fma(sum, load(s, at, mask).mul(beta));
        store(z, s, at, mask);
      }
    }
  }

  private static FloatVector load(MemorySegment s, long at, VectorMask<Float> mask) {
    return FloatVector.fromMemorySegment(SPECIES, s, at, NATIVE, mask);
  }

  private static void store(FloatVector x, MemorySegment s, long at, VectorMask<Float> mask) {
    x.intoMemorySegment(s, at, NATIVE, mask);
  }

  private void multiply(
      int i,
      int j,
      int rows,
      int cols,
      int depth,
      boolean add,
      MemorySegment c,
      long ic,
      long row) {
    if (cols <= LANES) {
      eightNarrow(packedA, i * STRIDE, packedB, j, depth, add, c, ic, row);
    } else if (rows > 4) {
      eight(packedA, i * STRIDE, packedB, j, depth, add, c, ic, row);
    } else {
      four(packedA, i * STRIDE, packedB, j, depth, add, c, ic, row);
    }
  }

  // The tiles. They call FloatVector itself: in methods of this size the compiler no longer inlines
  // wrappers of it, and runs at a tenth of the speed.

  private static FloatVector start(boolean add, MemorySegment c, long at) {
    return add ? FloatVector.fromMemorySegment(SPECIES, c, at, NATIVE) : FloatVector.zero(SPECIES);
  }

  /** The product of eight rows of a and two vectors of columns of b, added to c or to nothing. */
  private static void eight(
      float[] a,
      int ia,
      float[] b,
      int ib,
      int depth,
      boolean add,
      MemorySegment c,
      long ic,
      long row) {
    FloatVector c00 = start(add, c, ic);
    FloatVector c01 = start(add, c, ic + BYTES);
    FloatVector c10 = start(add, c, ic + row);
    FloatVector c11 = start(add, c, ic + row + BYTES);
    FloatVector c20 = start(add, c, ic + 2 * row);
    FloatVector c21 = start(add, c, ic + 2 * row + BYTES);
    FloatVector c30 = start(add, c, ic + 3 * row);
    FloatVector c31 = start(add, c, ic + 3 * row + BYTES);
    FloatVector c40 = start(add, c, ic + 4 * row);
    FloatVector c41 = start(add, c, ic + 4 * row + BYTES);
    FloatVector c50 = start(add, c, ic + 5 * row);
    FloatVector c51 = start(add, c, ic + 5 * row + BYTES);
    FloatVector c60 = start(add, c, ic + 6 * row);
    FloatVector c61 = start(add, c, ic + 6 * row + BYTES);
    FloatVector c70 = start(add, c, ic + 7 * row);
    FloatVector c71 = start(add, c, ic + 7 * row + BYTES);
    for (int k = 0; k < depth; k++) {
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, ib + k * STRIDE);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, ib + k * STRIDE + LANES);
      FloatVector x = FloatVector.broadcast(SPECIES, a[ia + k]);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(SPECIES, a[ia + STRIDE + k]);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(SPECIES, a[ia + 2 * STRIDE + k]);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(SPECIES, a[ia + 3 * STRIDE + k]);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
      x = FloatVector.broadcast(SPECIES, a[ia + 4 * STRIDE + k]);
      c40 = x.fma(b0, c40);
      c41 = x.fma(b1, c41);
      x = FloatVector.broadcast(SPECIES, a[ia + 5 * STRIDE + k]);
      c50 = x.fma(b0, c50);
      c51 = x.fma(b1, c51);
      x = FloatVector.broadcast(SPECIES, a[ia + 6 * STRIDE + k]);
      c60 = x.fma(b0, c60);
      c61 = x.fma(b1, c61);
      x = FloatVector.broadcast(SPECIES, a[ia + 7 * STRIDE + k]);
      c70 = x.fma(b0, c70);
      c71 = x.fma(b1, c71);
    }
    c00.intoMemorySegment(c, ic, NATIVE);
    c01.intoMemorySegment(c, ic + BYTES, NATIVE);
    c10.intoMemorySegment(c, ic + row, NATIVE);
    c11.intoMemorySegment(c, ic + row + BYTES, NATIVE);
    c20.intoMemorySegment(c, ic + 2 * row, NATIVE);
    c21.intoMemorySegment(c, ic + 2 * row + BYTES, NATIVE);
    c30.intoMemorySegment(c, ic + 3 * row, NATIVE);
    c31.intoMemorySegment(c, ic + 3 * row + BYTES, NATIVE);
    c40.intoMemorySegment(c, ic + 4 * row, NATIVE);
    c41.intoMemorySegment(c, ic + 4 * row + BYTES, NATIVE);
    c50.intoMemorySegment(c, ic + 5 * row, NATIVE);
    c51.intoMemorySegment(c, ic + 5 * row + BYTES, NATIVE);
    c60.intoMemorySegment(c, ic + 6 * row, NATIVE);
    c61.intoMemorySegment(c, ic + 6 * row + BYTES, NATIVE);
    c70.intoMemorySegment(c, ic + 7 * row, NATIVE);
    c71.intoMemorySegment(c, ic + 7 * row + BYTES, NATIVE);
  }

  /** The product of four rows of a and two vectors of columns of b, added to c or to nothing. */
  private static void four(
      float[] a,
      int ia,
      float[] b,
      int ib,
      int depth,
      boolean add,
      MemorySegment c,
      long ic,
      long row) {
    FloatVector c00 = start(add, c, ic);
    FloatVector c01 = start(add, c, ic + BYTES);
    FloatVector c10 = start(add, c, ic + row);
    FloatVector c11 = start(add, c, ic + row + BYTES);
    FloatVector c20 = start(add, c, ic + 2 * row);
    FloatVector c21 = start(add, c, ic + 2 * row + BYTES);
    FloatVector c30 = start(add, c, ic + 3 * row);
    FloatVector c31 = start(add, c, ic + 3 * row + BYTES);
    for (int k = 0; k < depth; k++) {
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, ib + k * STRIDE);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, ib + k * STRIDE + LANES);
      FloatVector x = FloatVector.broadcast(SPECIES, a[ia + k]);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(SPECIES, a[ia + STRIDE + k]);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(SPECIES, a[ia + 2 * STRIDE + k]);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(SPECIES, a[ia + 3 * STRIDE + k]);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
    }
    c00.intoMemorySegment(c, ic, NATIVE);
    c01.intoMemorySegment(c, ic + BYTES, NATIVE);
    c10.intoMemorySegment(c, ic + row, NATIVE);
    c11.intoMemorySegment(c, ic + row + BYTES, NATIVE);
    c20.intoMemorySegment(c, ic + 2 * row, NATIVE);
    c21.intoMemorySegment(c, ic + 2 * row + BYTES, NATIVE);
    c30.intoMemorySegment(c, ic + 3 * row, NATIVE);
    c31.intoMemorySegment(c, ic + 3 * row + BYTES, NATIVE);
  }

  /** The product of eight rows of a and one vector of columns of b, added to c or to nothing. */
  private static void eightNarrow(
      float[] a,
      int ia,
      float[] b,
      int ib,
      int depth,
      boolean add,
      MemorySegment c,
      long ic,
      long row) {
    FloatVector c0 = start(add, c, ic);
    FloatVector c1 = start(add, c, ic + row);
    FloatVector c2 = start(add, c, ic + 2 * row);
    FloatVector c3 = start(add, c, ic + 3 * row);
    FloatVector c4 = start(add, c, ic + 4 * row);
    FloatVector c5 = start(add, c, ic + 5 * row);
    FloatVector c6 = start(add, c, ic + 6 * row);
    FloatVector c7 = start(add, c, ic + 7 * row);
    for (int k = 0; k < depth; k++) {
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, ib + k * STRIDE);
      FloatVector x = FloatVector.broadcast(SPECIES, a[ia + k]);
      c0 = x.fma(b0, c0);
      x = FloatVector.broadcast(SPECIES, a[ia + STRIDE + k]);
      c1 = x.fma(b0, c1);
      x = FloatVector.broadcast(SPECIES, a[ia + 2 * STRIDE + k]);
      c2 = x.fma(b0, c2);
      x = FloatVector.broadcast(SPECIES, a[ia + 3 * STRIDE + k]);
      c3 = x.fma(b0, c3);
      x = FloatVector.broadcast(SPECIES, a[ia + 4 * STRIDE + k]);
      c4 = x.fma(b0, c4);
      x = FloatVector.broadcast(SPECIES, a[ia + 5 * STRIDE + k]);
      c5 = x.fma(b0, c5);
      x = FloatVector.broadcast(SPECIES, a[ia + 6 * STRIDE + k]);
      c6 = x.fma(b0, c6);
      x = FloatVector.broadcast(SPECIES, a[ia + 7 * STRIDE + k]);
      c7 = x.fma(b0, c7);
    }
    c0.intoMemorySegment(c, ic, NATIVE);
    c1.intoMemorySegment(c, ic + row, NATIVE);
    c2.intoMemorySegment(c, ic + 2 * row, NATIVE);
    c3.intoMemorySegment(c, ic + 3 * row, NATIVE);
    c4.intoMemorySegment(c, ic + 4 * row, NATIVE);
    c5.intoMemorySegment(c, ic + 5 * row, NATIVE);
    c6.intoMemorySegment(c, ic + 6 * row, NATIVE);
    c7.intoMemorySegment(c, ic + 7 * row, NATIVE);
  }
}

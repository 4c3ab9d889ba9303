package dev.downhill.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The product of {@link WindowLoops} for one tile, whose sums stay in registers while k runs.
 * Twenty-four vectors of sums, two of b and one of a number of a repeated fit the 32 registers that
 * come with 512 bits, and load least for what they multiply: 217 GFLOP/s on a core where sixteen
 * sums make 205. Eight sums are what sixteen registers hold. That rows of b start anywhere, not at
 * multiples of a vector, was not to be measured.
 *
 * <p>The methods call FloatVector itself: at this size the compiler no longer inlines wrappers.
 */
final class WindowTile {
  private static final VectorSpecies<Float> SPECIES = Lanes.SPECIES;
  private static final int LANES = SPECIES.length();

  private WindowTile() {}

  private static FloatVector start(boolean add, float[] c, int at) {
    return add ? FloatVector.fromArray(SPECIES, c, at) : FloatVector.zero(SPECIES);
  }

  /** Twelve rows and two vectors of columns. */
  static void twelve(
      float[] a,
      int[] rows,
      int ir,
      int ia,
      float[] b,
      int[] columns,
      int j,
      int depth,
      boolean add,
      float[] c,
      int ic,
      int row) {
    int a0 = ia + rows[ir + 0];
    int a1 = ia + rows[ir + 1];
    int a2 = ia + rows[ir + 2];
    int a3 = ia + rows[ir + 3];
    int a4 = ia + rows[ir + 4];
    int a5 = ia + rows[ir + 5];
    int a6 = ia + rows[ir + 6];
    int a7 = ia + rows[ir + 7];
    int a8 = ia + rows[ir + 8];
    int a9 = ia + rows[ir + 9];
    int a10 = ia + rows[ir + 10];
    int a11 = ia + rows[ir + 11];
    FloatVector c0_0 = start(add, c, ic);
    FloatVector c0_1 = start(add, c, ic + LANES);
    FloatVector c1_0 = start(add, c, ic + row);
    FloatVector c1_1 = start(add, c, ic + row + LANES);
    FloatVector c2_0 = start(add, c, ic + 2 * row);
    FloatVector c2_1 = start(add, c, ic + 2 * row + LANES);
    FloatVector c3_0 = start(add, c, ic + 3 * row);
    FloatVector c3_1 = start(add, c, ic + 3 * row + LANES);
    FloatVector c4_0 = start(add, c, ic + 4 * row);
    FloatVector c4_1 = start(add, c, ic + 4 * row + LANES);
    FloatVector c5_0 = start(add, c, ic + 5 * row);
    FloatVector c5_1 = start(add, c, ic + 5 * row + LANES);
    FloatVector c6_0 = start(add, c, ic + 6 * row);
    FloatVector c6_1 = start(add, c, ic + 6 * row + LANES);
    FloatVector c7_0 = start(add, c, ic + 7 * row);
    FloatVector c7_1 = start(add, c, ic + 7 * row + LANES);
    FloatVector c8_0 = start(add, c, ic + 8 * row);
    FloatVector c8_1 = start(add, c, ic + 8 * row + LANES);
    FloatVector c9_0 = start(add, c, ic + 9 * row);
    FloatVector c9_1 = start(add, c, ic + 9 * row + LANES);
    FloatVector c10_0 = start(add, c, ic + 10 * row);
    FloatVector c10_1 = start(add, c, ic + 10 * row + LANES);
    FloatVector c11_0 = start(add, c, ic + 11 * row);
    FloatVector c11_1 = start(add, c, ic + 11 * row + LANES);
    for (int k = 0; k < depth; k++) {
      int at = columns[k] + j;
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, at);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, at + LANES);
      FloatVector x = FloatVector.broadcast(SPECIES, a[a0 + k]);
      c0_0 = x.fma(b0, c0_0);
      c0_1 = x.fma(b1, c0_1);
      x = FloatVector.broadcast(SPECIES, a[a1 + k]);
      c1_0 = x.fma(b0, c1_0);
      c1_1 = x.fma(b1, c1_1);
      x = FloatVector.broadcast(SPECIES, a[a2 + k]);
      c2_0 = x.fma(b0, c2_0);
      c2_1 = x.fma(b1, c2_1);
      x = FloatVector.broadcast(SPECIES, a[a3 + k]);
      c3_0 = x.fma(b0, c3_0);
      c3_1 = x.fma(b1, c3_1);
      x = FloatVector.broadcast(SPECIES, a[a4 + k]);
      c4_0 = x.fma(b0, c4_0);
      c4_1 = x.fma(b1, c4_1);
      x = FloatVector.broadcast(SPECIES, a[a5 + k]);
      c5_0 = x.fma(b0, c5_0);
      c5_1 = x.fma(b1, c5_1);
      x = FloatVector.broadcast(SPECIES, a[a6 + k]);
      c6_0 = x.fma(b0, c6_0);
      c6_1 = x.fma(b1, c6_1);
      x = FloatVector.broadcast(SPECIES, a[a7 + k]);
      c7_0 = x.fma(b0, c7_0);
      c7_1 = x.fma(b1, c7_1);
      x = FloatVector.broadcast(SPECIES, a[a8 + k]);
      c8_0 = x.fma(b0, c8_0);
      c8_1 = x.fma(b1, c8_1);
      x = FloatVector.broadcast(SPECIES, a[a9 + k]);
      c9_0 = x.fma(b0, c9_0);
      c9_1 = x.fma(b1, c9_1);
      x = FloatVector.broadcast(SPECIES, a[a10 + k]);
      c10_0 = x.fma(b0, c10_0);
      c10_1 = x.fma(b1, c10_1);
      x = FloatVector.broadcast(SPECIES, a[a11 + k]);
      c11_0 = x.fma(b0, c11_0);
      c11_1 = x.fma(b1, c11_1);
    }
    c0_0.intoArray(c, ic);
    c0_1.intoArray(c, ic + LANES);
    c1_0.intoArray(c, ic + row);
    c1_1.intoArray(c, ic + row + LANES);
    c2_0.intoArray(c, ic + 2 * row);
    c2_1.intoArray(c, ic + 2 * row + LANES);
    c3_0.intoArray(c, ic + 3 * row);
    c3_1.intoArray(c, ic + 3 * row + LANES);
    c4_0.intoArray(c, ic + 4 * row);
    c4_1.intoArray(c, ic + 4 * row + LANES);
    c5_0.intoArray(c, ic + 5 * row);
    c5_1.intoArray(c, ic + 5 * row + LANES);
    c6_0.intoArray(c, ic + 6 * row);
    c6_1.intoArray(c, ic + 6 * row + LANES);
    c7_0.intoArray(c, ic + 7 * row);
    c7_1.intoArray(c, ic + 7 * row + LANES);
    c8_0.intoArray(c, ic + 8 * row);
    c8_1.intoArray(c, ic + 8 * row + LANES);
    c9_0.intoArray(c, ic + 9 * row);
    c9_1.intoArray(c, ic + 9 * row + LANES);
    c10_0.intoArray(c, ic + 10 * row);
    c10_1.intoArray(c, ic + 10 * row + LANES);
    c11_0.intoArray(c, ic + 11 * row);
    c11_1.intoArray(c, ic + 11 * row + LANES);
  }

  /** Eight rows and two vectors of columns. */
  static void eight(
      float[] a,
      int[] rows,
      int ir,
      int ia,
      float[] b,
      int[] columns,
      int j,
      int depth,
      boolean add,
      float[] c,
      int ic,
      int row) {
    int a0 = ia + rows[ir + 0];
    int a1 = ia + rows[ir + 1];
    int a2 = ia + rows[ir + 2];
    int a3 = ia + rows[ir + 3];
    int a4 = ia + rows[ir + 4];
    int a5 = ia + rows[ir + 5];
    int a6 = ia + rows[ir + 6];
    int a7 = ia + rows[ir + 7];
    FloatVector c00 = start(add, c, ic);
    FloatVector c01 = start(add, c, ic + LANES);
    FloatVector c10 = start(add, c, ic + row);
    FloatVector c11 = start(add, c, ic + row + LANES);
    FloatVector c20 = start(add, c, ic + 2 * row);
    FloatVector c21 = start(add, c, ic + 2 * row + LANES);
    FloatVector c30 = start(add, c, ic + 3 * row);
    FloatVector c31 = start(add, c, ic + 3 * row + LANES);
    FloatVector c40 = start(add, c, ic + 4 * row);
    FloatVector c41 = start(add, c, ic + 4 * row + LANES);
    FloatVector c50 = start(add, c, ic + 5 * row);
    FloatVector c51 = start(add, c, ic + 5 * row + LANES);
    FloatVector c60 = start(add, c, ic + 6 * row);
    FloatVector c61 = start(add, c, ic + 6 * row + LANES);
    FloatVector c70 = start(add, c, ic + 7 * row);
    FloatVector c71 = start(add, c, ic + 7 * row + LANES);
    for (int k = 0; k < depth; k++) {
      int at = columns[k] + j;
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, at);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, at + LANES);
      FloatVector x = FloatVector.broadcast(SPECIES, a[a0 + k]);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(SPECIES, a[a1 + k]);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(SPECIES, a[a2 + k]);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(SPECIES, a[a3 + k]);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
      x = FloatVector.broadcast(SPECIES, a[a4 + k]);
      c40 = x.fma(b0, c40);
      c41 = x.fma(b1, c41);
      x = FloatVector.broadcast(SPECIES, a[a5 + k]);
      c50 = x.fma(b0, c50);
      c51 = x.fma(b1, c51);
      x = FloatVector.broadcast(SPECIES, a[a6 + k]);
      c60 = x.fma(b0, c60);
      c61 = x.fma(b1, c61);
      x = FloatVector.broadcast(SPECIES, a[a7 + k]);
      c70 = x.fma(b0, c70);
      c71 = x.fma(b1, c71);
    }
    c00.intoArray(c, ic);
    c01.intoArray(c, ic + LANES);
    c10.intoArray(c, ic + row);
    c11.intoArray(c, ic + row + LANES);
    c20.intoArray(c, ic + 2 * row);
    c21.intoArray(c, ic + 2 * row + LANES);
    c30.intoArray(c, ic + 3 * row);
    c31.intoArray(c, ic + 3 * row + LANES);
    c40.intoArray(c, ic + 4 * row);
    c41.intoArray(c, ic + 4 * row + LANES);
    c50.intoArray(c, ic + 5 * row);
    c51.intoArray(c, ic + 5 * row + LANES);
    c60.intoArray(c, ic + 6 * row);
    c61.intoArray(c, ic + 6 * row + LANES);
    c70.intoArray(c, ic + 7 * row);
    c71.intoArray(c, ic + 7 * row + LANES);
  }

  /** Four rows and two vectors of columns. */
  static void four(
      float[] a,
      int[] rows,
      int ir,
      int ia,
      float[] b,
      int[] columns,
      int j,
      int depth,
      boolean add,
      float[] c,
      int ic,
      int row) {
    int a0 = ia + rows[ir + 0];
    int a1 = ia + rows[ir + 1];
    int a2 = ia + rows[ir + 2];
    int a3 = ia + rows[ir + 3];
    FloatVector c00 = start(add, c, ic);
    FloatVector c01 = start(add, c, ic + LANES);
    FloatVector c10 = start(add, c, ic + row);
    FloatVector c11 = start(add, c, ic + row + LANES);
    FloatVector c20 = start(add, c, ic + 2 * row);
    FloatVector c21 = start(add, c, ic + 2 * row + LANES);
    FloatVector c30 = start(add, c, ic + 3 * row);
    FloatVector c31 = start(add, c, ic + 3 * row + LANES);
    for (int k = 0; k < depth; k++) {
      int at = columns[k] + j;
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, at);
      FloatVector b1 = FloatVector.fromArray(SPECIES, b, at + LANES);
      FloatVector x = FloatVector.broadcast(SPECIES, a[a0 + k]);
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(SPECIES, a[a1 + k]);
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(SPECIES, a[a2 + k]);
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(SPECIES, a[a3 + k]);
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
    }
    c00.intoArray(c, ic);
    c01.intoArray(c, ic + LANES);
    c10.intoArray(c, ic + row);
    c11.intoArray(c, ic + row + LANES);
    c20.intoArray(c, ic + 2 * row);
    c21.intoArray(c, ic + 2 * row + LANES);
    c30.intoArray(c, ic + 3 * row);
    c31.intoArray(c, ic + 3 * row + LANES);
  }

  /** Eight rows and one vector of columns. */
  static void eightNarrow(
      float[] a,
      int[] rows,
      int ir,
      int ia,
      float[] b,
      int[] columns,
      int j,
      int depth,
      boolean add,
      float[] c,
      int ic,
      int row) {
    int a0 = ia + rows[ir + 0];
    int a1 = ia + rows[ir + 1];
    int a2 = ia + rows[ir + 2];
    int a3 = ia + rows[ir + 3];
    int a4 = ia + rows[ir + 4];
    int a5 = ia + rows[ir + 5];
    int a6 = ia + rows[ir + 6];
    int a7 = ia + rows[ir + 7];
    FloatVector c00 = start(add, c, ic);
    FloatVector c10 = start(add, c, ic + row);
    FloatVector c20 = start(add, c, ic + 2 * row);
    FloatVector c30 = start(add, c, ic + 3 * row);
    FloatVector c40 = start(add, c, ic + 4 * row);
    FloatVector c50 = start(add, c, ic + 5 * row);
    FloatVector c60 = start(add, c, ic + 6 * row);
    FloatVector c70 = start(add, c, ic + 7 * row);
    for (int k = 0; k < depth; k++) {
      int at = columns[k] + j;
      FloatVector b0 = FloatVector.fromArray(SPECIES, b, at);
      FloatVector x = FloatVector.broadcast(SPECIES, a[a0 + k]);
      c00 = x.fma(b0, c00);
      x = FloatVector.broadcast(SPECIES, a[a1 + k]);
      c10 = x.fma(b0, c10);
      x = FloatVector.broadcast(SPECIES, a[a2 + k]);
      c20 = x.fma(b0, c20);
      x = FloatVector.broadcast(SPECIES, a[a3 + k]);
      c30 = x.fma(b0, c30);
      x = FloatVector.broadcast(SPECIES, a[a4 + k]);
      c40 = x.fma(b0, c40);
      x = FloatVector.broadcast(SPECIES, a[a5 + k]);
      c50 = x.fma(b0, c50);
      x = FloatVector.broadcast(SPECIES, a[a6 + k]);
      c60 = x.fma(b0, c60);
      x = FloatVector.broadcast(SPECIES, a[a7 + k]);
      c70 = x.fma(b0, c70);
    }
    c00.intoArray(c, ic);
    c10.intoArray(c, ic + row);
    c20.intoArray(c, ic + 2 * row);
    c30.intoArray(c, ic + 3 * row);
    c40.intoArray(c, ic + 4 * row);
    c50.intoArray(c, ic + 5 * row);
    c60.intoArray(c, ic + 6 * row);
    c70.intoArray(c, ic + 7 * row);
  }
}

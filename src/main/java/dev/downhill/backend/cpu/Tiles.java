package dev.downhill.backend.cpu;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The tiles of one element type and their sizes.
 *
 * <p>At most six rows and four vectors, where the machine has 32 vector registers: 24 sums, four
 * vectors of b and one of a. Each step of k then takes 10 loads for 24 multiply-adds, so that loads
 * never hold up the arithmetic. With 16 registers it is two vectors.
 */
final class Tiles {
  /** The most rows of a tile. */
  static final int ROWS = 6;

  private static final int REGISTERS = Simd.AVAILABLE ? registers() : 32;

  /** The most vectors of a row of a tile. */
  static final int VECTORS = REGISTERS == 32 ? 4 : 2;

  /** Multiply-adds of a size that plain tiles do in some 30 ms. */
  private static final long ENOUGH = 1L << 28;

  private static final Early[][][] EARLY = early();

  private final boolean wide;
  private final int lanes;
  private final @Nullable Tile[][] tiles = new Tile[ROWS][VECTORS];
  private final @Nullable Tile[][] plain = new Tile[ROWS][VECTORS];

  /**
   * For the use of one thread.
   *
   * @param wide {@code f64}, else {@code f32}
   */
  Tiles(boolean wide) {
    this.wide = wide;
    int bytes = Simd.AVAILABLE ? Lanes.SPECIES.vectorByteSize() : 64;
    this.lanes = bytes / (wide ? Double.BYTES : Float.BYTES);
  }

  /** Elements of a vector. */
  int lanes() {
    return lanes;
  }

  /** The bytes of an element. */
  int bytes() {
    return wide ? Double.BYTES : Float.BYTES;
  }

  /**
   * The tile of a size.
   *
   * @param depth for how many steps of k
   */
  Tile get(int rows, int vectors, int depth) {
    Tile tile = tiles[rows - 1][vectors - 1];
    return tile == null ? find(rows, vectors, depth) : tile;
  }

  private Tile find(int rows, int vectors, int depth) {
    int cols = vectors * lanes;
    Early early = EARLY[wide ? 1 : 0][rows - 1][vectors - 1];
    if (Simd.AVAILABLE && !early.is((long) rows * cols * depth)) {
      Tile tile = MatrixTileCompiler.tile(wide, rows, vectors);
      tiles[rows - 1][vectors - 1] = tile;
      return tile;
    }
    Tile tile = plain[rows - 1][vectors - 1];
    if (tile == null) {
      tile = ScalarTile.of(wide, rows, cols);
      plain[rows - 1][vectors - 1] = tile;
    }
    return tile;
  }

  private static Early[][][] early() {
    Early[][][] all = new Early[2][ROWS][VECTORS];
    for (Early[][] type : all) {
      for (Early[] line : type) {
        Arrays.setAll(line, _ -> Early.until(ENOUGH));
      }
    }
    return all;
  }

  /** AVX-512 and NEON have 32. */
  private static int registers() {
    return Lanes.SPECIES.length() == 16 || System.getProperty("os.arch").equals("aarch64")
        ? 32
        : 16;
  }
}

package dev.downhill.backend.cpu;

import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.LE;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/** {@link WindowLoops} on the Vector API. */
final class VectorWindowLoops implements WindowLoops {
  private static final VectorSpecies<Float> SPECIES = Lanes.SPECIES;
  private static final VectorSpecies<Integer> INTS = SPECIES.withLanes(int.class);
  private static final VectorSpecies<Long> LONGS = SPECIES.withLanes(long.class);
  private static final VectorSpecies<Integer> HALF =
      VectorSpecies.of(int.class, VectorShape.forBitSize(SPECIES.vectorBitSize() / 2));
  private static final ByteOrder NATIVE = ByteOrder.nativeOrder();
  private static final int LANES = SPECIES.length();

  /** Masks of the first 0, 1, ... lanes: to make one anew costs more than to copy a line. */
  private static final List<VectorMask<Float>> FIRST =
      IntStream.rangeClosed(0, LANES).mapToObj(n -> SPECIES.indexInRange(0, n)).toList();

  private static final VectorShuffle<Float> EVEN =
      VectorShuffle.fromOp(SPECIES, lane -> 2 * lane % (2 * LANES));

  private final @Nullable WindowTile[][] tiles = new WindowTile[Tiles.ROWS][Tiles.VECTORS];
  private final ScalarWindowLoops scalar = new ScalarWindowLoops();

  @Override
  public void product(
      float[] a,
      int[] rows,
      int ir,
      int ia,
      float[] b,
      int[] columns,
      int depth,
      int height,
      int width,
      boolean add,
      float[] c,
      int stride) {
    int vectors = Math.ceilDiv(width, LANES);
    int panels = Math.ceilDiv(vectors, Tiles.VECTORS);
    int tall = Math.ceilDiv(height, Tiles.ROWS);
    int j = 0;
    for (int q = 0; q < panels; q++) {
      int across = vectors / panels + (q < vectors % panels ? 1 : 0);
      int i = 0;
      for (int t = 0; t < tall; t++) {
        int down = height / tall + (t < height % tall ? 1 : 0);
        tile(down, across)
            .multiply(a, rows, ir + i, ia, b, columns, j, depth, add, c, i * stride + j, stride);
        i += down;
      }
      j += across * LANES;
    }
  }

  private WindowTile tile(int rows, int vectors) {
    WindowTile tile = tiles[rows - 1][vectors - 1];
    if (tile == null) {
      tile = WindowTileCompiler.tile(rows, vectors);
      tiles[rows - 1][vectors - 1] = tile;
    }
    return tile;
  }

  @Override
  public void load(Image image, long at, int planes, int lines, int width, float[] to, int it) {
    scalar.load(image, at, planes, lines, width, to, it);
  }

  @Override
  public void lines(
      float[] from,
      int i,
      int down,
      int across,
      int lines,
      int width,
      float[] to,
      int it,
      int stride,
      int before,
      float outside) {
    if (across > 2) {
      scalar.lines(from, i, down, across, lines, width, to, it, stride, before, outside);
      return;
    }
    // Down the lines, a vector wide: a loop along a short line costs more than its elements. The
    // last vector overlaps the one before; in lines shorter than a vector it reaches into the next,
    // and what that spoils is written after.
    for (int j = 0; j < width; j += LANES) {
      int column = Math.clamp(width - LANES, 0, j);
      int source = i + across * column;
      int target = it + before + column;
      if (across == 1) {
        for (int r = 0; r < lines; r++) {
          FloatVector.fromArray(SPECIES, from, source + r * down)
              .intoArray(to, target + r * stride);
        }
      } else {
        for (int r = 0; r < lines; r++) {
          FloatVector next = FloatVector.fromArray(SPECIES, from, source + r * down + LANES);
          FloatVector.fromArray(SPECIES, from, source + r * down)
              .rearrange(EVEN, next)
              .intoArray(to, target + r * stride);
        }
      }
    }
    ScalarWindowLoops.around(to, it, stride, lines, before, width, outside);
  }

  @Override
  public void store(
      float[] from, int i, int width, float added, MemorySegment segment, long at, long across) {
    MemorySegment s = Scalars.offHeap(segment);
    if (across != 1) {
      ScalarWindowLoops.put(from, i, width, added, s, at, across);
      return;
    }
    int whole = SPECIES.loopBound(width);
    for (int j = 0; j < whole; j += LANES) {
      FloatVector.fromArray(SPECIES, from, i + j)
          .add(added)
          .intoMemorySegment(s, 4 * (at + j), NATIVE);
    }
    if (whole < width) {
      VectorMask<Float> rest = FIRST.get(width - whole);
      FloatVector.fromArray(SPECIES, from, i + whole, rest)
          .add(added)
          .intoMemorySegment(s, 4 * (at + whole), NATIVE, rest);
    }
  }

  @Override
  public void transpose(
      MemorySegment segment,
      long at,
      long down,
      long across,
      int lines,
      int width,
      float[] to,
      int it,
      int stride) {
    if (LANES != 16 || across != 1 || lines < 16 || width < 16) {
      scalar.transpose(segment, at, down, across, lines, width, to, it, stride);
      return;
    }
    // The last loops overlap those before.
    for (int o = 0; o < lines; o += 16) {
      int line = Math.min(o, lines - 16);
      for (int i = 0; i < width; i += 16) {
        int first = Math.min(i, width - 16);
        long from = 4 * (at + line * down + first);
        ArrayTranspose.tile(segment, from, 4 * down, to, it + first * stride + line, stride);
      }
    }
  }

  @Override
  public void largest(
      float[] a,
      int ia,
      int[] places,
      int[] first,
      int[] origin,
      int at,
      int[] delta,
      int width,
      float[] best,
      int[] chosen) {
    for (int p = 0; p < width; p += LANES) {
      FloatVector most = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
      IntVector choice = IntVector.fromArray(INTS, first, at + p);
      IntVector start = IntVector.fromArray(INTS, origin, at + p);
      for (int k = 0; k < places.length; k++) {
        FloatVector value = FloatVector.fromArray(SPECIES, a, ia + places[k] + p);
        VectorMask<Float> wins = value.compare(LE, most).not().and(most.compare(EQ, most));
        most = most.blend(value, wins);
        choice = choice.blend(start.add(delta[k]), wins.cast(INTS));
      }
      most.intoArray(best, p);
      choice.intoArray(chosen, p);
    }
  }

  @Override
  public void largestInside(
      MemorySegment s,
      long at,
      long down,
      int across,
      long[] taps,
      int[] origin,
      int io,
      int[] delta,
      int high,
      int wide,
      float[] best,
      int[] chosen) {
    MemorySegment x = Scalars.offHeap(s);
    for (int r = 0; r < high; r++) {
      for (int j = 0; j < wide; j += LANES) {
        long from = at + r * down + (long) j * across;
        int p = r * wide + j;
        FloatVector most = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
        IntVector start = IntVector.fromArray(INTS, origin, io + p);
        IntVector choice = start;
        for (int k = 0; k < taps.length; k++) {
          FloatVector value = Lanes.load(x, 4 * (from + taps[k]));
          if (across == 2) {
            value = value.rearrange(EVEN, Lanes.load(x, 4 * (from + taps[k] + LANES)));
          }
          VectorMask<Float> wins = value.compare(LE, most).not().and(most.compare(EQ, most));
          most = most.blend(value, wins);
          choice = choice.blend(start.add(delta[k]), wins.cast(INTS));
        }
        most.intoArray(best, p);
        choice.intoArray(chosen, p);
      }
    }
  }

  @Override
  public void store(int[] from, int width, MemorySegment segment, long at) {
    MemorySegment s = Scalars.offHeap(segment);
    int whole = HALF.loopBound(width);
    for (int j = 0; j < whole; j += LANES / 2) {
      IntVector.fromArray(HALF, from, j)
          .convertShape(VectorOperators.I2L, LONGS, 0)
          .reinterpretAsLongs()
          .intoMemorySegment(s, 8 * (at + j), NATIVE);
    }
    for (int j = whole; j < width; j++) {
      Scalars.storeI64(from[j], s, 8 * (at + j));
    }
  }
}

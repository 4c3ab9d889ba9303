package dev.downhill.backend.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Blocks of queries against blocks of keys, for {@link CpuAttention}; each thread has its own, with
 * room for one block of scores. Positions and strides are counted in bytes.
 *
 * <p>Scores are made and used up a few rows at a time, by the tiles of matrix products: those of a
 * tile's rows against all keys of a block (packed key by column, 16 KiB for keys of 32), their
 * shares, then the mix of the values. What a causal query does not see is left out tile by tile.
 */
final class AttentionTask {
  static final int QUERIES = CpuAttention.QUERIES;
  static final int KEYS = CpuAttention.KEYS;

  /** From row to row of scores, in elements: a power of two would crowd a few sets of the cache. */
  private static final int LINE = KEYS + 16;

  private static final Supplier<AttentionRow> F32 =
      Simd.AVAILABLE
          ? HiddenClass.inlined(VectorAttention.class, AttentionRow.class)
          : AttentionF32::new;

  private final AttentionRow row;
  private final boolean wide;
  private final Tiles tiles;
  private final int bytes;
  private final int lanes;

  /** The most columns of a tile. */
  private final int width;

  /** From row to row of scores. */
  private final long line;

  private final double[] max = new double[QUERIES];
  private final double[] sum = new double[QUERIES];

  /** Σ dy y of the queries of a sequence. */
  private double[] dot = {};

  /** Of a tile's rows, the greatest scores of the blocks before. */
  private final double[] before = new double[Tiles.ROWS];

  private final MemorySegment zeros;

  // Parts of the room: packed keys and values, scores and their slopes, results so far.
  private MemorySegment room = MemorySegment.NULL;
  private long used;
  private long keys;
  private long values;
  private long scores;
  private long slopes;
  private long results;
  private long dk;
  private long dv;

  // Rows of keys, values, queries, dy and y that are read vector by vector.
  private final Lines keyRows = new Lines();
  private final Lines valueRows = new Lines();
  private final Lines queryRows = new Lines();
  private final Lines dyRows = new Lines();
  private final Lines yRows = new Lines();

  AttentionTask(boolean wide) {
    this.wide = wide;
    row = wide ? new AttentionF64() : F32.get();
    tiles = new Tiles(wide);
    bytes = tiles.bytes();
    lanes = tiles.lanes();
    width = Tiles.VECTORS * lanes;
    line = (long) LINE * bytes;
    zeros = Arena.ofAuto().allocate((long) width * bytes, 64);
  }

  /** Rows side by side, in whole vectors. */
  private final class Lines {
    MemorySegment segment = MemorySegment.NULL;
    long at;
    long stride;
    long copy;

    /** Reads rows where they are, if tiles can, or copies them with zeros behind. */
    void set(Matrices m, long matrix, int from, int rows, int n) {
      segment = m.segment();
      at = m.at(matrix, from, 0);
      stride = m.lineStride();
      if (n % lanes == 0 && m.alongSteps()) {
        return;
      }
      long to = padded(n) * bytes;
      if (Simd.AVAILABLE && m.alongSteps()) {
        VectorCopy.clear(room, copy, (long) n * bytes, to, rows);
        VectorCopy.rows(segment, at, stride, room, copy, to, rows, (long) n * bytes);
      } else {
        room.asSlice(copy, rows * to).fill((byte) 0);
        ElementCopy.copy(wide, segment, at, stride, m.stepStride(), room, copy, to, bytes, rows, n);
      }
      segment = room;
      at = copy;
      stride = to;
    }
  }

  private long padded(int n) {
    return (n + lanes - 1L) / lanes * lanes;
  }

  private long take(long elements) {
    long at = used;
    used += (elements * bytes + 63) & -64;
    return at;
  }

  /** Gives each part its place; the results of so many queries are kept at a time. */
  private void reserve(AttentionCall c, int rows) {
    long size = padded(c.size);
    long valueSize = padded(c.valueSize);
    used = 0;
    keys = take((long) c.size * KEYS);
    values = take((long) c.valueSize * KEYS);
    scores = take((long) QUERIES * LINE);
    slopes = take((long) QUERIES * LINE);
    dk = take(KEYS * size);
    dv = take(KEYS * valueSize);
    keyRows.copy = take(KEYS * size);
    valueRows.copy = take(KEYS * valueSize);
    queryRows.copy = take(QUERIES * size);
    dyRows.copy = take(QUERIES * valueSize);
    yRows.copy = take(QUERIES * valueSize);
    results = take(rows * Math.max(size, valueSize));
    if (room.byteSize() < used) {
      room = Arena.ofAuto().allocate(used, 64);
    }
  }

  /** How many rows the next tile has, of {@code left}. */
  private static int height(int left) {
    int tilesLeft = (left + Tiles.ROWS - 1) / Tiles.ROWS;
    return (left + tilesLeft - 1) / tilesLeft;
  }

  /** y and z of {@code rows} queries from {@code first} on. */
  void forward(AttentionCall c, long sequence, int first, int rows) {
    reserve(c, QUERIES);
    int all = c.seen(first + rows - 1);
    for (int key = 0; key < all; key += KEYS) {
      int count = Math.min(KEYS, c.keys - key);
      long keyStep = padded(count) * bytes;
      c.k.pack(sequence, key, count, 0, c.size, room, keys, (int) padded(count));
      valueRows.set(c.v, sequence, key, count, c.valueSize);
      for (int r = 0; r < rows; ) {
        int height = height(rows - r);
        int seen = Math.min(count, c.seen(first + r + height - 1) - key);
        if (seen > 0) {
          dots(c.q, sequence, first + r, height, keys, keyStep, c.size, seen, scores);
          greatest(c, first + r, r, height, key, seen);
          shares(c, first + r, r, height, key, seen);
          mix(c.valueSize, r, height, seen, key == 0);
        }
        r += height;
      }
    }
    long step = padded(c.valueSize) * bytes;
    if (all == 0) {
      room.asSlice(results, rows * step).fill((byte) 0);
      Arrays.fill(max, Double.NEGATIVE_INFINITY);
      Arrays.fill(sum, 1);
    }
    for (int r = 0; r < rows; r++) {
      c.setZ(max[r] + row.log(sum[r]), sequence, first + r);
    }
    if (c.y.alongSteps()) {
      long to = c.y.at(sequence, first, 0);
      row.divide(room, results, step, sum, rows, c.valueSize, c.y.segment(), to, c.y.lineStride());
    } else {
      row.divide(room, results, step, sum, rows, c.valueSize, room, results, step);
      c.y.unpack(room, results, step, sequence, first, rows, c.valueSize);
    }
  }

  /** Rows of a times the packed lines of b: {@code columns} of each row, to rows of scores. */
  private void dots(
      Matrices a,
      long sequence,
      int first,
      int height,
      long b,
      long bStep,
      int depth,
      int columns,
      long to) {
    long at = a.at(sequence, first, 0);
    for (int j = 0; j < columns; j += width) {
      int vectors = (Math.min(width, columns - j) + lanes - 1) / lanes;
      long shift = (long) j * bytes;
      tiles
          .get(height, vectors, depth)
          .multiply(
              a.segment(),
              at,
              a.lineStride(),
              a.stepStride(),
              room,
              b + shift,
              bStep,
              depth,
              zeros,
              0,
              0,
              room,
              to + shift,
              line);
    }
  }

  /** The greatest scores so far of some rows. */
  private void greatest(AttentionCall c, int query, int r, int height, int key, int seen) {
    double lowest = wide ? -Double.MAX_VALUE : -Float.MAX_VALUE;
    for (int h = 0; h < height; h++) {
      int n = Math.clamp(c.seen(query + h) - key, 0, seen);
      before[h] = key == 0 ? lowest : max[r + h];
      max[r + h] = row.max(room, scores + h * line, n, c.scale, before[h]);
    }
  }

  /** The scores of some rows become e^(score - max); what was added up before follows the max. */
  private void shares(AttentionCall c, int query, int r, int height, int key, int seen) {
    for (int h = 0; h < height; h++) {
      int n = Math.clamp(c.seen(query + h) - key, 0, seen);
      double total = row.exp(room, scores + h * line, n, seen, c.scale, max[r + h]);
      if (key > 0) {
        double factor = row.exp(before[h] - max[r + h]);
        if (factor != 1) {
          long step = padded(c.valueSize) * bytes;
          row.scale(room, results + (r + h) * step, c.valueSize, factor);
        }
        total += sum[r + h] * factor;
      }
      sum[r + h] = total;
    }
  }

  /** Adds the values, by the shares of some rows, to the results. */
  private void mix(int size, int r, int height, int seen, boolean first) {
    long step = padded(size) * bytes;
    accumulate(
        scores, line, bytes, valueRows, 0, height, seen, size, results + r * step, step, first);
  }

  /** Adds a b to rows of the room, where a lies in the room too. */
  private void accumulate(
      long a,
      long aLine,
      long aStep,
      Lines b,
      int from,
      int height,
      int depth,
      int columns,
      long to,
      long toLine,
      boolean first) {
    for (int j = 0; j < columns; j += width) {
      int vectors = (Math.min(width, columns - j) + lanes - 1) / lanes;
      long shift = (long) j * bytes;
      long ib = b.at + from * b.stride + shift;
      long at = to + shift;
      MemorySegment start = first ? zeros : room;
      tiles
          .get(height, vectors, depth)
          .multiply(
              room,
              a,
              aLine,
              aStep,
              b.segment,
              ib,
              b.stride,
              depth,
              start,
              first ? 0 : at,
              first ? 0 : toLine,
              room,
              at,
              toLine);
    }
  }

  /** All gradients of a sequence. */
  void backward(AttentionCall c, long sequence) {
    reserve(c, c.queries);
    room.asSlice(results, c.queries * padded(c.size) * bytes).fill((byte) 0);
    dot(c, sequence, 0, c.queries);
    for (int key = 0; key < c.keys; key += KEYS) {
      backwardOfKeys(c, sequence, key, true);
    }
    c.dq.unpack(room, results, padded(c.size) * bytes, sequence, 0, c.queries, c.size);
  }

  /** dk and dv of the block of keys from {@code key} on. */
  void backwardOfKeys(AttentionCall c, long sequence, int key) {
    reserve(c, 0);
    dot(c, sequence, firstSeeing(c, key), c.queries);
    backwardOfKeys(c, sequence, key, false);
  }

  /** dq of the block of queries from {@code first} on. */
  void backwardOfQueries(AttentionCall c, long sequence, int first) {
    reserve(c, QUERIES);
    int rows = Math.min(QUERIES, c.queries - first);
    room.asSlice(results, rows * padded(c.size) * bytes).fill((byte) 0);
    dot(c, sequence, first, first + rows);
    for (int key = 0; key < c.seen(first + rows - 1); key += KEYS) {
      pack(c, sequence, key);
      block(c, sequence, key, first, results, false);
    }
    c.dq.unpack(room, results, padded(c.size) * bytes, sequence, first, rows, c.size);
  }

  private void backwardOfKeys(AttentionCall c, long sequence, int key, boolean queries) {
    int count = Math.min(KEYS, c.keys - key);
    long step = padded(c.size) * bytes;
    long valueStep = padded(c.valueSize) * bytes;
    room.asSlice(dk, count * step).fill((byte) 0);
    room.asSlice(dv, count * valueStep).fill((byte) 0);
    pack(c, sequence, key);
    for (int first = firstSeeing(c, key); first < c.queries; first += QUERIES) {
      block(c, sequence, key, first, queries ? results + first * step : -1, true);
    }
    c.dk.unpack(room, dk, step, sequence, key, count, c.size);
    c.dv.unpack(room, dv, valueStep, sequence, key, count, c.valueSize);
  }

  /** The first of the queries of a block of which some see a key. */
  private static int firstSeeing(AttentionCall c, int key) {
    return c.causal ? key / QUERIES * QUERIES : 0;
  }

  /** Computes Σ dy y of some queries. */
  private void dot(AttentionCall c, long sequence, int from, int to) {
    if (dot.length < to) {
      dot = new double[c.queries];
    }
    for (int first = from; first < to; first += QUERIES) {
      int rows = Math.min(QUERIES, to - first);
      dyRows.set(c.dy, sequence, first, rows, c.valueSize);
      yRows.set(c.y, sequence, first, rows, c.valueSize);
      row.dot(
          dyRows.segment,
          dyRows.at,
          dyRows.stride,
          yRows.segment,
          yRows.at,
          yRows.stride,
          rows,
          c.valueSize,
          dot,
          first);
    }
  }

  private void pack(AttentionCall c, long sequence, int key) {
    int count = Math.min(KEYS, c.keys - key);
    c.k.pack(sequence, key, count, 0, c.size, room, keys, (int) padded(count));
    c.v.pack(sequence, key, count, 0, c.valueSize, room, values, (int) padded(count));
    keyRows.set(c.k, sequence, key, count, c.size);
  }

  /** Adds what a block of queries and a block of keys give: dq, unless {@code dq < 0}; dk, dv. */
  private void block(
      AttentionCall c, long sequence, int key, int first, long dq, boolean wantsKeys) {
    int count = Math.min(KEYS, c.keys - key);
    int rows = Math.min(QUERIES, c.queries - first);
    long step = padded(count) * bytes;
    long size = padded(c.size) * bytes;
    for (int r = 0; r < rows; ) {
      int height = height(rows - r);
      int seen = Math.min(count, c.seen(first + r + height - 1) - key);
      if (seen > 0) {
        long s = scores + r * line;
        long d = slopes + r * line;
        dots(c.q, sequence, first + r, height, keys, step, c.size, seen, s);
        dots(c.dy, sequence, first + r, height, values, step, c.valueSize, seen, d);
        slopes(c, sequence, first, r, height, key, seen);
        if (dq >= 0) {
          accumulate(d, line, bytes, keyRows, 0, height, seen, c.size, dq + r * size, size, false);
        }
      }
      r += height;
    }
    if (wantsKeys) {
      dyRows.set(c.dy, sequence, first, rows, c.valueSize);
      queryRows.set(c.q, sequence, first, rows, c.size);
      keys(c, key, count, first, rows);
    }
  }

  /** Of some rows: the scores become shares, and their slopes those of the scores. */
  private void slopes(
      AttentionCall c, long sequence, int first, int r, int height, int key, int seen) {
    // A tile of keys reads as far as one of its keys is seen.
    int end = Math.min(KEYS, seen + Tiles.ROWS);
    for (int h = r; h < r + height; h++) {
      int query = first + h;
      int n = Math.clamp(c.seen(query) - key, 0, seen);
      double z = c.z(sequence, query);
      row.slopes(room, scores + h * line, slopes + h * line, n, end, c.scale, z, dot[query]);
    }
  }

  /** Adds to dk and dv what the rows that see a key give. */
  private void keys(AttentionCall c, int key, int count, int first, int rows) {
    long size = padded(c.size) * bytes;
    long valueSize = padded(c.valueSize) * bytes;
    for (int j = 0; j < count; ) {
      int height = height(count - j);
      int from = c.causal ? Math.max(0, key + j - first) : 0;
      if (from < rows) {
        long at = from * line + (long) j * bytes;
        long to = dv + j * valueSize;
        int depth = rows - from;
        accumulate(
            scores + at,
            bytes,
            line,
            dyRows,
            from,
            height,
            depth,
            c.valueSize,
            to,
            valueSize,
            false);
        accumulate(
            slopes + at,
            bytes,
            line,
            queryRows,
            from,
            height,
            depth,
            c.size,
            dk + j * size,
            size,
            false);
      }
      j += height;
    }
  }
}

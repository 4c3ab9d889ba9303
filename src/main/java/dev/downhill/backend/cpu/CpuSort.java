package dev.downhill.backend.cpu;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import java.lang.foreign.MemorySegment;

/**
 * Sorting along a dimension, line by line: a merge sort of keys, whole numbers that are ordered as
 * the elements are, each with the place it came from. Being stable it needs no place to tell equal
 * keys apart.
 */
final class CpuSort {
  /** The least elements of a task. */
  private static final int CHUNK = 1 << 13;

  /** Runs of this length are sorted by insertion. */
  private static final int RUN = 16;

  private final Workers workers;
  private final ThreadLocal<Line> lines = ThreadLocal.withInitial(Line::new);

  CpuSort(Workers workers) {
    this.workers = workers;
  }

  /** See {@link dev.downhill.backend.Backend#sort}. */
  void sort(View x, int dim, boolean descending, View values, View indices) {
    Rows in = along(x, dim);
    Rows out = along(values, dim);
    Rows places = along(indices, dim);
    int n = Math.toIntExact(in.length());
    long count = n == 0 ? 0 : in.count();
    long perTask = Math.max(1, CHUNK / Math.max(1, n));
    workers.run(
        Math.toIntExact(Math.ceilDiv(count, perTask)),
        task -> {
          Line line = lines.get();
          long end = Math.min(count, (task + 1) * perTask);
          for (long row = task * perTask; row < end; row++) {
            line.load(in, row, n, descending);
            line.sort(n);
            line.store(in, out, places, row, n);
          }
        });
  }

  /** The lines along a dimension as rows, in the order of the other dimensions. */
  private static Rows along(View view, int dim) {
    Layout layout = view.layout();
    int rank = layout.shape().rank();
    int[] order = new int[rank];
    for (int d = 0, to = 0; d < rank; d++) {
      if (d != dim) {
        order[to++] = d;
      }
    }
    order[rank - 1] = dim;
    return Rows.of(view.with(layout.permute(order)));
  }

  /** The keys and places of a line; reused by a thread from line to line. */
  private static final class Line {
    private long[] keys = {};
    private int[] places = {};
    private long[] otherKeys = {};
    private int[] otherPlaces = {};

    void load(Rows x, long row, int n, boolean descending) {
      if (keys.length < n) {
        keys = new long[n];
        places = new int[n];
        otherKeys = new long[n];
        otherPlaces = new int[n];
      }
      long start = x.start(row);
      for (int i = 0; i < n; i++) {
        long key = key(x.dtype(), x.segment(), start + i * x.stride());
        keys[i] = descending ? ~key : key;
        places[i] = i;
      }
    }

    private static long key(DType dtype, MemorySegment x, long at) {
      return switch (dtype) {
        case F64 -> key(Scalars.loadF64(x, at * Double.BYTES));
        case F32 -> key(Scalars.loadF32(x, at * Float.BYTES));
        case BF16 -> key(Scalars.loadBf16(x, at * Short.BYTES));
        case I64, I32, U8, BOOL -> AnyType.integer(dtype, x, at);
      };
    }

    /** Bits of positive numbers are in order; those of negative ones are, once turned round. */
    private static long key(double x) {
      // One NaN for all, and 0 for -0.
      long bits = Double.doubleToLongBits(x + 0.0);
      return bits ^ (bits >> 63 & Long.MAX_VALUE);
    }

    /** Sorts short runs, and merges pairs of runs until one is left. */
    void sort(int n) {
      for (int start = 0; start < n; start += RUN) {
        insert(start, Math.min(n, start + RUN));
      }
      for (long width = RUN; width < n; width *= 2) {
        for (long start = 0; start < n; start += 2 * width) {
          merge(
              (int) start, (int) Math.min(n, start + width), (int) Math.min(n, start + 2 * width));
        }
        long[] k = keys;
        keys = otherKeys;
        otherKeys = k;
        int[] p = places;
        places = otherPlaces;
        otherPlaces = p;
      }
    }

    private void insert(int from, int to) {
      for (int i = from + 1; i < to; i++) {
        long key = keys[i];
        int place = places[i];
        int at = i;
        for (; at > from && keys[at - 1] > key; at--) {
          keys[at] = keys[at - 1];
          places[at] = places[at - 1];
        }
        keys[at] = key;
        places[at] = place;
      }
    }

    private void merge(int from, int middle, int to) {
      int left = from;
      int right = middle;
      for (int i = from; i < to; i++) {
        // At a tie the left one comes first.
        boolean takeLeft = right >= to || (left < middle && keys[left] <= keys[right]);
        int next = takeLeft ? left++ : right++;
        otherKeys[i] = keys[next];
        otherPlaces[i] = places[next];
      }
    }

    void store(Rows x, Rows values, Rows indices, long row, int n) {
      int bytes = values.dtype().bytes();
      long xs = x.stride() * bytes;
      long start = x.start(row) * bytes;
      long to = values.start(row);
      long at = indices.start(row);
      for (int i = 0; i < n; i++) {
        AnyType.copy(
            x.segment(),
            start + places[i] * xs,
            0,
            values.segment(),
            (to + i * values.stride()) * bytes,
            0,
            1,
            bytes);
        Scalars.storeI64(places[i], indices.segment(), (at + i * indices.stride()) * Long.BYTES);
      }
    }
  }
}

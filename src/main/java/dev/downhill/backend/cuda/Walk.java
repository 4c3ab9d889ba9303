package dev.downhill.backend.cuda;

import dev.downhill.backend.View;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How several views of one shape are walked together: {@code Walk<K>} of kernels/common.cuh.
 * Dimensions of size 1 are dropped, and neighbours merged where every view steps through both
 * evenly. Reused from call to call: filled by {@link #of}, then written into a kernel's arguments.
 */
final class Walk {
  private static final int MAX_RANK = Shape.MAX_RANK;
  private static final int VECTOR_BYTES = 16;
  private static final int MAX_PACK = 8;

  // WalkKind
  private static final int VECTOR = 0;
  private static final int CONTIGUOUS = 1;
  private static final int SMALL = 2;
  private static final int LARGE = 3;
  private static final int PACKS = 4;

  // Where the fields of the struct start
  private static final long NUMEL = 0;
  private static final long RANK = 8;
  private static final long KIND = 12;
  private static final long SIZE = 16;
  private static final long STRIDE = SIZE + Long.BYTES * MAX_RANK;

  /** Makes kernels take 64-bit indices even where 32 bits would do: for tests. */
  static final boolean FORCE_LARGE = Boolean.getBoolean("downhill.cuda.large");

  /** From so many elements on places need 64 bits. */
  static final long LARGE_AT = 1L << 31;

  private final int views;
  private final boolean inPacks;
  private final long[] addresses;
  private final int[] widths;
  private final long[] sizes = new long[MAX_RANK];
  private final long[][] strides;
  private int rank;
  private long numel;
  private int pack;
  private int kind;

  /**
   * An empty walk, element by element.
   *
   * @param views K, how many views are walked
   */
  Walk(int views) {
    this(views, false);
  }

  private Walk(int views, boolean inPacks) {
    this.views = views;
    this.inPacks = inPacks;
    this.addresses = new long[views];
    this.widths = new int[views];
    this.strides = new long[views][MAX_RANK];
  }

  /** An empty walk for the loops of kernels/elementwise.cuh, in packs of elements where it can. */
  static Walk inPacks(int views) {
    return new Walk(views, true);
  }

  /** How many bytes {@code Walk<views>} has. */
  static int bytes(int views) {
    return Math.toIntExact(shifts(views)) + Integer.BYTES * MAX_RANK;
  }

  private static long magics(int views) {
    return STRIDE + (long) Long.BYTES * MAX_RANK * views;
  }

  private static long shifts(int views) {
    return magics(views) + Integer.BYTES * MAX_RANK;
  }

  /** Elements to visit. */
  long numel() {
    return numel;
  }

  /** How many threads have something to do: one for each pack or element. */
  long threads() {
    return kind == PACKS ? Math.ceilDiv(numel, pack) : numel;
  }

  // One method per number of views, so that no array is allocated.

  Walk of(View x) {
    start(x.shape());
    put(0, x);
    return finish();
  }

  Walk of(View x, View y) {
    start(x.shape());
    put(0, x);
    put(1, y);
    return finish();
  }

  Walk of(View x, View y, View z) {
    start(x.shape());
    put(0, x);
    put(1, y);
    put(2, z);
    return finish();
  }

  Walk of(View x, View y, View z, View u) {
    start(x.shape());
    put(0, x);
    put(1, y);
    put(2, z);
    put(3, u);
    return finish();
  }

  private void start(Shape shape) {
    rank = shape.rank();
    numel = shape.numel();
    pack = MAX_PACK;
    for (int d = 0; d < rank; d++) {
      sizes[d] = shape.size(d);
    }
  }

  private void put(int view, View v) {
    addresses[view] = CudaBuffer.address(v);
    widths[view] = v.dtype().bytes();
    pack = Math.min(pack, VECTOR_BYTES / v.dtype().bytes());
    for (int d = 0; d < rank; d++) {
      strides[view][d] = v.layout().stride(d);
    }
  }

  private Walk finish() {
    merge();
    if (inPacks && isPackable()) {
      kind = PACKS;
      countPacks();
    } else if (isUnit()) {
      kind = !inPacks && isAligned() ? VECTOR : CONTIGUOUS;
    } else {
      kind = isSmall() ? SMALL : LARGE;
    }
    return this;
  }

  /** Drops sizes of 1 and merges neighbours; a walk of one element gets rank 1 and strides 1. */
  private void merge() {
    int to = 0;
    for (int d = 0; d < rank; d++) {
      if (sizes[d] == 1) {
        continue;
      }
      if (to > 0 && isEven(to - 1, d)) {
        sizes[to - 1] *= sizes[d];
        move(d, to - 1);
      } else {
        sizes[to] = sizes[d];
        move(d, to);
        to++;
      }
    }
    if (to == 0) {
      sizes[0] = 1;
      for (long[] s : strides) {
        s[0] = 1;
      }
      to = 1;
    }
    rank = to;
  }

  private boolean isEven(int outer, int inner) {
    for (long[] s : strides) {
      if (s[outer] != s[inner] * sizes[inner]) {
        return false;
      }
    }
    return true;
  }

  private void move(int from, int to) {
    for (long[] s : strides) {
      s[to] = s[from];
    }
  }

  private boolean isUnit() {
    if (rank > 1) {
      return false;
    }
    for (long[] s : strides) {
      if (s[0] != 1) {
        return false;
      }
    }
    return true;
  }

  private boolean isAligned() {
    for (long address : addresses) {
      if (address % VECTOR_BYTES != 0) {
        return false;
      }
    }
    return true;
  }

  private boolean isSmall() {
    for (long[] s : strides) {
      if (reach(s) >= LARGE_AT) {
        return false;
      }
    }
    return numel < LARGE_AT && !FORCE_LARGE;
  }

  /** One more than the largest offset. */
  private long reach(long[] s) {
    long reach = 1;
    for (int d = 0; d < rank; d++) {
      reach += (sizes[d] - 1) * s[d];
    }
    return reach;
  }

  /**
   * Whether every view has whole, aligned packs, or one element for each. A single dimension needs
   * no whole number of packs.
   */
  private boolean isPackable() {
    int last = rank - 1;
    if (numel / pack >= LARGE_AT || (rank > 1 && (FORCE_LARGE || sizes[last] % pack != 0))) {
      return false;
    }
    for (int v = 0; v < views; v++) {
      boolean fits = strides[v][last] == 0 ? reach(strides[v]) < LARGE_AT : hasPacks(v);
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  private boolean hasPacks(int view) {
    long[] s = strides[view];
    for (int d = 0; d < rank - 1; d++) {
      if (s[d] % pack != 0) {
        return false;
      }
    }
    return s[rank - 1] == 1
        && addresses[view] % ((long) pack * widths[view]) == 0
        && reach(s) / pack < LARGE_AT;
  }

  private void countPacks() {
    if (rank == 1) {
      return;
    }
    int last = rank - 1;
    sizes[last] /= pack;
    for (long[] s : strides) {
      for (int d = 0; s[last] == 1 && d < last; d++) {
        s[d] /= pack;
      }
    }
  }

  /** Writes the struct. */
  void write(MemorySegment to) {
    assert to.byteSize() == bytes(views) : to;
    to.set(ValueLayout.JAVA_LONG, NUMEL, numel);
    to.set(ValueLayout.JAVA_INT, RANK, rank);
    to.set(ValueLayout.JAVA_INT, KIND, kind);
    for (int d = 0; d < rank; d++) {
      to.set(ValueLayout.JAVA_LONG, SIZE + (long) Long.BYTES * d, sizes[d]);
      for (int v = 0; v < views; v++) {
        long at = STRIDE + (long) Long.BYTES * (MAX_RANK * v + d);
        to.set(ValueLayout.JAVA_LONG, at, strides[v][d]);
      }
    }
    for (int d = 1; d < rank && kind != LARGE; d++) {
      // With 2^(bits - 1) < size <= 2^bits, n magic exceeds n 2^shift / size by less than
      // 2^31 2^bits / size in units of 2^-shift, too little to reach the next whole number.
      int bits = Long.SIZE - Long.numberOfLeadingZeros(sizes[d] - 1);
      int shift = 31 + bits;
      long magic = Math.ceilDiv(1L << shift, sizes[d]);
      to.set(ValueLayout.JAVA_INT, magics(views) + (long) Integer.BYTES * d, (int) magic);
      to.set(ValueLayout.JAVA_INT, shifts(views) + (long) Integer.BYTES * d, shift);
    }
  }
}

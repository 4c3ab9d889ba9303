package dev.downhill.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads the struct as kernels/common.cuh does and compares it with the layouts. */
final class WalkTest {
  /** {@code WalkKind}. */
  private enum Kind {
    VECTOR,
    CONTIGUOUS,
    SMALL,
    LARGE,
    PACKS
  }

  private static final List<Kind> KINDS = List.of(Kind.values());
  private static final List<DType> TYPES = List.of(DType.values());

  /** {@code Walk<K>}, with what its kernels know of the types. */
  private record Struct(MemorySegment s, int views, int pack) {
    static Struct of(Walk walk, View... views) {
      switch (views.length) {
        case 1 -> walk.of(views[0]);
        case 2 -> walk.of(views[0], views[1]);
        case 3 -> walk.of(views[0], views[1], views[2]);
        default -> walk.of(views[0], views[1], views[2], views[3]);
      }
      MemorySegment s = Arena.ofAuto().allocate(Walk.bytes(views.length), 8);
      s.fill((byte) 0xff);
      walk.write(s);
      int pack = Arrays.stream(views).mapToInt(v -> 16 / v.dtype().bytes()).min().orElseThrow();
      return new Struct(s, views.length, Math.min(8, pack));
    }

    long numel() {
      return s.get(ValueLayout.JAVA_LONG, 0);
    }

    int rank() {
      return s.get(ValueLayout.JAVA_INT, 8);
    }

    Kind kind() {
      return KINDS.get(s.get(ValueLayout.JAVA_INT, 12));
    }

    long size(int d) {
      return s.get(ValueLayout.JAVA_LONG, 16 + 8L * d);
    }

    long stride(int view, int d) {
      return s.get(ValueLayout.JAVA_LONG, 16 + 64 * (view + 1L) + 8L * d);
    }

    private long quotient(long n, int d) {
      if (kind() == Kind.LARGE) {
        return n / size(d);
      }
      long tables = 16 + 64 * (views + 1L);
      long magic = Integer.toUnsignedLong(s.get(ValueLayout.JAVA_INT, tables + 4L * d));
      return n * magic >>> s.get(ValueLayout.JAVA_INT, tables + 32 + 4L * d);
    }

    /** Where the n-th element or pack lies in a view. */
    private long locate(int view, long n) {
      long at = 0;
      for (int d = rank() - 1; d > 0; d--) {
        long outer = quotient(n, d);
        at += (n - outer * size(d)) * stride(view, d);
        n = outer;
      }
      return at + n * stride(view, 0);
    }

    /** Where element i lies in a view. */
    long position(int view, long i) {
      if (kind() != Kind.PACKS || i >= numel() / pack * pack) {
        return locate(view, i);
      }
      long at = locate(view, i / pack);
      return stride(view, rank() - 1) == 0 ? at : at * pack + i % pack;
    }
  }

  private static long expected(Layout layout, long i) {
    long at = 0;
    for (int d = layout.shape().rank() - 1; d >= 0; d--) {
      at += i % layout.shape().size(d) * layout.stride(d);
      i /= layout.shape().size(d);
    }
    return at;
  }

  private static View view(DType dtype, Layout layout) {
    return new View(
        new CudaBuffer(dtype, layout.reach(), new CudaPool.Block(1 << 20, 0, null)), layout);
  }

  private static View contiguous(DType dtype, long... sizes) {
    return view(dtype, Layout.contiguous(Shape.of(sizes)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void everyElement_isWhereTheViewsHaveIt(int count) {
    EnumSet<Kind> met = EnumSet.noneOf(Kind.class);
    SplittableRandom random = new SplittableRandom(count);
    Walk byElement = new Walk(count);
    Walk inPacks = Walk.inPacks(count);
    for (int round = 0; round < 1000; round++) {
      Shape shape = shape(random);
      View[] views = new View[count];
      boolean oneType = random.nextBoolean();
      for (int v = 0; v < count; v++) {
        DType dtype = TYPES.get(random.nextInt(TYPES.size()));
        views[v] = view(oneType && v > 0 ? views[0].dtype() : dtype, layout(random, shape));
      }
      for (Walk walk : new Walk[] {byElement, inPacks}) {
        Struct struct = Struct.of(walk, views);
        assertThat(struct.numel()).isEqualTo(shape.numel());
        met.add(struct.kind());
        for (int v = 0; v < count; v++) {
          int view = v;
          Layout layout = views[v].layout();
          assertThat(positions(shape, i -> struct.position(view, i)))
              .as("view %d of %s", v, Arrays.asList(views))
              .isEqualTo(positions(shape, i -> expected(layout, i)));
        }
      }
    }
    assertThat(met).containsOnly(Kind.VECTOR, Kind.CONTIGUOUS, Kind.SMALL, Kind.PACKS);
  }

  private static long[] positions(Shape shape, LongUnaryOperator at) {
    return LongStream.range(0, shape.numel()).map(at).toArray();
  }

  private static Shape shape(SplittableRandom random) {
    long[] sizes = new long[random.nextInt(5)];
    Arrays.setAll(
        sizes, d -> random.nextInt(3) == 0 ? 8L * random.nextInt(1, 3) : random.nextInt(1, 6));
    return Shape.of(sizes);
  }

  private static Layout layout(SplittableRandom random, Shape shape) {
    int rank = shape.rank();
    if (rank == 0) {
      return Layout.of(shape, new long[0], random.nextInt(3));
    }
    int d = random.nextInt(rank);
    int e = random.nextInt(rank);
    return switch (random.nextInt(6)) {
      case 0 -> Layout.contiguous(shape.with(d, 1)).expand(shape);
      case 1 -> Layout.contiguous(Shape.SCALAR).expand(shape);
      case 2 -> {
        long[] sizes = shape.toArray();
        sizes[d] = shape.size(e);
        sizes[e] = shape.size(d);
        yield Layout.contiguous(Shape.of(sizes)).transpose(d, e);
      }
      case 3 -> {
        long start = random.nextInt(3) == 0 ? 8 : 1;
        yield Layout.contiguous(shape.with(d, shape.size(d) + 8)).slice(d, start, shape.size(d), 1);
      }
      default -> Layout.contiguous(shape);
    };
  }

  @ParameterizedTest
  @CsvSource({
    "F32, F32, 0, 0, PACKS, VECTOR",
    "F32, F32, 4, 8, PACKS, VECTOR",
    "F32, F32, 1, 0, CONTIGUOUS, CONTIGUOUS",
    "BF16, BF16, 0, 4, CONTIGUOUS, CONTIGUOUS",
    "U8, F64, 2, 0, PACKS, CONTIGUOUS",
    "BOOL, F32, 1, 0, CONTIGUOUS, CONTIGUOUS",
  })
  void alignment_decides(DType x, DType y, long xStart, long yStart, Kind inPacks, Kind byElement) {
    Shape shape = Shape.of(3, 11);
    View[] views = {
      view(x, Layout.of(shape, new long[] {11, 1}, xStart)),
      view(y, Layout.of(shape, new long[] {11, 1}, yStart))
    };
    Struct struct = Struct.of(Walk.inPacks(2), views);
    assertThat(struct.kind()).isEqualTo(inPacks);
    assertThat(struct.rank()).isOne();
    assertThat(Struct.of(new Walk(2), views).kind()).isEqualTo(byElement);
  }

  @Test
  void broadcastRowsColumnsAndNumbers_goInPacks() {
    Walk walk = Walk.inPacks(3);
    View x = contiguous(DType.F32, 6, 8);
    View odd = contiguous(DType.F32, 5, 7);
    Struct row = Struct.of(walk, x, expanded(x, 8), x);
    assertThat(row.kind()).isEqualTo(Kind.PACKS);
    assertThat(row.rank()).isEqualTo(2);
    assertThat(walk.threads()).isEqualTo(12);
    assertThat(Struct.of(walk, x, expanded(x, 6, 1), x).kind()).isEqualTo(Kind.PACKS);
    assertThat(Struct.of(walk, odd, expanded(odd), odd).kind()).isEqualTo(Kind.PACKS);
    assertThat(walk.threads()).isEqualTo(9);
    assertThat(Struct.of(walk, odd, expanded(odd, 7), odd).kind()).isEqualTo(Kind.SMALL);
    assertThat(walk.threads()).isEqualTo(35);
  }

  private static View expanded(View x, long... sizes) {
    Layout small = Layout.contiguous(Shape.of(sizes));
    return view(x.dtype(), small.expand(x.shape()));
  }

  @ParameterizedTest
  @CsvSource({
    "32768, 65535, SMALL",
    "32768, 65536, LARGE",
    "46341, 46341, LARGE",
    "3, 715827882, SMALL",
    "715827882, 3, SMALL",
    "65537, 32767, SMALL",
    "1000003, 2147, SMALL",
  })
  void theReachDecidesAboutTheWidthOfIndices(long rows, long cols, Kind kind) {
    // Transposed, so that nothing merges.
    Shape shape = Shape.of(cols, rows);
    View x = view(DType.U8, Layout.of(shape, new long[] {1, cols}, 0));
    Struct struct = Struct.of(new Walk(1), x);
    assertThat(struct.kind()).isEqualTo(kind);
    long n = rows * cols;
    SplittableRandom random = new SplittableRandom(rows);
    for (int i = 0; i < 100_000; i++) {
      long at = i < 1000 ? n - 1 - i : i < 2000 ? (i - 1000) * rows % n : random.nextLong(n);
      assertThat(struct.position(0, at)).isEqualTo(expected(x.layout(), at));
    }
  }

  @Test
  void hugeContiguousViews_goInPacks_untilTheirPacksAreTooMany() {
    Walk walk = Walk.inPacks(1);
    assertThat(Struct.of(walk, contiguous(DType.F32, (1L << 33) - 1)).kind()).isEqualTo(Kind.PACKS);
    Struct beyond = Struct.of(walk, contiguous(DType.F32, 1L << 33));
    assertThat(beyond.kind()).isEqualTo(Kind.CONTIGUOUS);
    assertThat(beyond.position(0, (1L << 33) - 1)).isEqualTo((1L << 33) - 1);
  }
}

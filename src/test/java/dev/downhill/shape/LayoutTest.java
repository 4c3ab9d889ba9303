package dev.downhill.shape;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Layouts against a model: the list of the memory positions that a view reads, row-major. */
final class LayoutTest {
  private static long[] elements(Layout layout) {
    Shape shape = layout.shape();
    long[] at = new long[(int) shape.numel()];
    for (int i = 0; i < at.length; i++) {
      long[] index = index(shape, i);
      at[i] = layout.offset();
      for (int d = 0; d < index.length; d++) {
        at[i] += index[d] * layout.stride(d);
      }
    }
    return at;
  }

  private static long[] index(Shape shape, long flat) {
    long[] index = new long[shape.rank()];
    for (int d = shape.rank() - 1; d >= 0; d--) {
      index[d] = flat % shape.size(d);
      flat /= shape.size(d);
    }
    return index;
  }

  private static int flat(Shape shape, long... index) {
    long flat = 0;
    for (int d = 0; d < index.length; d++) {
      flat = flat * shape.size(d) + index[d];
    }
    return (int) flat;
  }

  /** What a view of {@code target} reads, given which index of the old view each new index is. */
  private static long[] mapped(
      Layout old, Shape target, java.util.function.UnaryOperator<long[]> f) {
    long[] from = elements(old);
    return LongStream.range(0, target.numel())
        .map(i -> from[flat(old.shape(), f.apply(index(target, i)))])
        .toArray();
  }

  @Test
  void contiguousReadsInOrder() {
    Layout layout = Layout.contiguous(Shape.of(3, 5, 7));
    assertThat(elements(layout)).isEqualTo(LongStream.range(0, 105).toArray());
    assertThat(layout.isContiguous()).isTrue();
    assertThat(layout.reach()).isEqualTo(105);
    assertThat(layout).hasToString("(3, 5, 7) strides [35, 7, 1] offset 0");
    assertThat(Layout.contiguous(Shape.SCALAR).reach()).isEqualTo(1);
    assertThat(Layout.contiguous(Shape.of(3, 0)).reach()).isZero();
  }

  @Test
  void stridesAndOffsetAreChecked() {
    assertThatThrownBy(() -> Layout.of(Shape.of(2, 3), new long[] {3}, 0))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("expected 2 strides")
        .hasMessageContaining("(2, 3)");
    assertThatThrownBy(() -> Layout.of(Shape.of(2), new long[] {-1}, 3))
        .isInstanceOf(ShapeException.class);
    assertThatThrownBy(() -> Layout.of(Shape.of(2), new long[] {1}, -3))
        .isInstanceOf(ShapeException.class);
  }

  @Test
  void sizesOfOneDoNotDisturbContiguity() {
    assertThat(Layout.of(Shape.of(1, 3, 1), new long[] {99, 1, 42}, 7).isContiguous()).isTrue();
    assertThat(Layout.of(Shape.of(2, 3), new long[] {4, 1}, 0).isContiguous()).isFalse();
    assertThat(Layout.of(Shape.of(2, 0), new long[] {4, 9}, 0).isContiguous()).isTrue();
  }

  @Test
  void overlapIsSeen() {
    assertThat(Layout.contiguous(Shape.of(3, 5)).overlaps()).isFalse();
    assertThat(Layout.contiguous(Shape.of(3, 1)).expand(Shape.of(3, 5)).overlaps()).isTrue();
    assertThat(Layout.contiguous(Shape.of(1, 1)).expand(Shape.of(1, 1)).overlaps()).isFalse();
    assertThat(Layout.of(Shape.of(3, 3), new long[] {1, 1}, 0).overlaps()).isTrue();
    assertThat(Layout.of(Shape.of(2, 3), new long[] {2, 1}, 0).overlaps()).isTrue();
    assertThat(Layout.contiguous(Shape.SCALAR).overlaps()).isFalse();
  }

  @Test
  void nothingDoesNotOverlap() {
    Layout expanded = Layout.contiguous(Shape.of(1, 0)).expand(Shape.of(3, 0));
    assertThat(expanded.overlaps()).isFalse();
    assertThat(Layout.contiguous(Shape.of(0, 1)).expand(Shape.of(0, 4)).overlaps()).isFalse();
  }

  @Test
  void reshapeNeedsACopyWhenGroupsAreNotEvenlySpaced() {
    Layout transposed = Layout.contiguous(Shape.of(3, 5)).transpose(0, 1);
    assertThat(transposed.reshape(Shape.of(15))).isNull();
    Layout columns = Layout.contiguous(Shape.of(3, 4)).slice(1, 1, 2, 2);
    assertThat(columns.reshape(Shape.of(6))).isEqualTo(Layout.of(Shape.of(6), new long[] {2}, 1));
    assertThat(columns.reshape(Shape.of(3, 1, 2)))
        .satisfies(l -> assertThat(elements(l)).isEqualTo(elements(columns)));
    assertThat(Layout.contiguous(Shape.of(3, 4)).slice(1, 1, 2, 1).reshape(Shape.of(6))).isNull();
  }

  @Test
  void equalityIsByValue() {
    Layout a = Layout.of(Shape.of(2, 3), new long[] {3, 1}, 4);
    assertThat(a).isEqualTo(Layout.of(Shape.of(2, 3), new long[] {3, 1}, 4));
    assertThat(a).hasSameHashCodeAs(Layout.of(Shape.of(2, 3), new long[] {3, 1}, 4));
    assertThat(a).isNotEqualTo(Layout.of(Shape.of(2, 3), new long[] {3, 1}, 5));
    assertThat(a).isNotEqualTo(Layout.of(Shape.of(2, 3), new long[] {1, 2}, 4));
  }

  private static Shape shape(Random random) {
    long[] sizes = new long[random.nextInt(5)];
    Arrays.setAll(sizes, d -> random.nextInt(12) == 0 ? 0 : 1 + random.nextInt(5));
    return Shape.of(sizes);
  }

  /** The step after {@code layout} in a random chain of views, checked against the model. */
  private static Layout step(Layout layout, Random random) {
    Shape shape = layout.shape();
    int rank = shape.rank();
    int d = rank == 0 ? 0 : random.nextInt(rank);
    return switch (random.nextInt(6)) {
      case 0 -> {
        int at = random.nextInt(rank + 1);
        if (rank == Shape.MAX_RANK) {
          yield layout;
        }
        Layout next = layout.unsqueeze(at);
        assertThat(elements(next)).isEqualTo(elements(layout));
        yield next;
      }
      case 1 -> {
        if (rank == 0) {
          yield layout;
        }
        int e = random.nextInt(rank);
        Layout next = layout.transpose(d, e);
        assertThat(elements(next))
            .isEqualTo(
                mapped(
                    layout,
                    next.shape(),
                    i -> {
                      long[] j = i.clone();
                      j[d] = i[e];
                      j[e] = i[d];
                      return j;
                    }));
        yield next;
      }
      case 2 -> {
        if (rank == 0) {
          yield layout;
        }
        long start = random.nextInt((int) shape.size(d) + 1);
        long stride = 1 + random.nextInt(3);
        long most = (shape.size(d) - start + stride - 1) / stride;
        long length = random.nextInt((int) most + 1);
        Layout next = layout.slice(d, start, length, stride);
        assertThat(elements(next))
            .isEqualTo(
                mapped(
                    layout,
                    shape.with(d, length),
                    i -> {
                      i[d] = start + i[d] * stride;
                      return i;
                    }));
        yield next;
      }
      case 3 -> {
        long[] sizes = shape.toArray();
        Arrays.setAll(sizes, i -> sizes[i] == 1 ? random.nextInt(4) : sizes[i]);
        Shape target = Shape.of(sizes);
        if (rank < Shape.MAX_RANK && random.nextBoolean()) {
          target = target.insert(0, random.nextInt(3));
        }
        int lead = target.rank() - rank;
        Layout next = layout.expand(target);
        assertThat(elements(next))
            .isEqualTo(
                mapped(
                    layout,
                    target,
                    i -> {
                      long[] j = Arrays.copyOfRange(i, lead, i.length);
                      for (int n = 0; n < j.length; n++) {
                        j[n] = shape.size(n) == 1 ? 0 : j[n];
                      }
                      return j;
                    }));
        yield next;
      }
      case 4 -> {
        if (rank == 0 || shape.size(d) != 1) {
          yield layout;
        }
        Layout next = layout.squeeze(d);
        assertThat(elements(next)).isEqualTo(elements(layout));
        yield next;
      }
      default -> reshaped(layout, random);
    };
  }

  /** A view by reshaping, where one exists; that it exists is decided by the model. */
  private static Layout reshaped(Layout layout, Random random) {
    Shape target = factored(layout.shape().numel(), random);
    Layout next = layout.reshape(target);
    Layout expected = evenlySpaced(elements(layout), target);
    assertThat(next == null)
        .as("%s to %s, the model has %s", layout, target, expected)
        .isEqualTo(expected == null);
    if (next == null) {
      return layout;
    }
    assertThat(next.shape()).isEqualTo(target);
    assertThat(elements(next)).isEqualTo(elements(layout));
    return next;
  }

  private static Shape factored(long numel, Random random) {
    Shape target = Shape.SCALAR;
    long rest = numel;
    while (rest != 1 && target.rank() < 5) {
      long size = rest == 0 ? random.nextInt(3) : 1 + random.nextInt((int) rest);
      if (rest == 0 || rest % size == 0) {
        target = target.insert(random.nextInt(target.rank() + 1), size);
        rest = size == 0 ? 1 : rest / size;
      }
    }
    return rest == 1 && target.numel() == numel ? target : Shape.of(numel);
  }

  /** The strides under which {@code target} reads these positions in order, if there are any. */
  private static @Nullable Layout evenlySpaced(long[] at, Shape target) {
    if (at.length == 0) {
      return Layout.contiguous(target);
    }
    long[] strides = new long[target.rank()];
    long[] unit = new long[target.rank()];
    for (int d = 0; d < strides.length; d++) {
      unit[d] = 1;
      strides[d] = target.size(d) == 1 ? 0 : at[flat(target, unit)] - at[0];
      unit[d] = 0;
      if (strides[d] < 0) {
        return null;
      }
    }
    Layout layout = Layout.of(target, strides, at[0]);
    return Arrays.equals(elements(layout), at) ? layout : null;
  }

  @Test
  void randomChainsOfViewsFollowTheModel() {
    Random random = new Random(7);
    int overlapping = 0;
    int dense = 0;
    for (int n = 0; n < 20_000; n++) {
      Layout layout = Layout.contiguous(shape(random));
      for (int k = random.nextInt(6); k >= 0; k--) {
        layout = step(layout, random);
        if (layout.shape().numel() > 2_000) {
          break;
        }
      }
      long[] at = elements(layout);
      boolean repeats = Arrays.stream(at).distinct().count() < at.length;
      assertThat(layout.overlaps()).as("%s overlaps", layout).isEqualTo(repeats);
      assertThat(layout.reach())
          .as("the reach of %s", layout)
          .isEqualTo(at.length == 0 ? 0 : Arrays.stream(at).max().orElseThrow() + 1);
      boolean inOrder = LongStream.range(0, at.length).allMatch(i -> at[(int) i] == at[0] + i);
      assertThat(layout.isContiguous()).as("%s is contiguous", layout).isEqualTo(inOrder);
      overlapping += repeats ? 1 : 0;
      dense += inOrder ? 1 : 0;
    }
    assertThat(overlapping).isBetween(1_000, 19_000);
    assertThat(dense).isBetween(1_000, 19_000);
  }
}

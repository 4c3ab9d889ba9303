package dev.downhill.shape;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class BroadcastTest {
  private static final int TUPLES = 100_000;

  /** NumPy's rule, by another road: both padded to eight sizes of 1. Null if they do not fit. */
  private static long @Nullable [] model(long[] a, long[] b) {
    long[] out = new long[8];
    for (int d = 0; d < 8; d++) {
      long x = d < 8 - a.length ? 1 : a[d - 8 + a.length];
      long y = d < 8 - b.length ? 1 : b[d - 8 + b.length];
      if (x == y) {
        out[d] = x;
      } else if (x == 1) {
        out[d] = y;
      } else if (y == 1) {
        out[d] = x;
      } else {
        return null;
      }
    }
    return Arrays.copyOfRange(out, 8 - Math.max(a.length, b.length), 8);
  }

  /** A partner of {@code a} that often fits, or any shape. */
  private static long[] random(Random random, long @Nullable [] a) {
    long[] sizes = new long[random.nextInt(9)];
    for (int i = 1; i <= sizes.length; i++) {
      boolean copy = a != null && i <= a.length && random.nextInt(3) > 0;
      sizes[sizes.length - i] = copy ? a[a.length - i] : random.nextInt(6);
      if (random.nextInt(8) == 0) {
        sizes[sizes.length - i] = 1;
      }
    }
    return sizes;
  }

  @Test
  void randomPairsFollowTheModel() {
    Random random = new Random(20);
    int fits = 0;
    for (int n = 0; n < TUPLES; n++) {
      long[] a = random(random, null);
      long[] b = random(random, a);
      Shape left = Shape.of(a);
      Shape right = Shape.of(b);
      long[] expected = model(a, b);
      Shape result = null;
      String message = "";
      try {
        result = Shape.broadcast("add", left, right);
      } catch (ShapeException e) {
        message = String.valueOf(e.getMessage());
      }
      String pair = left + " and " + right;
      if (expected == null || result == null) {
        assertEquals(expected == null, result == null, pair);
        assertFalse(Shape.broadcasts(left, right), pair);
        assertTrue(
            message.startsWith("add: ") && message.endsWith("(shapes " + pair + ")"), message);
        assertFalse(left.broadcastsTo(right), pair);
      } else {
        fits++;
        assertTrue(Shape.broadcasts(left, right), pair);
        assertEquals(Shape.of(expected), result, pair);
        assertEquals(result, Shape.broadcast("add", right, left), pair);
        assertTrue(left.broadcastsTo(result) && right.broadcastsTo(result), pair);
        assertEquals(left.broadcastsTo(right), result.equals(right), pair);
      }
    }
    // Both branches must have been well visited for this to mean anything.
    assertThat(fits).isBetween(TUPLES / 4, TUPLES * 3 / 4);
  }

  @Test
  void oneBroadcastsToNothing() {
    assertThat(Shape.broadcast("add", Shape.of(3, 1), Shape.of(0))).isEqualTo(Shape.of(3, 0));
    assertThat(Shape.broadcast("add", Shape.SCALAR, Shape.of(0))).isEqualTo(Shape.of(0));
    assertThatThrownBy(() -> Shape.broadcast("add", Shape.of(2), Shape.of(0)))
        .hasMessageContaining("dimension -1, got 2 and 0 (shapes (2) and (0))");
  }

  @Test
  void messageNamesTheFirstDimensionFromTheRightThatDoesNotFit() {
    assertThatThrownBy(() -> Shape.broadcast("mul", Shape.of(2, 3, 5), Shape.of(4, 1)))
        .hasMessage(
            "mul: shapes do not broadcast, expected equal sizes or 1 in dimension -2, got 3 and 4"
                + " (shapes (2, 3, 5) and (4, 1))");
  }
}

package dev.downhill.cli.verify;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * When a result is the one expected. Dtypes and shapes must be equal, and so must integers and
 * truth values; floating-point numbers match if both are NaN, if they are equal, infinities
 * included, or if both are finite and {@code |actual - expected| <= atol + rtol |expected|}.
 */
record Comparison(double rtol, double atol) {
  /**
   * What is wrong with a result, in words: the first element that differs with both values and
   * their distance, and how many do. Null if nothing is.
   */
  @Nullable String difference(Values expected, Values actual) {
    if (expected.dtype() != actual.dtype() || !expected.shape().equals(actual.shape())) {
      return ": expected %s %s, got %s %s"
          .formatted(expected.dtype(), expected.shape(), actual.dtype(), actual.shape());
    }
    long numel = expected.shape().numel();
    long first = -1;
    long count = 0;
    for (long i = 0; i < numel; i++) {
      if (!matches(expected, actual, i)) {
        first = first < 0 ? i : first;
        count++;
      }
    }
    if (count == 0) {
      return null;
    }
    return "%s: expected %s, got %s, error %s, %s of %s differ"
        .formatted(
            Arrays.toString(index(expected.shape(), first)),
            expected.text(first),
            actual.text(first),
            error(expected, actual, first),
            count,
            numel);
  }

  private boolean matches(Values expected, Values actual, long i) {
    if (!expected.dtype().isFloating()) {
      return expected.integer(i) == actual.integer(i);
    }
    double e = expected.number(i);
    double a = actual.number(i);
    return a == e
        || (Double.isNaN(a) && Double.isNaN(e))
        || (Double.isFinite(a)
            && Double.isFinite(e)
            && Math.abs(a - e) <= atol + rtol * Math.abs(e));
  }

  private static String error(Values expected, Values actual, long i) {
    if (expected.dtype().isFloating()) {
      return String.format(Locale.ROOT, "%.3g", Math.abs(actual.number(i) - expected.number(i)));
    }
    return expected.dtype() == DType.BOOL
        ? "1"
        : Long.toString(Math.abs(actual.integer(i) - expected.integer(i)));
  }

  private static long[] index(Shape shape, long position) {
    long[] index = new long[shape.rank()];
    long rest = position;
    for (int d = shape.rank() - 1; d >= 0; d--) {
      index[d] = rest % shape.size(d);
      rest /= shape.size(d);
    }
    return index;
  }
}

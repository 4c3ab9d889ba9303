package dev.downhill.cli.verify;

import dev.downhill.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** The comparisons of one case: how many there were, and the first that failed. */
final class Checks {
  private final Case held;
  private int comparisons;
  private int failures;
  private @Nullable String first;

  Checks(Case held) {
    this.held = held;
  }

  /** Holds a result against the tensor of the case that has this name; null is no result. */
  void equal(String tensor, @Nullable Tensor actual) {
    Values expected = held.values(tensor);
    if (actual == null) {
      comparisons++;
      fail("%s: expected %s %s, got none".formatted(tensor, expected.dtype(), expected.shape()));
    } else {
      equal(tensor, expected, Values.of(actual));
    }
  }

  /** Holds values of the host against a tensor of the case. */
  void equal(String tensor, Values expected, Values actual) {
    comparisons++;
    String difference = held.comparison().difference(expected, actual);
    if (difference != null) {
      fail(tensor + difference);
    }
  }

  private void fail(String what) {
    failures++;
    first = first == null ? what : first;
  }

  /** How many tensors were compared. */
  int comparisons() {
    return comparisons;
  }

  /** What is wrong with the case, in one line; null if nothing is. */
  @Nullable String failure() {
    if (comparisons == 0) {
      return "nothing to compare";
    }
    return failures > 1 ? "%s (and %s more tensors)".formatted(first, failures - 1) : first;
  }
}

package dev.downhill.nn;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Arguments of layers as PyTorch prints them. */
final class Printed {
  private Printed() {}

  /** {@code 2} for one number, {@code (2, 3)} for several. */
  static String numbers(List<Long> numbers) {
    return numbers.size() == 1 ? numbers.getFirst().toString() : tuple(numbers);
  }

  /** {@link #numbers(List)} of an array. */
  static String numbers(long[] numbers) {
    return numbers(Arrays.stream(numbers).boxed().toList());
  }

  /** {@code (2, 3)}, and {@code (2,)} for one number. */
  static String tuple(List<Long> numbers) {
    return numbers.stream()
        .map(String::valueOf)
        .collect(Collectors.joining(", ", "(", numbers.size() == 1 ? ",)" : ")"));
  }
}

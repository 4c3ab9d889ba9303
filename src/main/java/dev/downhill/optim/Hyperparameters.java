package dev.downhill.optim;

import java.util.ArrayList;
import java.util.List;

/**
 * Checks numbers that a user chose, and reports everything that is wrong with them at once.
 *
 * <pre>{@code
 * new Hyperparameters("StepLR")
 *     .positive("step_size", size)
 *     .amount("gamma", gamma)
 *     .report();
 * }</pre>
 */
final class Hyperparameters {
  /** What is larger is a slip of the keyboard, and would only give infinities. */
  private static final double LARGEST = 1e6;

  private final String owner;
  private final List<String> problems = new ArrayList<>();

  Hyperparameters(String owner) {
    this.owner = owner;
  }

  /** Expects a number from {@code low} to {@code high}, both included. */
  Hyperparameters range(String name, double value, double low, double high) {
    return check(
        value >= low && value <= high, name, "%s to %s".formatted(text(low), text(high)), value);
  }

  /** Expects a number from 0 to below 1, such as a share that stays. */
  Hyperparameters belowOne(String name, double value) {
    return check(value >= 0 && value < 1, name, "0 to below 1", value);
  }

  /** Expects a rate, factor, exponent or small bound. */
  Hyperparameters amount(String name, double value) {
    return range(name, value, 0, LARGEST);
  }

  /** Expects a number of steps, 1 or more. */
  Hyperparameters positive(String name, long value) {
    return check(value >= 1, name, "1 or more", value);
  }

  /** Expects that {@code ok} holds. */
  Hyperparameters check(boolean ok, String name, String expected, Object got) {
    if (!ok) {
      problems.add("%s: expected %s, got %s".formatted(name, expected, got));
    }
    return this;
  }

  /** Throws if anything was wrong. */
  void report() {
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(owner + ": " + String.join("; ", problems));
    }
  }

  private static String text(double number) {
    return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
  }
}

package dev.downhill.tensor;

import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * The numbers an input may have.
 *
 * @param dtype int64 or bool, or float64 for the floating type of the case
 * @param low the least
 * @param high the largest; integers are below it
 * @param grid what they are multiples of, or 0
 * @param kinks where the operator has no derivative: numbers keep away from them
 */
record Domain(DType dtype, double low, double high, double grid, List<Double> kinks) {
  private static final double AWAY = 0.02;

  /** Between two numbers. */
  static Domain between(double low, double high) {
    return new Domain(DType.F64, low, high, 0, List.of());
  }

  /** Of either sign. */
  static Domain real() {
    return between(-2, 2);
  }

  /** Positive, and not near 0. */
  static Domain positive() {
    return between(0.3, 2.5);
  }

  /** Class indices: 0 to {@code n - 1}. */
  static Domain index(int n) {
    return new Domain(DType.I64, 0, n, 1, List.of());
  }

  /** Truth values. */
  static Domain truth() {
    return new Domain(DType.BOOL, 0, 2, 1, List.of());
  }

  /** Multiples of {@code step}, many of them equal. */
  Domain multiplesOf(double step) {
    return new Domain(dtype, low, high, step, kinks);
  }

  /** Not near these points. */
  Domain avoiding(double... points) {
    List<Double> all = new ArrayList<>(kinks);
    for (double p : points) {
      all.add(p);
    }
    return new Domain(dtype, low, high, grid, all);
  }

  boolean isFloating() {
    return dtype.isFloating();
  }

  /** {@code n} numbers, no two equal or nearly so unless they are on a grid. */
  double[] draw(int n, Random random) {
    List<Integer> strata = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      strata.add(i);
    }
    Collections.shuffle(strata, random);
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      double v = low + (high - low) * (strata.get(i) + 0.2 + 0.6 * random.nextDouble()) / n;
      if (grid > 0) {
        v = Math.floor(v / grid) * grid;
      }
      for (double kink : kinks) {
        if (Math.abs(v - kink) < AWAY) {
          v = kink + (v < kink ? -AWAY : AWAY) * (1 + random.nextDouble());
        }
      }
      values[i] = v;
    }
    return values;
  }
}

package dev.downhill.jobs.curve;

import dev.downhill.backend.Device;
import dev.downhill.jobs.JobOption;

/**
 * Where a walk down a curve happens.
 *
 * @param samples of the curve in the window that is looked at
 * @param start where the walk starts
 * @param minimum the bottom of the valley of the start; NaN if there is none in the window
 * @param height of the minimum
 * @param curvature at the minimum
 * @param scale the curvature that rates are chosen by: the largest between start and minimum, or
 *     slope by distance if that is larger, as it is where the minimum is a corner
 * @param hillLeft where the valley of the minimum ends
 * @param hillRight where the valley of the minimum ends
 */
record Landscape(
    Samples samples,
    double start,
    double minimum,
    double height,
    double curvature,
    double scale,
    double hillLeft,
    double hillRight) {
  private static final int INTERVALS = 4000;
  private static final double WINDOW = 10;
  private static final double FURTHEST_START = 2;

  /**
   * Looks at a curve.
   *
   * @param start where to start; NaN for a place on the slope of the deepest valley
   * @throws IllegalArgumentException if the curve has no number at the start, or nowhere
   */
  static Landscape of(Formula curve, Device device, double start) {
    if (!Double.isNaN(start)) {
      double height = Samples.at(curve, device, start).height()[0];
      if (!Double.isFinite(height)) {
        throw new IllegalArgumentException(
            "%s: expected a place where %s is a number, got %s, where it is %s"
                .formatted(JobOption.START.flag(), curve, start, height));
      }
    }
    double half = Double.isNaN(start) ? WINDOW : Math.max(WINDOW, 2 * Math.abs(start));
    Samples s = Samples.between(curve, device, -half, half, INTERVALS);
    int bottom = Double.isNaN(start) ? deepest(s) : s.bottom(s.nearest(start));
    if (bottom < 0) {
      double from = Double.isNaN(start) ? anywhere(s, curve) : start;
      double bend = Math.abs(Samples.at(curve, device, from).curvature()[0]);
      return new Landscape(
          s, from, Double.NaN, Double.NaN, Double.NaN, positive(bend), -half, half);
    }
    double from = Double.isNaN(start) ? onTheSlope(s, bottom) : start;
    Samples exact = closer(curve, device, s, bottom);
    double minimum = exact.x()[0];
    // For a corner, which has no curvature, how fast the slope changes on the way.
    double slope = Samples.at(curve, device, from).slope()[0];
    double scale =
        Math.max(
            Math.max(bend(s, s.nearest(from), bottom), Math.abs(exact.curvature()[0])),
            Math.abs(slope / (from - minimum)));
    return new Landscape(
        s,
        from,
        minimum,
        exact.height()[0],
        exact.curvature()[0],
        positive(scale),
        s.x()[s.uphill(bottom, -1)],
        s.x()[s.uphill(bottom, 1)]);
  }

  /** Whether the curve bends at all between start and minimum. */
  boolean isBent() {
    return bend(samples, samples.nearest(start), samples.nearest(minimum)) > 1e-9;
  }

  /** How far from 0 the window reaches. */
  double reach() {
    return samples.x()[samples.x().length - 1];
  }

  private static double positive(double scale) {
    return scale > 1e-9 && Double.isFinite(scale) ? scale : 1;
  }

  private static int deepest(Samples s) {
    int deepest = -1;
    for (int i = 0; i < s.x().length; i++) {
      if (s.in(i) && s.bottom(i) == i && (deepest < 0 || s.height()[i] < s.height()[deepest])) {
        deepest = i;
      }
    }
    return deepest;
  }

  /** The place nearest to 1 where the curve has a number. */
  private static double anywhere(Samples s, Formula curve) {
    int best = -1;
    for (int i = 0; i < s.x().length; i++) {
      if (s.in(i) && (best < 0 || Math.abs(s.x()[i] - 1) < Math.abs(s.x()[best] - 1))) {
        best = i;
      }
    }
    if (best < 0) {
      throw new IllegalArgumentException(
          "%s: expected a curve that is a number somewhere from %.0f to %.0f, got %s"
              .formatted(JobOption.CURVE.flag(), -WINDOW, WINDOW, curve));
    }
    return s.x()[best];
  }

  /** Three quarters up the side that is bent less. */
  private static double onTheSlope(Samples s, int bottom) {
    double least = Double.POSITIVE_INFINITY;
    double start = s.x()[bottom];
    for (int direction : new int[] {-1, 1}) {
      int top = s.uphill(bottom, direction);
      double reach = Math.min(Math.abs(s.x()[top] - s.x()[bottom]), FURTHEST_START);
      double there = s.x()[bottom] + direction * 0.75 * reach;
      double bend = bend(s, s.nearest(there), bottom);
      if (reach > 0 && bend < least) {
        least = bend;
        start = there;
      }
    }
    return start;
  }

  /** The largest curvature between two samples. */
  private static double bend(Samples s, int a, int b) {
    double most = 0;
    for (int i = Math.min(a, b); i <= Math.max(a, b); i++) {
      double bend = Math.abs(s.curvature()[i]);
      most = Double.isFinite(bend) ? Math.max(most, bend) : most;
    }
    return most;
  }

  /** The bottom itself, between samples. */
  private static Samples closer(Formula curve, Device device, Samples s, int bottom) {
    double middle = s.x()[bottom];
    double half = s.x()[1] - s.x()[0];
    for (int round = 0; round < 3; round++) {
      Samples near = Samples.between(curve, device, middle - half, middle + half, INTERVALS);
      int best = near.nearest(middle);
      for (int i = 0; i < near.x().length; i++) {
        best = near.height()[i] < near.height()[best] ? i : best;
      }
      middle = near.x()[best];
      half /= INTERVALS / 4.0;
    }
    return Samples.at(curve, device, middle);
  }
}

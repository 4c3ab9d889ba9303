package dev.downhill.jobs.curve;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** Curves with a name, each of which shows something. */
enum CurvePreset {
  /** Two minima with a hill between them. */
  DOUBLE_WELL("x^4 - 3x^2 + x"),
  /** The same curvature everywhere. */
  BOWL("x^2"),
  /** A minimum without curvature: the nearer, the slower. */
  FLAT("x^4/4"),
  /** A minimum with a corner: the slope is 1 up to it. */
  CORNER("abs(x)"),
  /** Many minima; the step decides which. */
  RIPPLES("x^2/10 + sin(3x)"),
  /** Far from the minimum there is hardly a slope. */
  PLATEAU("1 - exp(-x^2)"),
  /** A gentle slope down to a steep wall. */
  CLIFF("exp(-4x) + x"),
  /** No number at 0 and left of it. */
  EDGE("x - log(x)");

  private final String formula;

  CurvePreset(String formula) {
    this.formula = formula;
  }

  private String title() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** All names. */
  static String names() {
    return Arrays.stream(values()).map(CurvePreset::title).collect(Collectors.joining(", "));
  }

  /**
   * The curve of a name, or of a formula.
   *
   * @throws IllegalArgumentException if it is neither
   */
  static Formula formula(String text) {
    for (CurvePreset preset : values()) {
      if (preset.title().equals(text)) {
        return Formula.parse(preset.formula);
      }
    }
    try {
      return Formula.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "%s; or one of the curves %s".formatted(e.getMessage(), names()), e);
    }
  }
}

package dev.downhill.backend;

/** Functions of two numbers, applied element by element. Comparisons give bool. */
public enum Binary {
  /** x + y. */
  ADD,
  /** x - y. */
  SUB,
  /** x y. */
  MUL,
  /** x / y; floating types only. */
  DIV,
  /** x^y; floating types only. */
  POW,
  /** The larger; NaN if either is NaN. */
  MAXIMUM,
  /** The smaller; NaN if either is NaN. */
  MINIMUM,
  /** x = y. */
  EQ,
  /** x != y, true if either is NaN. */
  NE,
  /** {@code x < y}. */
  LT,
  /** {@code x <= y}. */
  LE,
  /** x > y. */
  GT,
  /** x >= y. */
  GE;

  /** Whether the result is of type bool. */
  public boolean isComparison() {
    return compareTo(EQ) >= 0;
  }
}

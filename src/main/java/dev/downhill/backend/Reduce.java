package dev.downhill.backend;

/** Ways to make one number of many. */
public enum Reduce {
  /** The sum; 0 of nothing. Integers and truth values are summed as {@code i64}. */
  SUM,
  /** The product; 1 of nothing. Integers and truth values are multiplied as {@code i64}. */
  PROD,
  /** The largest; NaN if any is NaN. Never of nothing. */
  MAX,
  /** The smallest; NaN if any is NaN. Never of nothing. */
  MIN
}

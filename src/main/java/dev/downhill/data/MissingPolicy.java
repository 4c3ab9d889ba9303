package dev.downhill.data;

/** What an {@link Encoder} does with empty cells of the features. The target may have none. */
public enum MissingPolicy {
  /** An empty cell is an error that names its line and column. */
  ERROR,
  /**
   * An empty cell of a column of numbers counts as the median of the training rows; an empty cell
   * of a column of categories counts as a category of its own, {@code (missing)}, if the training
   * rows had one.
   */
  MEDIAN
}

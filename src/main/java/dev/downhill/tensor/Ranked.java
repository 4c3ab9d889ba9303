package dev.downhill.tensor;

/**
 * Elements chosen by rank along a dimension, and where they were.
 *
 * @param values the elements
 * @param indices their positions along the dimension, int64, of the same shape
 */
public record Ranked(Tensor values, Tensor indices) {}

package dev.downhill.backend;

import dev.downhill.shape.DType;

/** A block of device memory that holds elements of one type. Only its backend knows where it is. */
public interface Buffer {
  /** The type of the elements. */
  DType dtype();

  /** How many elements fit. */
  long numel();
}

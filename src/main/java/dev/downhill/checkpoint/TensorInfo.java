package dev.downhill.checkpoint;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;

/**
 * What the header of a safetensors file says of one tensor.
 *
 * @param name any text; never used as a path
 * @param dtype the type of the elements, which are little-endian and in row-major order
 * @param shape the sizes; rank 0 is a single element
 * @param begin the first byte, counted from the end of the header
 * @param end one past the last byte
 */
public record TensorInfo(String name, DType dtype, Shape shape, long begin, long end) {
  /** The number of bytes. */
  public long bytes() {
    return end - begin;
  }
}

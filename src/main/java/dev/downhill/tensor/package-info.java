/**
 * Tensors and their operators. {@link dev.downhill.tensor.Tensor} is the facade; each family of
 * operators has its forward computation and its gradient side by side in a class of its own.
 */
@NullMarked
package dev.downhill.tensor;

import org.jspecify.annotations.NullMarked;

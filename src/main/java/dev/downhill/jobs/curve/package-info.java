/** Gradient descent on a curve of one dimension. */
@NullMarked
package dev.downhill.jobs.curve;

import org.jspecify.annotations.NullMarked;

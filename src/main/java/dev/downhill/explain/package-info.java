/**
 * A run explained in its own numbers: which weight was to blame for how much of the error, why it
 * moved, whether the learning rate fits. Everything is computed from the gradients and weights of
 * the run itself.
 */
@NullMarked
package dev.downhill.explain;

import org.jspecify.annotations.NullMarked;

/**
 * Optimisers, which move the parameters of a model against their gradients, and schedules of their
 * learning rate. Formulas write p for a parameter, g for its gradient and t for the number of steps
 * the parameter has taken, 1 at its first.
 */
@NullMarked
package dev.downhill.optim;

import org.jspecify.annotations.NullMarked;

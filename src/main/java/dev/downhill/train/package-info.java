/**
 * The training loop as a library: epochs, accumulation, clipping, schedules, validation, progress.
 */
@NullMarked
package dev.downhill.train;

import org.jspecify.annotations.NullMarked;

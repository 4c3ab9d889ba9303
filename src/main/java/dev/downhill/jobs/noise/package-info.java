/** How far the gradient of a batch can be trusted. */
@NullMarked
package dev.downhill.jobs.noise;

import org.jspecify.annotations.NullMarked;

/** Worked examples of how networks learn: each a short program on the public API. */
@NullMarked
package dev.downhill.jobs;

import org.jspecify.annotations.NullMarked;

/** The smallest network: one weight. */
@NullMarked
package dev.downhill.jobs.oneweight;

import org.jspecify.annotations.NullMarked;

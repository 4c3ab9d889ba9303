/** Deep networks that fail to learn, and what helps. */
@NullMarked
package dev.downhill.jobs.pathologies;

import org.jspecify.annotations.NullMarked;

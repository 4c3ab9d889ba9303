/** What houses cost, and how a network learns it. */
@NullMarked
package dev.downhill.jobs.houses;

import org.jspecify.annotations.NullMarked;

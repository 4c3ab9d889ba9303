/** One hidden unit as a spreadsheet. */
@NullMarked
package dev.downhill.jobs.spreadsheet;

import org.jspecify.annotations.NullMarked;

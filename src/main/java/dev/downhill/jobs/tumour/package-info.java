/** Scans and cells: healthy or not, and where one sees it. */
@NullMarked
package dev.downhill.jobs.tumour;

import org.jspecify.annotations.NullMarked;

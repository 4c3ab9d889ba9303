/** Digits: told apart, walked through, and squeezed into two numbers. */
@NullMarked
package dev.downhill.jobs.digits;

import org.jspecify.annotations.NullMarked;

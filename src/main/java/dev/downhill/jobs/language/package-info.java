/** A small GPT that learns a text and goes on with one. */
@NullMarked
package dev.downhill.jobs.language;

import org.jspecify.annotations.NullMarked;

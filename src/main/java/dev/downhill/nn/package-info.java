/**
 * Layers, which are named parameters and a forward computation, and ways to draw the first values
 * of parameters. Comments name dimensions so: N batch, C or {@code in}/{@code out} features.
 */
@NullMarked
package dev.downhill.nn;

import org.jspecify.annotations.NullMarked;

/** Shapes, layouts and element types: pure values that know nothing of memory or devices. */
@NullMarked
package dev.downhill.shape;

import org.jspecify.annotations.NullMarked;

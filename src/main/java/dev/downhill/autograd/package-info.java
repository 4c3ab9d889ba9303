/**
 * Reverse-mode differentiation over an opaque kind of value. The engine knows neither tensors nor
 * devices: it walks a graph of nodes, asks their rules for contributions, and is the only one that
 * adds them up.
 */
@NullMarked
package dev.downhill.autograd;

import org.jspecify.annotations.NullMarked;

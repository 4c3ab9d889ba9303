/**
 * The replay of conformance cases: inputs, upstream gradients and expected results computed
 * elsewhere, read from files and held against what this runtime computes from the same inputs.
 */
@NullMarked
package dev.downhill.cli.verify;

import org.jspecify.annotations.NullMarked;

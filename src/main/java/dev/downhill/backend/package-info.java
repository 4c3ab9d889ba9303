/**
 * The contract between tensors and devices: what a device must be able to compute, on views of
 * buffers, and the devices themselves.
 */
@NullMarked
package dev.downhill.backend;

import org.jspecify.annotations.NullMarked;

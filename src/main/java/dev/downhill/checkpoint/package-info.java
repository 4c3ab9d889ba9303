/**
 * Files that outlive a run: tensors in the safetensors format, written so that a crash at any
 * instant leaves the old file or the new one, and read with every rule of the format checked.
 */
@NullMarked
package dev.downhill.checkpoint;

import org.jspecify.annotations.NullMarked;

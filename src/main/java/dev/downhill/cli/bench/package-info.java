/** What {@code downhill bench} measures: whole training steps and single kernels. */
@NullMarked
package dev.downhill.cli.bench;

import org.jspecify.annotations.NullMarked;

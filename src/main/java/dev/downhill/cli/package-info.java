/** The command line: one picocli class per command, and what becomes of errors. */
@NullMarked
package dev.downhill.cli;

import org.jspecify.annotations.NullMarked;

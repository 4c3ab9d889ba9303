/**
 * The CPU backend: pure Java on the Vector API, one class per family of operators. Results have the
 * same bits for any number of threads and any vector width.
 */
@NullMarked
package dev.downhill.backend.cpu;

import org.jspecify.annotations.NullMarked;

/**
 * Other libraries for the JVM, which {@code downhill bench} compares with; see {@code Peers}. They
 * are built only in the Maven profile {@code jvm-peers}.
 */
package dev.downhill.benchmarks.peers;

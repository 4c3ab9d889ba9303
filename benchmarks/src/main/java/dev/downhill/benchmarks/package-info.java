/**
 * Operators under JMH, one class per family. Build and run all:
 *
 * <pre>{@code
 * mvn install -DskipTests && mvn -f benchmarks package
 * java -jar benchmarks/target/benchmarks.jar
 * }</pre>
 *
 * <p>The counters beside the operations a second say how many gigabytes or gigaflops those are, the
 * least that an operation needs.
 */
package dev.downhill.benchmarks;

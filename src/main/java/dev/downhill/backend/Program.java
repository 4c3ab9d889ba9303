package dev.downhill.backend;

/** Work that a backend has prepared; see {@link Backend#prepare}. */
@FunctionalInterface
public interface Program extends AutoCloseable {
  /** Does the work once more, or starts it on an asynchronous device; under the device's lock. */
  void run();

  /** Gives up what was prepared. */
  @Override
  default void close() {}
}

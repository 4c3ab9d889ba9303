package dev.downhill.backend;

/**
 * Something that a device has been told to do. It is started under the device's lock and waited for
 * outside it, once, so that other threads can use the device meanwhile.
 */
@FunctionalInterface
public interface Pending {
  /** What was done at once. */
  Pending DONE = () -> {};

  /**
   * Waits for the end, and reports what went wrong up to there.
   *
   * @throws IllegalArgumentException for an index out of range
   * @throws DeviceException if the device failed
   */
  void await();
}

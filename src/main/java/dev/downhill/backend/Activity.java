package dev.downhill.backend;

/**
 * What a device has done since it was opened; all 0 where nothing is launched.
 *
 * @param launches of kernels
 * @param kernels different ones that were launched; those inside of libraries are not counted
 * @param copiesToHost copies from the device's memory
 */
public record Activity(long launches, long kernels, long copiesToHost) {
  /** No activity. */
  public static final Activity NONE = new Activity(0, 0, 0);
}

package dev.downhill.backend;

/** A device is missing, unusable or failed. The message says what was found, needed and to do. */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message what was found, what is needed, what to do
   */
  public DeviceException(String message) {
    super(message);
  }

  /**
   * Creates the exception with the fault below it.
   *
   * @param message what was found, what is needed, what to do
   * @param cause what the driver or the loader said
   */
  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}

package dev.downhill.backend;

/** A device has no room for a tensor. Nothing was changed; memory freed later can be used. */
public final class OutOfMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message bytes asked, held and free, and the largest owners
   */
  public OutOfMemoryException(String message) {
    super(message);
  }
}

package dev.downhill.checkpoint;

/**
 * A checkpoint that cannot be read or written. The message names the file, and the byte offset or
 * the tensor where they are known.
 */
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message {@code file: problem, expected ..., got ...}
   */
  public CheckpointException(String message) {
    super(message);
  }

  /** Creates the exception with the failure that led to it. */
  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}

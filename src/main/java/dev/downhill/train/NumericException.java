package dev.downhill.train;

/** A loss or gradient is no longer a finite number. The message says when, and what to try. */
public final class NumericException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message when it happened, and what to try
   */
  public NumericException(String message) {
    super(message);
  }
}

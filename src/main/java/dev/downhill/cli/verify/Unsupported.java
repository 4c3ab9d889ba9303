package dev.downhill.cli.verify;

/** A case asks for something that the runtime does not have: it is neither passed nor failed. */
final class Unsupported extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param reason what is missing, {@code no such operator yet}
   */
  Unsupported(String reason) {
    super(reason, null, false, false);
  }

  /** What is missing. */
  String reason() {
    return String.valueOf(getMessage());
  }
}

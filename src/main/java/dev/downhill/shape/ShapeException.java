package dev.downhill.shape;

/**
 * Shapes, dimensions or dtypes that do not fit an operator. The message names the operator, what
 * was expected and every shape involved.
 */
public final class ShapeException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message {@code op: problem, expected ..., got ... (shapes)}
   */
  public ShapeException(String message) {
    super(message);
  }
}

package dev.downhill.data;

/**
 * Data that cannot be used as asked. The message names the file, the line and the column where they
 * are known, what was expected and what was found.
 */
public final class DataException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private static final int SHOWN = 40;

  /**
   * Creates the exception.
   *
   * @param message {@code file: line n, column "name": problem, expected ..., got ...}
   */
  public DataException(String message) {
    super(message);
  }

  /** Creates the exception with the failure that led to it. */
  public DataException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The text in quotes on one line, shortened, for a message. */
  static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    int end = Math.min(text.length(), SHOWN);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (Character.isISOControl(c) || (Character.isSurrogate(c) && !paired(text, i))) {
            out.append("\\u").append(Integer.toHexString(0x10000 | c), 1, 5);
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
    return text.length() > SHOWN ? out + "... (" + text.length() + " characters)" : out.toString();
  }

  private static boolean paired(String text, int i) {
    return Character.isHighSurrogate(text.charAt(i))
        ? i + 1 < Math.min(text.length(), SHOWN) && Character.isLowSurrogate(text.charAt(i + 1))
        : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
  }
}

package dev.downhill.jobs.curve;

import dev.downhill.jobs.JobOption;

/** The text of a {@link Formula} and how far it is read. */
final class FormulaText {
  /** The longest text that is read. */
  static final int MOST_CHARACTERS = 200;

  private final String text;
  private int at;

  /**
   * Begins to read.
   *
   * @throws IllegalArgumentException if the text is too long
   */
  FormulaText(String text) {
    if (text.length() > MOST_CHARACTERS) {
      throw new IllegalArgumentException(
          "%s: expected a formula of at most %s characters, got %s"
              .formatted(JobOption.CURVE.flag(), MOST_CHARACTERS, text.length()));
    }
    this.text = text;
  }

  /** Whether a character comes next; if so, it is read. */
  boolean take(char c) {
    boolean there = next() == c;
    at += there ? 1 : 0;
    return there;
  }

  /** Whether a number comes next. */
  boolean beginsNumber() {
    return isDigit(next()) || next() == '.';
  }

  /** Whether a number, a name or a bracket comes next. */
  boolean beginsAtom() {
    return beginsNumber() || isLetter(next()) || next() == '(';
  }

  /** Reads letters; none if something else comes next. */
  String name() {
    next();
    int start = at;
    at = afterLetters(at);
    return text.substring(start, at);
  }

  /** Reads a number, such as 2, .5 or 1e-3; in 2e and 2exp(x) it is the 2. */
  double number() {
    next();
    int start = at;
    digits();
    if (at(at) == '.') {
      at++;
      digits();
    }
    int exponent = at;
    if (at(at) == 'e' || at(at) == 'E') {
      at += at(at + 1) == '-' || at(at + 1) == '+' ? 2 : 1;
      at = isDigit(at(at)) ? at : exponent;
      digits();
    }
    boolean digit = isDigit(at(start)) || isDigit(at(start + 1));
    double v = digit ? Double.parseDouble(text.substring(start, at)) : Double.NaN;
    if (!Double.isFinite(v)) {
      at = start;
      throw refuse("a finite number");
    }
    return v;
  }

  /** Goes back to before a name, so that a refusal names it. */
  void back(String name) {
    at -= name.length();
  }

  /** Demands the end. */
  void end() {
    if (next() != 0) {
      throw refuse("an operator or the end");
    }
  }

  /** What to throw where something else was expected next. */
  IllegalArgumentException refuse(String expected) {
    boolean end = next() == 0;
    String found = end ? "the end" : "'" + printable(at, Math.max(afterLetters(at), at + 1)) + "'";
    return new IllegalArgumentException(
        "%s: expected %s at character %s of '%s', got %s"
            .formatted(JobOption.CURVE.flag(), expected, at + 1, this, found));
  }

  private String printable(int from, int to) {
    return text.substring(from, to).replaceAll("\\p{Cntrl}", "?");
  }

  /** The text on one line. */
  @Override
  public String toString() {
    return printable(0, text.length());
  }

  /** The next character that is no space; 0 at the end. */
  private char next() {
    while (at(at) == ' ') {
      at++;
    }
    return at(at);
  }

  private char at(int place) {
    // A 0 inside the text would read as its end.
    return place >= text.length() ? 0 : text.charAt(place) == 0 ? '?' : text.charAt(place);
  }

  private void digits() {
    while (isDigit(at(at))) {
      at++;
    }
  }

  private int afterLetters(int place) {
    int end = place;
    while (isLetter(at(end))) {
      end++;
    }
    return end;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
}

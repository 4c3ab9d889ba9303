package dev.downhill.data;

import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The grammar of a number in a data file: {@code [+-] digits [. digits] [e [+-] digits]}, where one
 * side of the point may be empty, in ASCII digits and whatever the locale. Java's own parser is not
 * used alone because it also takes {@code NaN}, {@code 1f}, {@code 0x1p3} and blanks, and turns
 * {@code 1e999} into infinity.
 */
final class Cell {
  /** Stands for bytes that are not UTF-8; Unicode reserves it for such uses. */
  static final char MALFORMED = '\uFFFF';

  private static final Set<String> WORDS_FOR_MISSING =
      Set.of("na", "n/a", "#n/a", "null", "nil", "none", "missing", "-", "?", ".");
  private static final Set<String> WORDS_FOR_NOT_FINITE = Set.of("nan", "inf", "infinity");

  /** Why a cell is no number. */
  enum Problem {
    /** Not a number at all. */
    TEXT("text in a number column, expected a number"),
    /** A word that other programs write for a missing value. */
    WORD("a word for a missing value, expected a number or an empty cell"),
    /** NaN or an infinity. */
    NOT_FINITE("not a finite number, expected a number, or an empty cell for a missing value"),
    /** A number too large for a double. */
    TOO_LARGE("number out of range, expected at most 1.7976931348623157E308 in size"),
    /** Digits on both sides of a comma. */
    COMMA("decimal comma, expected a number with a decimal point and no other separators"),
    /** A number between blanks. */
    BLANKS("blanks around a number, expected the number alone");

    private final String text;

    Problem(String text) {
      this.text = text;
    }

    /** The problem and what is expected instead. */
    String text() {
      return text;
    }

    /** Whether the cell was meant as a number, whatever else its column holds. */
    boolean isNumeric() {
      return this != TEXT && this != WORD;
    }
  }

  private Cell() {}

  /** The number written in the cell, NaN if it is not a finite number of the grammar. */
  static double number(String cell) {
    if (!isNumber(cell)) {
      return Double.NaN;
    }
    double value = Double.parseDouble(cell);
    return Double.isInfinite(value) ? Double.NaN : value;
  }

  /** Why {@link #number} gave NaN for this cell. */
  static Problem problem(String cell) {
    if (isNumber(cell)) {
      return Problem.TOO_LARGE;
    }
    String word = cell.strip().toLowerCase(Locale.ROOT);
    if (!word.equals(cell) && isNumber(word)) {
      return Problem.BLANKS;
    }
    boolean signed = word.startsWith("+") || word.startsWith("-");
    if (WORDS_FOR_NOT_FINITE.contains(signed ? word.substring(1) : word)) {
      return Problem.NOT_FINITE;
    }
    if (WORDS_FOR_MISSING.contains(word)) {
      return Problem.WORD;
    }
    return isNumber(word.replaceAll("(?<=\\d),(?=\\d)", "")) ? Problem.COMMA : Problem.TEXT;
  }

  /** What no text of a data file may hold, or null. */
  static @Nullable String illegal(String cell) {
    if (cell.indexOf('\0') >= 0) {
      return "NUL character, expected text";
    }
    return cell.indexOf(MALFORMED) >= 0 ? "malformed UTF-8, expected a file saved as UTF-8" : null;
  }

  private static boolean isNumber(String s) {
    int i = s.startsWith("+") || s.startsWith("-") ? 1 : 0;
    int whole = digits(s, i);
    i += whole;
    int fraction = 0;
    if (i < s.length() && s.charAt(i) == '.') {
      fraction = digits(s, i + 1);
      i += 1 + fraction;
    }
    if (whole + fraction == 0) {
      return false;
    }
    if (i < s.length() && (s.charAt(i) == 'e' || s.charAt(i) == 'E')) {
      i++;
      if (i < s.length() && (s.charAt(i) == '+' || s.charAt(i) == '-')) {
        i++;
      }
      int exponent = digits(s, i);
      if (exponent == 0) {
        return false;
      }
      i += exponent;
    }
    return i == s.length();
  }

  private static int digits(String s, int from) {
    int i = from;
    while (i < s.length() && s.charAt(i) >= '0' && s.charAt(i) <= '9') {
      i++;
    }
    return i - from;
  }
}

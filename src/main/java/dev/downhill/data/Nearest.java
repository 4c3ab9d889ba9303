package dev.downhill.data;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Finds what a mistyped name most likely meant. */
public final class Nearest {
  private Nearest() {}

  /**
   * The known name with the smallest edit distance to {@code word}, ignoring case; the first of
   * equals. Empty if none is within a third of the word's length (and at least 2) edits.
   */
  public static Optional<String> to(String word, Collection<String> known) {
    String nearest = null;
    int limit = Math.max(2, word.length() / 3);
    int best = limit + 1;
    for (String candidate : known) {
      if (Math.abs(candidate.length() - word.length()) < best) {
        int distance = distance(candidate.toLowerCase(Locale.ROOT), word.toLowerCase(Locale.ROOT));
        if (distance < best) {
          best = distance;
          nearest = candidate;
        }
      }
    }
    return Optional.ofNullable(nearest);
  }

  /** Levenshtein distance: insertions, deletions and replacements of one character. */
  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replace = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replace, Math.min(previous[j], row[j - 1]) + 1);
      }
      previous = row;
    }
    return previous[b.length()];
  }
}

package dev.downhill.data;

import java.util.Arrays;
import java.util.Map;

/** Each character of a text (Unicode code point) is a token; they are numbered in Unicode order. */
public final class Characters implements Tokenizer {
  static final String KEY = "characters";

  private final int[] alphabet;

  private Characters(int[] alphabet) {
    this.alphabet = alphabet;
  }

  /** The characters that occur in a text. */
  public static Characters of(String text) {
    return new Characters(text.codePoints().sorted().distinct().toArray());
  }

  @Override
  public int size() {
    return alphabet.length;
  }

  @Override
  public int[] encode(String text) {
    int[] characters = text.codePoints().toArray();
    int[] tokens = new int[characters.length];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = Arrays.binarySearch(alphabet, characters[i]);
      if (tokens[i] < 0) {
        throw new IllegalArgumentException(
            "characters: expected only the %s that are known, got %s (U+%04X) as character %s"
                .formatted(
                    alphabet.length,
                    DataException.quote(Character.toString(characters[i])),
                    characters[i],
                    i + 1));
      }
    }
    return tokens;
  }

  @Override
  public String decode(int... tokens) {
    StringBuilder text = new StringBuilder(tokens.length);
    for (int token : tokens) {
      if (token < 0 || token >= alphabet.length) {
        throw new IllegalArgumentException(
            "characters: expected tokens from 0 to %s, got %s"
                .formatted(alphabet.length - 1, token));
      }
      text.appendCodePoint(alphabet[token]);
    }
    return text.toString();
  }

  @Override
  public String unit() {
    return "character";
  }

  @Override
  public Map<String, String> toMap() {
    return Map.of(KEY, new String(alphabet, 0, alphabet.length));
  }
}

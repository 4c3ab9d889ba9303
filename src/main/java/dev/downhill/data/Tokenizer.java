package dev.downhill.data;

import java.util.Map;

/** Text as a sequence of tokens, which are numbers from 0 on, and back. */
public sealed interface Tokenizer permits Characters, BytePairs {
  /** How many tokens there are. */
  int size();

  /**
   * The tokens of a text.
   *
   * @throws IllegalArgumentException if there are none for a part of it
   */
  int[] encode(String text);

  /**
   * The text of tokens.
   *
   * @throws IllegalArgumentException if a number is no token
   */
  String decode(int... tokens);

  /** What one of its tokens is called, such as "character". */
  String unit();

  /** Everything about it as text by key, for {@link #of}. */
  Map<String, String> toMap();

  /**
   * The tokenizer of a {@link #toMap}.
   *
   * @throws DataException if it is none
   */
  static Tokenizer of(Map<String, String> map) {
    String characters = map.get(Characters.KEY);
    if (characters != null) {
      return Characters.of(characters);
    }
    String encoder = map.get(BytePairs.ENCODER);
    String merges = map.get(BytePairs.MERGES);
    if (encoder == null || merges == null) {
      throw new DataException(
          "tokenizer: expected %s, or %s and %s, got %s"
              .formatted(Characters.KEY, BytePairs.ENCODER, BytePairs.MERGES, map.keySet()));
    }
    return BytePairs.of("tokenizer", encoder, merges);
  }
}

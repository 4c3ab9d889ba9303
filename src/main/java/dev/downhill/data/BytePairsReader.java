package dev.downhill.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The two files of {@link BytePairs}. Both write a byte as one character: printable ones of Latin-1
 * as themselves, the n-th of the others as U+0100 + n.
 */
final class BytePairsReader {
  /** More than any tokenizer has; each costs some 100 bytes. */
  private static final int MOST_TOKENS = 1 << 21;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(2).maxNumberLength(9).build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .build();

  private static final int[] BYTE_OF = bytes();

  private final byte[][] tokens;
  private final int[] ofByte = new int[0x100];
  private final Map<Long, BytePairs.Merge> merges;

  /**
   * Reads the contents of both files.
   *
   * @param source where they are from, for messages
   * @throws DataException naming the file and the place
   */
  BytePairsReader(String source, String encoder, String merges) {
    String file = source + "/" + BytePairs.ENCODER;
    Map<String, Integer> numbers = numbers(file, encoder);
    this.tokens = tokens(file, numbers);
    for (int c = 0; c < BYTE_OF.length; c++) {
      if (BYTE_OF[c] >= 0) {
        Integer number = numbers.get(String.valueOf((char) c));
        if (number == null) {
          throw new DataException(
              "%s: expected a token %s for the byte 0x%02X, got none"
                  .formatted(file, DataException.quote(String.valueOf((char) c)), BYTE_OF[c]));
        }
        ofByte[BYTE_OF[c]] = number;
      }
    }
    this.merges = merges(source + "/" + BytePairs.MERGES, merges, numbers);
  }

  /** The bytes of each token. */
  byte[][] tokens() {
    return tokens;
  }

  /** The token of each byte. */
  int[] ofByte() {
    return ofByte;
  }

  /** The merges by {@link BytePairs#pair}. */
  Map<Long, BytePairs.Merge> merges() {
    return merges;
  }

  /** The byte that each character stands for; -1 for none. */
  private static int[] bytes() {
    int[] byteOf = new int[0x200];
    Arrays.fill(byteOf, -1);
    int others = 0;
    for (int b = 0; b < 0x100; b++) {
      boolean printable = (b > ' ' && b < 0x7F) || (b > 0xA0 && b != 0xAD);
      byteOf[printable ? b : 0x100 + others++] = b;
    }
    return byteOf;
  }

  private static byte[][] tokens(String file, Map<String, Integer> numbers) {
    @Nullable String[] names = new @Nullable String[numbers.size()];
    byte[][] tokens = new byte[numbers.size()][];
    numbers.forEach(
        (name, number) -> {
          String same = names[number];
          if (same != null) {
            throw new DataException(
                "%s: the tokens %s and %s have the same number %s"
                    .formatted(file, DataException.quote(same), DataException.quote(name), number));
          }
          names[number] = name;
          tokens[number] = bytes(file, name);
        });
    return tokens;
  }

  private static Map<String, Integer> numbers(String file, String encoder) {
    JsonNode root;
    try {
      root = MAPPER.readTree(encoder);
    } catch (JacksonException e) {
      TokenStreamLocation at = e.getLocation();
      throw new DataException(
          "%s: line %s, column %s: not JSON: %s"
              .formatted(
                  file,
                  at == null ? "?" : at.getLineNr(),
                  at == null ? "?" : at.getColumnNr(),
                  e.getOriginalMessage()),
          e);
    }
    if (!root.isObject() || root.isEmpty() || root.size() > MOST_TOKENS) {
      throw new DataException(
          "%s: expected an object of 1 to %s tokens with their numbers, got %s"
              .formatted(file, MOST_TOKENS, DataException.quote(root.toString())));
    }
    Map<String, Integer> numbers = HashMap.newHashMap(root.size());
    for (Map.Entry<String, JsonNode> e : root.properties()) {
      JsonNode number = e.getValue();
      if (!number.isInt() || number.intValue() < 0 || number.intValue() >= root.size()) {
        throw new DataException(
            "%s: token %s: expected a number from 0 to %s, got %s"
                .formatted(
                    file,
                    DataException.quote(e.getKey()),
                    root.size() - 1,
                    DataException.quote(number.toString())));
      }
      numbers.put(e.getKey(), number.intValue());
    }
    return numbers;
  }

  private static byte[] bytes(String file, String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = token.charAt(i);
      if (c >= BYTE_OF.length || BYTE_OF[c] < 0) {
        throw new DataException(
            "%s: token %s: U+%04X as character %s stands for no byte"
                .formatted(file, DataException.quote(token), (int) c, i + 1));
      }
      bytes[i] = (byte) BYTE_OF[c];
    }
    return bytes;
  }

  private static Map<Long, BytePairs.Merge> merges(
      String file, String text, Map<String, Integer> numbers) {
    Map<Long, BytePairs.Merge> merges = new HashMap<>();
    List<String> lines = new ArrayList<>(List.of(text.split("\r?\n", -1)));
    if (lines.getLast().isEmpty()) {
      lines.removeLast();
    }
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (i == 0 && line.startsWith("#version")) {
        continue;
      }
      String[] parts = line.split(" ", -1);
      Integer left = numbers.get(parts[0]);
      Integer right = numbers.get(parts[parts.length - 1]);
      Integer token = numbers.get(String.join("", parts));
      if (parts.length != 2 || left == null || right == null || token == null) {
        throw new DataException(
            "%s: line %s: expected two tokens that are a third together, got %s"
                .formatted(file, i + 1, DataException.quote(line)));
      }
      BytePairs.Merge merge = new BytePairs.Merge(merges.size(), token);
      if (merges.put(BytePairs.pair(left, right), merge) != null) {
        throw new DataException(
            "%s: line %s: the merge %s is there already"
                .formatted(file, i + 1, DataException.quote(line)));
      }
    }
    return merges;
  }
}

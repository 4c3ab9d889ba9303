package dev.downhill.data;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The tokenizer of GPT-2 (Radford et al. 2019): byte pairs (Sennrich et al. 2016) of UTF-8. A text
 * is split into words, numbers, runs of signs and white space; of the bytes of each, the two
 * neighbours that come first in a list of merges become one token, again and again until none are
 * left. Every text has tokens, and decoding gives it back.
 */
public final class BytePairs implements Tokenizer {
  static final String ENCODER = "encoder.json";
  static final String MERGES = "vocab.bpe";

  /** What a text is split into before bytes are paired. */
  static final Pattern PIECE =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  /** A merge: its place in the list, and the token that the two become. */
  record Merge(int rank, int token) {}

  private final String encoderJson;
  private final String mergeList;
  private final byte[][] tokens;
  private final int[] ofByte;
  private final Map<Long, Merge> merges;

  private BytePairs(BytePairsReader read, String encoderJson, String mergeList) {
    this.encoderJson = encoderJson;
    this.mergeList = mergeList;
    this.tokens = read.tokens();
    this.ofByte = read.ofByte();
    this.merges = read.merges();
  }

  /**
   * The tokenizer of a folder with GPT-2's {@code encoder.json}, the numbers of the tokens, and
   * {@code vocab.bpe}, the list of merges.
   *
   * @throws DataException naming the file and the place if one cannot be read or is no such file
   */
  public static BytePairs open(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new DataException(
          "%s: expected a folder with %s and %s".formatted(folder, ENCODER, MERGES));
    }
    return of(
        folder.toString(),
        TextFile.read(folder.resolve(ENCODER)),
        TextFile.read(folder.resolve(MERGES)));
  }

  /**
   * The tokenizer of the contents of the two files.
   *
   * @param source where they are from, for messages
   * @throws DataException naming the file and the place if one is no such file
   */
  public static BytePairs of(String source, String encoder, String merges) {
    return new BytePairs(new BytePairsReader(source, encoder, merges), encoder, merges);
  }

  /** The key of two neighbours in the table of merges. */
  static long pair(int left, int right) {
    return (long) left << 32 | right;
  }

  @Override
  public int size() {
    return tokens.length;
  }

  @Override
  public int[] encode(String text) {
    Map<String, int[]> known = new HashMap<>();
    int[] all = new int[text.length() + 16];
    int n = 0;
    Matcher pieces = PIECE.matcher(text);
    while (pieces.find()) {
      int[] piece = known.computeIfAbsent(pieces.group(), this::piece);
      if (n + piece.length > all.length) {
        all = Arrays.copyOf(all, Math.max(n + piece.length, 2 * all.length));
      }
      System.arraycopy(piece, 0, all, n, piece.length);
      n += piece.length;
    }
    return Arrays.copyOf(all, n);
  }

  private int[] piece(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] parts = new int[bytes.length];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = ofByte[bytes[i] & 0xFF];
    }
    int n = parts.length;
    while (true) {
      Merge first = null;
      long pair = 0;
      for (int i = 0; i + 1 < n; i++) {
        Merge merge = merge(parts[i], parts[i + 1]);
        if (merge != null && (first == null || merge.rank < first.rank)) {
          first = merge;
          pair = pair(parts[i], parts[i + 1]);
        }
      }
      if (first == null) {
        return Arrays.copyOf(parts, n);
      }
      int to = 0;
      for (int i = 0; i < n; i++) {
        if (i + 1 < n && pair(parts[i], parts[i + 1]) == pair) {
          parts[to++] = first.token;
          i++;
        } else {
          parts[to++] = parts[i];
        }
      }
      n = to;
    }
  }

  private @Nullable Merge merge(int left, int right) {
    return merges.get(pair(left, right));
  }

  /** The text of tokens; where their bytes are no UTF-8, it has replacement characters. */
  @Override
  public String decode(int... numbers) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int number : numbers) {
      if (number < 0 || number >= tokens.length) {
        throw new IllegalArgumentException(
            "byte pairs: expected tokens from 0 to %s, got %s"
                .formatted(tokens.length - 1, number));
      }
      bytes.writeBytes(tokens[number]);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Override
  public String unit() {
    return "token";
  }

  @Override
  public Map<String, String> toMap() {
    return Map.of(ENCODER, encoderJson, MERGES, mergeList);
  }
}

package dev.downhill.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text files in UTF-8. */
public final class TextFile {
  /** The largest file, in bytes. */
  private static final int MOST = 1 << 30;

  private TextFile() {}

  /**
   * All of a file; a byte order mark at its start is left out.
   *
   * @throws DataException if the file cannot be read, or is no UTF-8: the message has the offset of
   *     the first byte that is wrong
   */
  public static String read(Path file) {
    byte[] bytes;
    try {
      long size = Files.size(file);
      if (size > MOST) {
        throw new DataException(
            "%s: expected at most %s bytes, got %s".formatted(file, MOST, size));
      }
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DataException("%s: cannot be read: %s".formatted(file, e), e);
    }
    String text = decode(file.toString(), bytes);
    return text.startsWith("\uFEFF") ? text.substring(1) : text;
  }

  private static String decode(String source, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    // Unlike String's own decoding, this stops at the first byte that is wrong.
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      throw new DataException(
          "%s: offset %s: expected text in UTF-8, got byte 0x%02X"
              .formatted(source, in.position(), bytes[in.position()]));
    }
    return out.flip().toString();
  }
}

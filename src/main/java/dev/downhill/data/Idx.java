package dev.downhill.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;

/**
 * The contents of a file in the IDX format of MNIST and Fashion-MNIST, gzipped or not: two zero
 * bytes, the type of the values, the number of dimensions, the size of each as a 32-bit integer,
 * highest byte first, and the values, the last dimension running fastest. Unsigned bytes are the
 * only type of values that is read.
 */
final class Idx {
  private static final int UNSIGNED_BYTE = 0x08;
  private static final int MOST_DIMENSIONS = 8;
  private static final int MOST_VALUES = Integer.MAX_VALUE - 64;
  // Images of real things shrink to a fifth or so; a bomb shrinks to a thousandth.
  private static final long MOST_RATIO = 200;

  private final Path file;
  private final int[] sizes;
  private final byte[] values;

  private Idx(Path file, int[] sizes, byte[] values) {
    this.file = file;
    this.sizes = sizes;
    this.values = values;
  }

  /**
   * Reads a file, whatever its name; that it is gzipped shows in its first bytes.
   *
   * @throws DataException if it cannot be read, is no such file, or is shorter or longer than it
   *     says
   */
  static Idx read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new DataException(file + ": expected an IDX file, got none there");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return read(file, in, Files.size(file));
    } catch (IOException e) {
      throw new DataException("%s: expected a readable IDX file, got %s".formatted(file, e), e);
    }
  }

  /** Reads what a file of so many bytes contains. */
  static Idx read(Path file, InputStream in, long bytes) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(in);
    buffered.mark(2);
    boolean zipped = buffered.read() == 0x1f && buffered.read() == 0x8b;
    buffered.reset();
    return zipped
        ? contents(file, new GZIPInputStream(buffered), MOST_RATIO * bytes)
        : contents(file, buffered, Long.MAX_VALUE);
  }

  private static Idx contents(Path file, InputStream in, long most) throws IOException {
    byte[] magic = header(file, in, 0, 4, "magic number");
    if (magic[0] != 0 || magic[1] != 0) {
      throw new DataException(
          "%s: byte 0: no IDX file, expected it to begin with 00 00, got %02x %02x"
              .formatted(file, magic[0], magic[1]));
    }
    if (magic[2] != UNSIGNED_BYTE) {
      throw new DataException(
          "%s: byte 2: expected type 08, unsigned bytes, got %02x".formatted(file, magic[2]));
    }
    int rank = Byte.toUnsignedInt(magic[3]);
    if (rank < 1 || rank > MOST_DIMENSIONS) {
      throw new DataException(
          "%s: byte 3: expected 1 to %s dimensions, got %s".formatted(file, MOST_DIMENSIONS, rank));
    }
    ByteBuffer dimensions = ByteBuffer.wrap(header(file, in, 4, 4 * rank, "sizes"));
    int[] sizes = new int[rank];
    long length = 1;
    for (int i = 0; i < rank; i++) {
      long size = Integer.toUnsignedLong(dimensions.getInt());
      // Cannot overflow: 31 bits times 32.
      length *= size;
      if (size > MOST_VALUES || length > MOST_VALUES) {
        throw new DataException(
            "%s: byte %s: expected at most %s values, got a size of %s in dimension %s"
                .formatted(file, 4 + 4 * i, MOST_VALUES, size, i));
      }
      sizes[i] = (int) size;
    }
    if (length > most) {
      throw new DataException(
          "%s: expected a file of at least 1/%s of its contents, got %s bytes for %s"
              .formatted(file, MOST_RATIO, most / MOST_RATIO, length));
    }
    // Takes memory as the bytes come, not as the header promises them.
    byte[] values = in.readNBytes((int) length);
    int start = 4 + 4 * rank;
    if (values.length < length) {
      throw new DataException(
          "%s: truncated, expected %s bytes for sizes %s, got %s"
              .formatted(file, start + length, text(sizes), start + values.length));
    }
    if (in.read() >= 0) {
      throw new DataException(
          "%s: byte %s: expected the end, since sizes %s take %s bytes, got more"
              .formatted(file, start + length, text(sizes), start + length));
    }
    return new Idx(file, sizes, values);
  }

  private static byte[] header(Path file, InputStream in, int from, int length, String what)
      throws IOException {
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new DataException(
          "%s: byte %s: truncated, expected %s bytes of %s, got %s"
              .formatted(file, from, length, what, bytes.length));
    }
    return bytes;
  }

  /**
   * Checks the number of dimensions and the sizes of all but the first.
   *
   * @throws DataException if they differ
   */
  Idx expect(String what, int... inner) {
    if (sizes.length != 1 + inner.length
        || !Arrays.equals(sizes, 1, sizes.length, inner, 0, inner.length)) {
      String expected = inner.length == 0 ? "one dimension" : "n x " + text(inner);
      throw new DataException(
          "%s: byte 3: expected %s, %s, got %s".formatted(file, what, expected, text(sizes)));
    }
    return this;
  }

  /** Where it was read. */
  Path file() {
    return file;
  }

  /** The size of each dimension. */
  int[] sizes() {
    return sizes;
  }

  /** The values themselves, not a copy. */
  byte[] values() {
    return values;
  }

  private static String text(int[] sizes) {
    return Arrays.stream(sizes).mapToObj(Integer::toString).collect(Collectors.joining(" x "));
  }
}

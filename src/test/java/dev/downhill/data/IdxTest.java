package dev.downhill.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdxTest {
  @TempDir Path folder;

  static byte[] idx(int type, int[] sizes, byte... values) {
    ByteBuffer b = ByteBuffer.allocate(4 + 4 * sizes.length + values.length);
    b.put((byte) 0).put((byte) 0).put((byte) type).put((byte) sizes.length);
    for (int size : sizes) {
      b.putInt(size);
    }
    return b.put(values).array();
  }

  static byte[] zipped(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
      zip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static byte[] small() {
    return idx(
        8, new int[] {3, 2}, (byte) 0, (byte) 1, (byte) 127, (byte) 128, (byte) 254, (byte) 255);
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("file"), bytes);
  }

  private void assertRefused(byte[] bytes, String message) throws IOException {
    Path file = write(bytes);
    assertThatThrownBy(() -> Idx.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(file + ": " + message);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFile_isRead_gzippedOrNot(boolean gzipped) throws IOException {
    Idx idx = Idx.read(write(gzipped ? zipped(small()) : small()));
    assertThat(idx.sizes()).containsExactly(3, 2);
    assertThat(idx.values()).containsExactly(0, 1, 127, 128, 254, 255);
  }

  @Test
  void onlyUnsignedBytes_ofThe256Types_areRead() throws IOException {
    for (int type = 0; type < 256; type++) {
      byte[] file = idx(type, new int[] {1}, (byte) 5);
      if (type == 8) {
        assertThat(Idx.read(write(file)).values()).containsExactly(5);
      } else {
        assertRefused(file, "byte 2: expected type 08, unsigned bytes, got %02x".formatted(type));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aTruncatedFile_isRefused_whereverItEnds(boolean gzipped) throws IOException {
    byte[] whole = gzipped ? zipped(small()) : small();
    for (int length = 0; length < whole.length; length++) {
      Path file = write(Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Idx.read(file))
          .as("%s bytes", length)
          .isInstanceOf(DataException.class)
          .hasMessageStartingWith(file + ": ");
    }
  }

  @Test
  void truncation_isToldInBytes() throws IOException {
    byte[] whole = small();
    assertRefused(new byte[] {0, 0}, "byte 0: truncated, expected 4 bytes of magic number, got 2");
    assertRefused(Arrays.copyOf(whole, 9), "byte 4: truncated, expected 8 bytes of sizes, got 5");
    assertRefused(Arrays.copyOf(whole, 17), "truncated, expected 18 bytes for sizes 3 x 2, got 17");
  }

  @Test
  void bytesAfterTheEnd_areRefused() throws IOException {
    assertRefused(
        Arrays.copyOf(small(), 19),
        "byte 18: expected the end, since sizes 3 x 2 take 18 bytes, got more");
    assertRefused(
        zipped(Arrays.copyOf(small(), 19)),
        "byte 18: expected the end, since sizes 3 x 2 take 18 bytes, got more");
  }

  @Test
  void whatIsNoIdxFile_isRefused() throws IOException {
    assertRefused(
        "PNG and more".getBytes(StandardCharsets.US_ASCII),
        "byte 0: no IDX file, expected it to begin with 00 00, got 50 4e");
    assertRefused(new byte[] {0, 0, 8, 0}, "byte 3: expected 1 to 8 dimensions, got 0");
    assertRefused(new byte[] {0, 0, 8, (byte) 200}, "byte 3: expected 1 to 8 dimensions, got 200");
    assertThatThrownBy(() -> Idx.read(folder))
        .isInstanceOf(DataException.class)
        .hasMessage(folder + ": expected an IDX file, got none there");
  }

  @Test
  void sizesWhoseProductOverflows_areRefused() throws IOException {
    assertRefused(
        idx(8, new int[] {-1}),
        "byte 4: expected at most 2147483583 values, got a size of 4294967295 in dimension 0");
    // 2^16 to the fourth power is 2^64, which is 0 in 64 bits.
    assertRefused(
        idx(8, new int[] {1 << 16, 1 << 16, 1 << 16, 1 << 16}),
        "byte 8: expected at most 2147483583 values, got a size of 65536 in dimension 1");
    assertRefused(
        idx(8, new int[] {0, -1}),
        "byte 8: expected at most 2147483583 values, got a size of 4294967295 in dimension 1");
    assertThat(Idx.read(write(idx(8, new int[] {0, 28, 28}))).values()).isEmpty();
  }

  @Test
  void aPromiseOfTwoGigabytes_takesNoMemory() throws IOException {
    assertRefused(
        idx(8, new int[] {2_000_000_000}, (byte) 1),
        "truncated, expected 2000000008 bytes for sizes 2000000000, got 9");
  }

  @Test
  void aBomb_isRefused_beforeItIsUnpacked() throws IOException {
    byte[] promised = zipped(idx(8, new int[] {1 << 30}, new byte[1 << 20]));
    assertRefused(
        promised,
        "expected a file of at least 1/200 of its contents, got %s bytes for 1073741824"
            .formatted(promised.length));
    assertRefused(
        zipped(idx(8, new int[] {1}, new byte[1 << 24])),
        "byte 9: expected the end, since sizes 1 take 9 bytes, got more");
  }

  @Test
  void aDamagedArchive_isRefused() throws IOException {
    byte[] file = zipped(small());
    file[file.length - 6] ^= 1;
    Path damaged = write(file);
    assertThatThrownBy(() -> Idx.read(damaged))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("expected a readable IDX file, got java.util.zip.ZipException");
  }

  @Test
  void mutants_areReadOrRefused_neverAnythingElse() {
    SplittableRandom random = new SplittableRandom(1);
    Path name = Path.of("mutant");
    List<byte[]> seeds = new ArrayList<>(List.of(small(), zipped(small())));
    seeds.add(idx(8, new int[] {2, 2, 2}, new byte[8]));
    seeds.add(zipped(idx(8, new int[] {200}, new byte[200])));
    int read = 0;
    for (int i = 0; i < 100_000; i++) {
      byte[] mutant = mutate(seeds.get(i % seeds.size()), random);
      try {
        Idx idx = Idx.read(name, new ByteArrayInputStream(mutant), mutant.length);
        assertThat(Arrays.stream(idx.sizes()).reduce(1, (a, b) -> a * b))
            .isEqualTo(idx.values().length);
        read++;
      } catch (DataException | IOException e) {
        // Refused; the caller turns the second into the first.
        assertThat(e.getMessage() == null && e instanceof DataException).isFalse();
      }
    }
    assertThat(read).isBetween(1_000, 99_000);
  }

  private static byte[] mutate(byte[] seed, SplittableRandom random) {
    byte[] bytes = seed.clone();
    for (int k = random.nextInt(3); k >= 0; k--) {
      switch (random.nextInt(4)) {
        case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 4));
        case 1 -> flip(bytes, 1 << random.nextInt(8), random);
        case 2 -> flip(bytes, random.nextInt(256), random);
        default -> flip(bytes, 0xff, random);
      }
    }
    return bytes;
  }

  private static void flip(byte[] bytes, int bits, SplittableRandom random) {
    if (bytes.length > 0) {
      bytes[random.nextInt(bytes.length)] ^= (byte) bits;
    }
  }
}

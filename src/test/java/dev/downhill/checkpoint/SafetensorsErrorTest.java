package dev.downhill.checkpoint;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsErrorTest {
  @TempDir Path folder;

  /** A header that breaks one rule, how many bytes of data follow, and the message. */
  record Bad(String text, Charset charset, long dataBytes, String message) {
    byte[] header() {
      return text.getBytes(charset);
    }

    @Override
    public String toString() {
      return message;
    }
  }

  private static Bad bad(String header, long dataBytes, String message) {
    return new Bad(header, UTF_8, dataBytes, message);
  }

  /** A tensor named w with these fields, before 4 bytes of data. */
  private static Bad fields(String fields, String message) {
    return bad("{\"w\":{" + fields + "}}", 4, message);
  }

  private static String tensor(String name, int begin, int end) {
    return "\""
        + name
        + "\":{\"dtype\":\"U8\",\"shape\":["
        + (end - begin)
        + "],\"data_offsets\":["
        + begin
        + ","
        + end
        + "]}";
  }

  static Stream<Bad> badHeaders() {
    String f32 = "\"dtype\":\"F32\",";
    String one = "\"shape\":[1],";
    String four = "\"data_offsets\":[0,4]";
    return Stream.of(
        bad("", 0, "byte 8: expected { as the first byte of the header, got an empty header"),
        bad(" {}", 0, "byte 8: expected { as the first byte of the header, got 0x20"),
        bad("\uFEFF{}", 0, "byte 8: expected { as the first byte of the header, got 0xef"),
        bad("[]", 0, "byte 8: expected { as the first byte of the header, got 0x5b"),
        new Bad("{\"\u00E9\":{}}", ISO_8859_1, 0, "byte 10: malformed UTF-8, expected UTF-8 text"),
        new Bad(
            "{\"\u00C0\u0080\":{}}",
            ISO_8859_1,
            0,
            "byte 10: malformed UTF-8, expected UTF-8 text"),
        new Bad("{\"a\u00F0\u009D", ISO_8859_1, 0, "byte 11: malformed UTF-8, expected UTF-8 text"),
        new Bad(
            "{\"\u00ED\u00A0\u0080\":1}",
            ISO_8859_1,
            0,
            "byte 10: malformed UTF-8, expected UTF-8 text"),
        bad("{\0\"\0w\0", 0, "byte 9: malformed JSON: expected text, got a NUL byte"),
        bad("{}{}", 0, "byte 10: expected nothing but spaces after the header object"),
        bad("{} 1", 0, "byte 11: expected nothing but spaces after the header object"),
        bad(
            "{\"w\":3}",
            4,
            "byte 13, tensor \"w\": expected an object of dtype, shape and data_offsets, got 3"),
        bad(
            "{\"w\":null}",
            4,
            "byte 13, tensor \"w\": expected an object of dtype, shape and data_offsets, got null"),
        bad(
            "{\"w\":[[[[[[",
            4,
            "byte 13, tensor \"w\": expected an object of dtype, shape and data_offsets, got ["),
        fields(
            f32 + one + "\"x\":1",
            "byte 40, tensor \"w\": unknown key \"x\", expected dtype, shape and data_offsets"),
        fields(
            one + four,
            "byte 9, tensor \"w\": dtype is missing, expected dtype, shape and data_offsets"),
        fields(
            f32 + four,
            "byte 9, tensor \"w\": shape is missing, expected dtype, shape and data_offsets"),
        fields(
            "\"dtype\":\"F32\",\"shape\":[1]",
            "byte 9, tensor \"w\": data_offsets is missing, expected dtype, shape and"
                + " data_offsets"),
        fields(f32 + f32 + one + four, "byte 28, tensor \"w\": duplicate key, expected dtype once"),
        fields(f32 + one + one + four, "byte 40, tensor \"w\": duplicate key, expected shape once"),
        fields(
            f32 + one + four + "," + four,
            "byte 61, tensor \"w\": duplicate key, expected data_offsets once"),
        // Types.
        fields("\"dtype\":\"F16\"," + one + four, dtype(22, "\"F16\"")),
        fields("\"dtype\":\"f32\"," + one + four, dtype(22, "\"f32\"")),
        fields("\"dtype\":\"F8_E4M3\"," + one + four, dtype(22, "\"F8_E4M3\"")),
        fields("\"dtype\":\"\"," + one + four, dtype(22, "\"\"")),
        fields("\"dtype\":4," + one + four, dtype(22, "4")),
        // Shapes and ranges.
        fields(
            f32 + "\"shape\":4," + four,
            "byte 36, tensor \"w\": expected an array of integers as shape, got 4"),
        fields(
            f32 + "\"shape\":[1.0]," + four,
            "byte 37, tensor \"w\": expected only integers in shape, got 1.0"),
        fields(
            f32 + "\"shape\":[\"1\"]," + four,
            "byte 37, tensor \"w\": expected only integers in shape, got 1"),
        fields(
            f32 + "\"shape\":[[1]]," + four,
            "byte 37, tensor \"w\": expected only integers in shape, got ["),
        fields(
            f32 + "\"shape\":[null]," + four,
            "byte 37, tensor \"w\": expected only integers in shape, got null"),
        fields(f32 + "\"shape\":[-1]," + four, range(37, "shape", "-1")),
        fields(
            f32 + "\"shape\":[9223372036854775808]," + four,
            range(37, "shape", "9223372036854775808")),
        fields(
            f32 + "\"shape\":[" + "9".repeat(900) + "]," + four,
            range(37, "shape", "9".repeat(80) + "...")),
        fields(
            f32 + "\"shape\":[1,1,1,1,1,1,1,1,1]," + four,
            "byte 53, tensor \"w\": too many numbers in shape, expected at most 8"),
        fields(
            f32 + "\"shape\":[4294967296,4294967296]," + four,
            "byte 9, tensor \"w\": shape too large, expected at most 2^63 - 1 bytes, got"
                + " [4294967296, 4294967296] of F32"),
        fields(
            f32 + "\"shape\":[4611686018427387904]," + four,
            "byte 9, tensor \"w\": shape too large, expected at most 2^63 - 1 bytes, got"
                + " [4611686018427387904] of F32"),
        fields(
            f32 + one + "\"data_offsets\":[0]",
            "byte 9, tensor \"w\": expected 2 numbers in data_offsets, begin and end, got 1"),
        fields(
            f32 + one + "\"data_offsets\":[0,4,8]",
            "byte 9, tensor \"w\": expected 2 numbers in data_offsets, begin and end, got 3"),
        fields(
            f32 + one + "\"data_offsets\":{\"0\":4}",
            "byte 55, tensor \"w\": expected an array of integers as data_offsets, got {"),
        fields(f32 + one + "\"data_offsets\":[-4,0]", range(56, "data_offsets", "-4")),
        fields(
            f32 + one + "\"data_offsets\":[4,0]",
            "byte 9, tensor \"w\": data_offsets begin after their end, expected begin <= end, got 4"
                + " and 0"),
        fields(
            f32 + "\"shape\":[2]," + four,
            "byte 9, tensor \"w\": data_offsets do not match the shape, expected 8 bytes for (2) of"
                + " F32, got 4"),
        fields(
            f32 + "\"shape\":[0]," + four,
            "byte 9, tensor \"w\": data_offsets do not match the shape, expected 0 bytes for (0) of"
                + " F32, got 4"),
        fields(
            "\"dtype\":\"I64\",\"shape\":[]," + four,
            "byte 9, tensor \"w\": data_offsets do not match the shape, expected 8 bytes for () of"
                + " I64, got 4"),
        // Coverage of the data.
        bad(
            "{" + tensor("a", 0, 4) + "," + tensor("a", 4, 8) + "}",
            8,
            "byte 61, tensor \"a\": duplicate name, expected each tensor once"),
        bad(
            "{" + tensor("a", 0, 4) + "," + tensor("\\u0061", 4, 8) + "}",
            8,
            "byte 61, tensor \"a\": duplicate name, expected each tensor once"),
        bad(
            "{" + tensor("a", 0, 4) + "," + tensor("b", 3, 8) + "}",
            8,
            "tensor \"b\": overlaps tensor \"a\", expected its data to begin at 4, got 3"),
        bad(
            "{" + tensor("a", 0, 4) + "," + tensor("b", 0, 4) + "}",
            4,
            "tensor \"b\": overlaps tensor \"a\", expected its data to begin at 4, got 0"),
        bad(
            "{" + tensor("b", 5, 8) + "," + tensor("a", 0, 4) + "}",
            8,
            "tensor \"b\": leaves a hole after tensor \"a\", expected its data to begin at 4, got"
                + " 5"),
        bad(
            "{" + tensor("a", 1, 4) + "}",
            4,
            "tensor \"a\": leaves a hole after the header, expected its data to begin at 0, got 1"),
        bad(
            "{" + tensor("a", 0, 4) + "," + tensor("e", 2, 2) + "}",
            4,
            "tensor \"e\": overlaps tensor \"a\", expected its data to begin at 4, got 2"),
        bad(
            "{" + tensor("a", 0, 4) + "}",
            3,
            "the file is cut short, expected 4 bytes after the header, got 3 (last tensor \"a\")"),
        bad(
            "{" + tensor("a", 0, 4) + "}",
            5,
            "bytes after the last tensor, expected 4 bytes after the header, got 5 (last tensor"
                + " \"a\")"),
        bad("{}", 1, "bytes after the last tensor, expected 0 bytes after the header, got 1"),
        // Metadata.
        bad(
            "{\"__metadata__\":3}",
            0,
            "byte 24: expected an object of texts as __metadata__, got 3"),
        bad(
            "{\"__metadata__\":null}",
            0,
            "byte 24: expected an object of texts as __metadata__, got null"),
        bad("{\"__metadata__\":{\"k\":1}}", 0, "byte 29: expected a text as metadata \"k\", got 1"),
        bad(
            "{\"__metadata__\":{\"k\":{\"a\":\"b\"}}}",
            0,
            "byte 29: expected a text as metadata \"k\", got {"),
        bad(
            "{\"__metadata__\":{\"k\":\"a\",\"k\":\"a\"}}",
            0,
            "byte 33: duplicate metadata key \"k\", expected each once"),
        bad(
            "{\"__metadata__\":{},\"__metadata__\":{}}",
            0,
            "byte 27: duplicate key, expected __metadata__ once"),
        bad(
            "{\"__metadata__\":{\"k\":\"\\udd1e\"}}",
            0,
            "byte 29: half a surrogate pair in metadata \"k\", expected Unicode text"));
  }

  private static String dtype(int offset, String found) {
    return "byte "
        + offset
        + ", tensor \"w\": unsupported dtype, expected one of F64 F32 BF16 I64 I32 U8 BOOL, got "
        + found;
  }

  private static String range(int offset, String key, String found) {
    return "byte "
        + offset
        + ", tensor \"w\": number out of range in "
        + key
        + ", expected 0 to 2^63 - 1, got "
        + found;
  }

  @ParameterizedTest
  @MethodSource("badHeaders")
  void everyRuleIsHeld(Bad bad) {
    assertThatThrownBy(() -> SafetensorsHeaderParser.parse("f", bad.header(), bad.dataBytes))
        .isInstanceOf(CheckpointException.class)
        .hasMessage("f: " + bad.message);
  }

  @ParameterizedTest
  @MethodSource("malformedJson")
  void jsonMustBeWellFormed(String header) {
    assertThatThrownBy(() -> SafetensorsHeaderParser.parse("f", header.getBytes(UTF_8), 4))
        .isInstanceOf(CheckpointException.class)
        .hasMessageMatching("(?s)f: byte \\d+: malformed JSON: .*");
  }

  static Stream<String> malformedJson() {
    return Stream.of(
        "{",
        "{\"w\"",
        "{\"w\":",
        "{\"w\":{",
        "{w:{}}",
        "{'w':{}}",
        "{\"__metadata__\":{}",
        "{,}",
        "{\"__metadata__\":{},}",
        "{\"\\ud834\":{}}",
        "{\"\\udd1e\":{}}",
        "{\"__metadata__\":{\"\\udd1e\":\"\"}}",
        "{\"w\":{\"shape\":[1,]}}",
        "{\"w\":{\"shape\":[01]}}",
        "{\"w\":{\"shape\":[+1]}}",
        "{\"w\":{\"shape\":[NaN]}}",
        "{/*c*/}",
        "{\"a\nb\":{}}",
        "{\"\\x\":{}}",
        "{} }",
        "{} x",
        "{\"w\":{\"shape\":[" + "9".repeat(2000) + "]}}");
  }

  @Test
  void paddingAndEmptyTensorsAreAllowed() {
    String header =
        "{ \"b\" : {\"data_offsets\":[2,2],\"shape\":[0],\"dtype\":\"U8\"},\n"
            + tensor("a", 0, 2)
            + ","
            + tensor("c", 2, 2)
            + ","
            + tensor("", 2, 4)
            + "}\t \n";
    SafetensorsHeader parsed = SafetensorsHeaderParser.parse("f", header.getBytes(UTF_8), 4);
    assertThat(parsed.tensors().keySet()).containsExactly("b", "a", "c", "");
    assertThat(parsed.metadata()).isEmpty();
    assertThat(SafetensorsHeaderParser.parse("f", "{}".getBytes(UTF_8), 0).tensors()).isEmpty();
  }

  private Path file(long headerBytes, byte[] rest) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(headerBytes).array());
    out.write(rest);
    return Files.write(folder.resolve("f.safetensors"), out.toByteArray());
  }

  private static void assertRefused(Path file, String message) {
    assertThatThrownBy(() -> Safetensors.open(file).close())
        .isInstanceOf(CheckpointException.class)
        .hasMessage(file + ": " + message);
  }

  @Test
  void lengthsAreHeldAgainstTheFile() throws IOException {
    byte[] two = "{}".getBytes(UTF_8);
    for (int length = 0; length < 8; length++) {
      assertRefused(
          Files.write(folder.resolve("short"), new byte[length]),
          "too short, expected at least 8 bytes of header length, got " + length);
    }
    assertRefused(
        file(0, new byte[0]),
        "byte 8: expected { as the first byte of the header, got an empty header");
    assertRefused(
        file(3, two), "byte 0: header length past the end of the file, expected at most 2, got 3");
    assertRefused(
        file(100_000_000, two),
        "byte 0: header length past the end of the file, expected at most 2, got 100000000");
    assertRefused(
        file(100_000_001, two),
        "byte 0: header length, expected at most 100000000, got 100000001; is it a safetensors"
            + " file?");
    assertRefused(
        file(-1, two),
        "byte 0: header length, expected at most 100000000, got 18446744073709551615; is it a"
            + " safetensors file?");
    assertRefused(
        file(2, new byte[] {'{', '}', 0}),
        "bytes after the last tensor, expected 0 bytes after the header, got 1");
    Safetensors.open(file(2, two)).close();
  }

  @Test
  void onlyFilesAreOpened() {
    assertRefused(folder, "expected a file, got something else");
    assertRefused(folder.resolve("none"), "expected a file, got none");
  }

  private static byte[] good() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new SafetensorsWriter()
        .metadata("epoch", "3")
        .tensor("layer.weight", DType.F32, Shape.of(2, 3), MemorySegment.ofArray(new byte[24]))
        .tensor("bias", DType.I64, Shape.of(2), MemorySegment.ofArray(new byte[16]))
        .tensor("e", DType.BOOL, Shape.of(0), MemorySegment.ofArray(new byte[0]))
        .writeTo(out);
    return out.toByteArray();
  }

  @Test
  void mutatedHeadersNeverEscape() throws IOException {
    byte[] whole = good();
    byte[] header = Arrays.copyOfRange(whole, 8, whole.length - 40);
    SafetensorsHeader expected = SafetensorsHeaderParser.parse("f", header, 40);
    byte[] tokens = "{}[]\",:\\0123456789-.eFU_ \n\0\u0080".getBytes(ISO_8859_1);
    long seed = Long.getLong("seed", 20_250_103);
    SplittableRandom random = new SplittableRandom(seed);
    int refused = 0;
    for (int round = 0; round < 100_000; round++) {
      byte[] bytes = mutate(header, tokens, random);
      try {
        SafetensorsHeader parsed = SafetensorsHeaderParser.parse("f", bytes, 40);
        long covered = parsed.tensors().values().stream().mapToLong(TensorInfo::bytes).sum();
        if (covered != 40) {
          throw new AssertionError("covers " + covered + ": seed " + seed + " round " + round);
        }
      } catch (CheckpointException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + " round " + round, e);
      }
    }
    assertThat(refused).isBetween(80_000, 99_999);
    assertThat(expected.tensors()).hasSize(3);
  }

  private static byte[] mutate(byte[] good, byte[] tokens, SplittableRandom random) {
    byte[] bytes = good.clone();
    for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1, 2 -> bytes[at] = tokens[random.nextInt(tokens.length)];
        case 3 -> { // remove a piece
          int end = Math.min(bytes.length, at + 1 + random.nextInt(20));
          byte[] cut = Arrays.copyOf(bytes, bytes.length - (end - at));
          System.arraycopy(bytes, end, cut, at, bytes.length - end);
          bytes = cut.length == 0 ? bytes : cut;
        }
        default -> { // repeat a piece
          int n = Math.min(bytes.length - at, 1 + random.nextInt(60));
          byte[] more = Arrays.copyOf(bytes, bytes.length + n);
          System.arraycopy(bytes, at, more, at + n, bytes.length - at);
          bytes = more;
        }
      }
    }
    return bytes;
  }

  /** A file with one byte of its header flipped is refused or differs in what it says. */
  @Test
  void flippedBytesAreNeverSilent() throws IOException {
    byte[] whole = good();
    int dataStart = whole.length - 40;
    Path path = folder.resolve("flipped.safetensors");
    Files.write(path, whole);
    String before;
    try (Safetensors file = Safetensors.open(path)) {
      before = file.tensors() + " " + file.metadata();
    }
    for (int at = 0; at < dataStart; at++) {
      byte[] flipped = whole.clone();
      flipped[at] ^= (byte) 0xFF;
      Files.write(path, flipped);
      String after;
      try (Safetensors file = Safetensors.open(path)) {
        after = file.tensors() + " " + file.metadata();
      } catch (CheckpointException e) {
        continue;
      }
      assertThat(after).as("byte %s", at).isNotEqualTo(before);
    }
  }

  @Test
  void truncatedFilesAreRefused() throws IOException {
    byte[] whole = good();
    for (int length = 0; length < whole.length; length++) {
      Path path = Files.write(folder.resolve("cut"), Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Safetensors.open(path).close())
          .isInstanceOf(CheckpointException.class)
          .hasMessageStartingWith(path.toString());
    }
  }
}

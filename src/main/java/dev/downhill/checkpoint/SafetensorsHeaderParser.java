package dev.downhill.checkpoint;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads the header of a safetensors file and holds it to every rule of the format: one JSON object,
 * unique names, known dtypes, and byte ranges that match shape and dtype and cover the data without
 * holes or overlaps.
 */
final class SafetensorsHeaderParser {
  /** Where the JSON starts in the file: after its length. */
  static final int START = 8;

  private static final int SHOWN = 80;

  private final String file;
  private final byte[] json;
  private final long dataBytes;
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final CharsetEncoder unicode = StandardCharsets.UTF_8.newEncoder();
  private boolean sawMetadata;

  private SafetensorsHeaderParser(String file, byte[] json, long dataBytes) {
    this.file = file;
    this.json = json;
    this.dataBytes = dataBytes;
  }

  /**
   * Reads a header.
   *
   * @param file its name, for messages
   * @param json the bytes of the header
   * @param dataBytes how many bytes follow it
   * @throws CheckpointException naming the byte offset in the file, and the tensor, of what is
   *     wrong
   */
  static SafetensorsHeader parse(String file, byte[] json, long dataBytes) {
    return new SafetensorsHeaderParser(file, json, dataBytes).parse();
  }

  private SafetensorsHeader parse() {
    if (json.length == 0 || json[0] != '{') {
      throw at(START, "", "expected { as the first byte of the header, got " + firstByte());
    }
    checkText();
    // A factory of its own: a shared one would remember names of hostile files.
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(4)
                    .maxStringLength(SafetensorsHeader.MAX_BYTES)
                    .maxNameLength(SafetensorsHeader.MAX_BYTES)
                    .build())
            .build();
    try (JsonParser parser = factory.createParser(ObjectReadContext.empty(), json)) {
      try {
        parseHeader(parser);
      } catch (JacksonException e) {
        throw new CheckpointException(
            place(START + parser.currentLocation().getByteOffset(), "")
                + "malformed JSON: "
                + e.getOriginalMessage(),
            e);
      }
    }
    checkCoverage();
    return new SafetensorsHeader(
        Collections.unmodifiableMap(tensors), Collections.unmodifiableMap(metadata));
  }

  private String firstByte() {
    return json.length == 0 ? "an empty header" : "0x" + Integer.toHexString(json[0] & 0xFF);
  }

  /** Refuses bytes that are not UTF-8, and NUL, which would make JSON parsers guess UTF-16. */
  private void checkText() {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(json);
    CharBuffer out = CharBuffer.allocate(1 << 13);
    CoderResult result;
    do {
      result = decoder.decode(in, out, true);
      out.clear();
    } while (result.isOverflow());
    if (result.isError()) {
      throw at(START + in.position(), "", "malformed UTF-8, expected UTF-8 text");
    }
    for (int i = 0; i < json.length; i++) {
      if (json[i] == 0) {
        throw at(START + i, "", "malformed JSON: expected text, got a NUL byte");
      }
    }
  }

  private void parseHeader(JsonParser parser) {
    parser.nextToken();
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      long offset = offset(parser);
      parser.nextToken();
      if (name.equals(SafetensorsHeader.METADATA)) {
        parseMetadata(parser, offset);
      } else if (tensors.containsKey(name)) {
        throw at(offset, name, "duplicate name, expected each tensor once");
      } else {
        tensors.put(name, parseTensor(parser, name, offset));
      }
    }
    if (parser.nextToken() != null) {
      throw at(offset(parser), "", "expected nothing but spaces after the header object");
    }
  }

  private void parseMetadata(JsonParser parser, long offset) {
    if (sawMetadata) {
      throw at(offset, "", "duplicate key, expected __metadata__ once");
    }
    sawMetadata = true;
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw at(
          offset(parser), "", "expected an object of texts as __metadata__, got " + found(parser));
    }
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      long keyOffset = offset(parser);
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw at(
            offset(parser),
            "",
            "expected a text as metadata " + quote(key) + ", got " + found(parser));
      }
      String value = parser.getString();
      // The parser checks this in names only.
      if (!unicode.canEncode(value)) {
        throw at(
            offset(parser),
            "",
            "half a surrogate pair in metadata " + quote(key) + ", expected Unicode text");
      }
      if (metadata.put(key, value) != null) {
        throw at(keyOffset, "", "duplicate metadata key " + quote(key) + ", expected each once");
      }
    }
  }

  private TensorInfo parseTensor(JsonParser parser, String name, long offset) {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw at(
          offset(parser),
          name,
          "expected an object of dtype, shape and data_offsets, got " + found(parser));
    }
    DType dtype = null;
    long[] sizes = null;
    long[] range = null;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      long keyOffset = offset(parser);
      parser.nextToken();
      boolean again;
      switch (key) {
        case "dtype" -> {
          again = dtype != null;
          dtype = parseDType(parser, name);
        }
        case "shape" -> {
          again = sizes != null;
          sizes = parseNumbers(parser, name, "shape");
        }
        case "data_offsets" -> {
          again = range != null;
          range = parseNumbers(parser, name, "data_offsets");
        }
        default ->
            throw at(
                keyOffset,
                name,
                "unknown key " + quote(key) + ", expected dtype, shape and data_offsets");
      }
      if (again) {
        throw at(keyOffset, name, "duplicate key, expected " + key + " once");
      }
    }
    if (dtype == null || sizes == null || range == null) {
      String missing = dtype == null ? "dtype" : sizes == null ? "shape" : "data_offsets";
      throw at(offset, name, missing + " is missing, expected dtype, shape and data_offsets");
    }
    return tensor(name, offset, dtype, sizes, range);
  }

  private DType parseDType(JsonParser parser, String name) {
    String found = found(parser);
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      String code = parser.getString();
      for (DType dtype : DType.values()) {
        if (SafetensorsHeader.code(dtype).equals(code)) {
          return dtype;
        }
      }
      found = quote(code);
    }
    throw at(
        offset(parser),
        name,
        "unsupported dtype, expected one of F64 F32 BF16 I64 I32 U8 BOOL, got " + found);
  }

  private long[] parseNumbers(JsonParser parser, String name, String key) {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw at(
          offset(parser),
          name,
          "expected an array of integers as " + key + ", got " + found(parser));
    }
    long[] numbers = new long[Shape.MAX_RANK];
    int n = 0;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
        throw at(
            offset(parser), name, "expected only integers in " + key + ", got " + found(parser));
      }
      long number = parseLong(parser, name, key);
      if (n == numbers.length) {
        throw at(
            offset(parser),
            name,
            "too many numbers in " + key + ", expected at most " + Shape.MAX_RANK);
      }
      numbers[n++] = number;
    }
    return Arrays.copyOf(numbers, n);
  }

  private long parseLong(JsonParser parser, String name, String key) {
    boolean fits =
        switch (parser.getNumberType()) {
          case INT, LONG -> parser.getLongValue() >= 0;
          default -> false;
        };
    if (!fits) {
      throw at(
          offset(parser),
          name,
          "number out of range in "
              + key
              + ", expected 0 to 2^63 - 1, got "
              + shorten(parser.getString()));
    }
    return parser.getLongValue();
  }

  private TensorInfo tensor(String name, long offset, DType dtype, long[] sizes, long[] range) {
    if (range.length != 2) {
      throw at(
          offset, name, "expected 2 numbers in data_offsets, begin and end, got " + range.length);
    }
    Shape shape;
    long bytes;
    try {
      shape = Shape.of(sizes);
      bytes = Math.multiplyExact(shape.numel(), (long) dtype.bytes());
    } catch (ShapeException | ArithmeticException e) {
      throw new CheckpointException(
          place(offset, name)
              + "shape too large, expected at most 2^63 - 1 bytes, got "
              + Arrays.toString(sizes)
              + " of "
              + SafetensorsHeader.code(dtype),
          e);
    }
    if (range[0] > range[1]) {
      throw at(
          offset,
          name,
          "data_offsets begin after their end, expected begin <= end, got "
              + range[0]
              + " and "
              + range[1]);
    }
    if (range[1] - range[0] != bytes) {
      throw at(
          offset,
          name,
          "data_offsets do not match the shape, expected "
              + bytes
              + " bytes for "
              + shape
              + " of "
              + SafetensorsHeader.code(dtype)
              + ", got "
              + (range[1] - range[0]));
    }
    return new TensorInfo(name, dtype, shape, range[0], range[1]);
  }

  /** The byte ranges, sorted, must follow each other from the start of the data to its end. */
  private void checkCoverage() {
    List<TensorInfo> sorted = new ArrayList<>(tensors.values());
    sorted.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
    long covered = 0;
    TensorInfo before = null;
    for (TensorInfo tensor : sorted) {
      if (tensor.begin() != covered) {
        String problem = tensor.begin() < covered ? "overlaps " : "leaves a hole after ";
        throw inData(
            tensor,
            problem
                + (before == null ? "the header" : "tensor " + quote(before.name()))
                + ", expected its data to begin at "
                + covered
                + ", got "
                + tensor.begin());
      }
      covered = tensor.end();
      before = tensor;
    }
    if (covered != dataBytes) {
      String problem =
          covered > dataBytes ? "the file is cut short" : "bytes after the last tensor";
      throw new CheckpointException(
          file
              + ": "
              + problem
              + ", expected "
              + covered
              + " bytes after the header, got "
              + dataBytes
              + (before == null ? "" : " (last tensor " + quote(before.name()) + ")"));
    }
  }

  private CheckpointException inData(TensorInfo tensor, String problem) {
    return new CheckpointException(file + ": tensor " + quote(tensor.name()) + ": " + problem);
  }

  private static long offset(JsonParser parser) {
    return START + Math.max(0, parser.currentTokenLocation().getByteOffset());
  }

  private static String found(JsonParser parser) {
    JsonToken token = parser.currentToken();
    return token == null ? "the end" : shorten(parser.getString());
  }

  private CheckpointException at(long offset, String tensor, String problem) {
    return new CheckpointException(place(offset, tensor) + problem);
  }

  private String place(long offset, String tensor) {
    return file + ": byte " + offset + (tensor.isEmpty() ? "" : ", tensor " + quote(tensor)) + ": ";
  }

  static String quote(String text) {
    return '"' + shorten(text) + '"';
  }

  /** One line of at most {@value #SHOWN} characters, control characters replaced. */
  private static String shorten(@Nullable String text) {
    String line = String.valueOf(text);
    boolean cut = line.length() > SHOWN;
    return line.substring(0, cut ? SHOWN : line.length()).replaceAll("\\p{Cntrl}", "?")
        + (cut ? "..." : "");
  }
}

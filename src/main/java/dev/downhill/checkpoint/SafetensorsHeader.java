package dev.downhill.checkpoint;

import dev.downhill.shape.DType;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The header of a safetensors file.
 *
 * @param tensors in the order of the header
 * @param metadata the texts under {@code __metadata__}
 */
record SafetensorsHeader(Map<String, TensorInfo> tensors, Map<String, String> metadata) {
  /** The key that is no tensor. */
  static final String METADATA = "__metadata__";

  /** The longest header, as in the reference implementation. */
  static final int MAX_BYTES = 100_000_000;

  private static final JsonFactory JSON = new JsonFactory();

  /** The dtype's name in the format. */
  static String code(DType dtype) {
    return switch (dtype) {
      case F64 -> "F64";
      case F32 -> "F32";
      case BF16 -> "BF16";
      case I64 -> "I64";
      case I32 -> "I32";
      case U8 -> "U8";
      case BOOL -> "BOOL";
    };
  }

  /**
   * The bytes of a header, padded with spaces to a multiple of 8 so that the data start aligned.
   * They are those of the reference implementation, which however writes metadata in no fixed
   * order.
   */
  static byte[] encode(List<TensorInfo> tensors, SortedMap<String, String> metadata) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), out)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeName(METADATA);
        json.writeStartObject();
        metadata.forEach(json::writeStringProperty);
        json.writeEndObject();
      }
      for (TensorInfo tensor : tensors) {
        json.writeName(tensor.name());
        json.writeStartObject();
        json.writeStringProperty("dtype", code(tensor.dtype()));
        json.writeName("shape");
        long[] sizes = tensor.shape().toArray();
        json.writeArray(sizes, 0, sizes.length);
        json.writeName("data_offsets");
        json.writeArray(new long[] {tensor.begin(), tensor.end()}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    out.writeBytes(" ".repeat(Math.floorMod(-out.size(), 8)).getBytes(StandardCharsets.US_ASCII));
    return out.toByteArray();
  }
}

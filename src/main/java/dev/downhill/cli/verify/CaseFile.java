package dev.downhill.cli.verify;

import dev.downhill.checkpoint.CheckpointException;
import dev.downhill.checkpoint.Safetensors;
import java.io.Closeable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** An open file of cases: tensors, and a JSON array under the metadata key {@code cases}. */
final class CaseFile implements Closeable {
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .build();

  private final Safetensors tensors;
  private final List<Case> cases = new ArrayList<>();

  private CaseFile(Path path, Safetensors tensors) {
    this.tensors = tensors;
    JsonNode list = parse(path, tensors.metadata().get("cases"));
    for (JsonNode json : list) {
      int i = cases.size();
      cases.add(Case.parse("%s: case %s".formatted(path, i), json, tensors, i + "/"));
    }
  }

  private static JsonNode parse(Path path, @Nullable String json) {
    JsonNode list;
    try {
      list = MAPPER.readTree(json == null ? "" : json);
    } catch (JacksonException e) {
      throw new CheckpointException(
          path + ": metadata key cases: not JSON: " + e.getOriginalMessage(), e);
    }
    if (!list.isArray()) {
      throw new CheckpointException(
          "%s: metadata key cases: expected a JSON array of cases, got %s"
              .formatted(path, json == null ? "none" : "another value"));
    }
    return list;
  }

  /**
   * Opens a file and reads the descriptions of its cases.
   *
   * @throws CheckpointException if it is no file of cases
   */
  static CaseFile open(Path path) {
    Safetensors tensors = Safetensors.open(path);
    try {
      return new CaseFile(path, tensors);
    } catch (RuntimeException | Error e) {
      tensors.close();
      throw e;
    }
  }

  /** The cases in order. */
  List<Case> cases() {
    return cases;
  }

  @Override
  public void close() {
    tensors.close();
  }
}

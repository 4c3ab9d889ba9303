package dev.downhill.data;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The JSON form of an {@link Encoder}. Doubles are written with the shortest digits that read back
 * to the same bits.
 */
final class EncoderJson {
  private static final int VERSION = 1;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .build();

  private EncoderJson() {}

  static String write(
      String target, Scale targetScale, MissingPolicy missing, List<Feature> features) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("version", VERSION);
    root.put("missing", missing.name());
    putScale(root.putObject("target").put("name", target), targetScale);
    ArrayNode columns = root.putArray("columns");
    for (Feature feature : features) {
      ObjectNode column = columns.addObject().put("name", feature.name());
      switch (feature) {
        case Feature.Numeric number ->
            putScale(column, number.scale()).put("median", number.median());
        case Feature.Categorical category ->
            category.values().forEach(column.putArray("values")::add);
      }
    }
    return MAPPER.writeValueAsString(root);
  }

  private static ObjectNode putScale(ObjectNode node, Scale scale) {
    return node.put("mean", scale.mean()).put("std", scale.std());
  }

  static Encoder read(String json) {
    JsonNode root;
    try {
      root = MAPPER.readTree(json);
    } catch (JacksonException e) {
      throw new DataException("encoder: not JSON: " + e.getOriginalMessage(), e);
    }
    JsonNode version = root.path("version");
    if (!version.isInt() || version.intValue() != VERSION) {
      throw error("version", String.valueOf(VERSION), version);
    }
    JsonNode columns = root.path("columns");
    if (!columns.isArray()) {
      throw error("columns", "an array", columns);
    }
    List<Feature> features = new ArrayList<>();
    for (JsonNode column : columns) {
      String name = text(column, "name");
      features.add(
          column.has("values")
              ? new Feature.Categorical(name, texts(column.path("values")))
              : new Feature.Numeric(name, scale(column), number(column, "median")));
    }
    JsonNode target = root.path("target");
    return new Encoder(text(target, "name"), scale(target), policy(root), features);
  }

  private static MissingPolicy policy(JsonNode root) {
    String name = text(root, "missing");
    for (MissingPolicy policy : MissingPolicy.values()) {
      if (policy.name().equals(name)) {
        return policy;
      }
    }
    throw error("missing", "ERROR or MEDIAN", root.path("missing"));
  }

  private static Scale scale(JsonNode node) {
    return new Scale(number(node, "mean"), number(node, "std"));
  }

  private static double number(JsonNode node, String key) {
    JsonNode value = node.path(key);
    if (!value.isNumber()) {
      throw error(key, "a number", value);
    }
    return value.doubleValue();
  }

  private static String text(JsonNode node, String key) {
    JsonNode value = node.path(key);
    if (!value.isString()) {
      throw error(key, "a text", value);
    }
    return value.stringValue();
  }

  private static List<String> texts(JsonNode values) {
    List<String> texts = new ArrayList<>();
    for (JsonNode value : values) {
      if (!value.isString()) {
        throw error("values", "texts", value);
      }
      texts.add(value.stringValue());
    }
    return texts;
  }

  private static DataException error(String key, String expected, JsonNode found) {
    return new DataException(
        "encoder: key "
            + DataException.quote(key)
            + ": expected "
            + expected
            + ", got "
            + (found.isMissingNode() ? "none" : DataException.quote(found.toString())));
  }
}

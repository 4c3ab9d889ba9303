package dev.downhill.cli.verify;

import dev.downhill.checkpoint.CheckpointException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * An object of a case: its attributes, or those of a part of it. It remembers which were read, so
 * that a case whose attributes are not all understood is not run as if it had none.
 */
final class Attributes {
  private final String where;
  private final JsonNode object;
  private final Set<String> read = new HashSet<>();

  /**
   * The attributes in a JSON object.
   *
   * @param where the file and the case, for messages
   * @throws CheckpointException if it is no object
   */
  Attributes(String where, JsonNode object) {
    this.where = where;
    this.object = object;
    if (!object.isObject()) {
      throw broken("expected an object", object);
    }
  }

  private CheckpointException broken(String expected, JsonNode found) {
    return new CheckpointException(
        "%s: %s, got %s".formatted(where, expected, found.isMissingNode() ? "none" : found));
  }

  /** That an attribute is not what the format says. */
  CheckpointException broken(String name, String expected) {
    return broken("\"%s\": expected %s".formatted(name, expected), object.path(name));
  }

  private JsonNode node(String name) {
    read.add(name);
    return object.path(name);
  }

  /** Whether there is an attribute of this name. */
  boolean has(String name) {
    return object.has(name);
  }

  /** Whether an attribute is null, PyTorch's {@code None}. */
  boolean isNull(String name) {
    JsonNode value = node(name);
    if (value.isMissingNode()) {
      throw broken(name, "a value or null");
    }
    return value.isNull();
  }

  String text(String name) {
    JsonNode value = node(name);
    if (!value.isString()) {
      throw broken(name, "a text");
    }
    return value.stringValue();
  }

  boolean flag(String name) {
    JsonNode value = node(name);
    if (!value.isBoolean()) {
      throw broken(name, "true or false");
    }
    return value.booleanValue();
  }

  /** A number, also one of the strings that stand for numbers that are not finite. */
  double number(String name) {
    return number(name, node(name));
  }

  private double number(String name, JsonNode value) {
    if (value.isString()) {
      return switch (value.stringValue()) {
        case "inf" -> Double.POSITIVE_INFINITY;
        case "-inf" -> Double.NEGATIVE_INFINITY;
        case "nan" -> Double.NaN;
        default -> throw broken(name, "a number");
      };
    }
    if (!value.isNumber()) {
      throw broken(name, "a number");
    }
    return value.doubleValue();
  }

  /** A number, or what stands for null. */
  double number(String name, double ifNull) {
    return isNull(name) ? ifNull : number(name);
  }

  long integer(String name) {
    return integer(name, node(name));
  }

  private long integer(String name, JsonNode value) {
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw broken(name, "an integer");
    }
    return value.longValue();
  }

  /** An integer, or what stands for null. */
  long integer(String name, long ifNull) {
    return isNull(name) ? ifNull : integer(name);
  }

  /** A dimension, which may count from the end. */
  int dim(String name) {
    return intOf(name, integer(name));
  }

  private int intOf(String name, long value) {
    if (value != (int) value) {
      throw broken(name, "a 32-bit integer");
    }
    return (int) value;
  }

  /** An integer or a list of them, as a list. */
  long[] integers(String name) {
    JsonNode value = node(name);
    if (!value.isArray()) {
      return new long[] {integer(name, value)};
    }
    return value.valueStream().mapToLong(v -> integer(name, v)).toArray();
  }

  /** Sizes: an integer or a list of integers and nulls, as a list with -1 for null. */
  long[] sizes(String name) {
    JsonNode value = node(name);
    if (!value.isArray()) {
      return new long[] {integer(name, -1)};
    }
    return value.valueStream().mapToLong(v -> v.isNull() ? -1 : integer(name, v)).toArray();
  }

  /** Dimensions: an integer or a list; null for null. */
  int @Nullable [] dims(String name) {
    return isNull(name) ? null : dimList(name);
  }

  /** Dimensions: an integer or a list. */
  int[] dimList(String name) {
    long[] values = integers(name);
    int[] dims = new int[values.length];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = intOf(name, values[i]);
    }
    return dims;
  }

  /** A list of numbers. */
  double[] numbers(String name) {
    JsonNode value = node(name);
    if (!value.isArray()) {
      throw broken(name, "a list of numbers");
    }
    return value.valueStream().mapToDouble(v -> number(name, v)).toArray();
  }

  /** Whether an attribute is a list. */
  boolean isList(String name) {
    return node(name).isArray();
  }

  List<String> texts(String name) {
    JsonNode value = node(name);
    if (!value.isArray() || !value.valueStream().allMatch(JsonNode::isString)) {
      throw broken(name, "a list of texts");
    }
    return value.valueStream().map(JsonNode::stringValue).toList();
  }

  /** An object of texts; empty if there is none. */
  Map<String, String> textMap(String name) {
    Map<String, String> texts = new LinkedHashMap<>();
    if (has(name)) {
      for (Map.Entry<String, JsonNode> e : node(name).properties()) {
        texts.put(e.getKey(), e.getValue().asString());
      }
    }
    return texts;
  }

  Attributes object(String name) {
    return new Attributes(where + ", " + name, node(name));
  }

  /** A list of objects. */
  List<Attributes> objects(String name) {
    JsonNode value = node(name);
    if (!value.isArray()) {
      throw broken(name, "a list of objects");
    }
    List<Attributes> objects = new ArrayList<>();
    for (JsonNode v : value) {
      objects.add(new Attributes("%s, %s %s".formatted(where, name, objects.size()), v));
    }
    return objects;
  }

  /**
   * Reads an attribute of which the runtime knows one value alone.
   *
   * @throws Unsupported if it has another
   */
  void only(String name, boolean known) {
    if (flag(name) != known) {
      throw unsupported(name);
    }
  }

  /** That the runtime has no such value of an attribute. */
  Unsupported unsupported(String name) {
    return new Unsupported("no %s = %s".formatted(name, object.path(name)));
  }

  /**
   * Checks that all attributes were understood.
   *
   * @throws Unsupported if one was never read
   */
  void checkAllRead() {
    for (String name : object.propertyNames()) {
      if (!read.contains(name)) {
        throw new Unsupported("no attribute " + name);
      }
    }
  }
}

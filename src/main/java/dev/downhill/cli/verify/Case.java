package dev.downhill.cli.verify;

import dev.downhill.backend.Device;
import dev.downhill.checkpoint.Safetensors;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * One case of a file.
 *
 * @param name unique in its file, {@code file/label/dtype}
 * @param kind {@code op}, {@code optimizer}, {@code schedule} or {@code model}
 * @param op the operator, optimiser, schedule or model
 * @param dtype of all floating-point tensors
 * @param inputs the names of the inputs that are there, in order
 * @param outputs the names of the outputs that are expected, in order
 * @param file the tensors, this case's names beginning with {@code prefix}
 */
record Case(
    String name,
    String kind,
    String op,
    DType dtype,
    Attributes attributes,
    List<String> inputs,
    List<String> outputs,
    Comparison comparison,
    Safetensors file,
    String prefix) {

  static Case parse(String where, JsonNode json, Safetensors file, String prefix) {
    Attributes entry = new Attributes(where, json);
    return new Case(
        entry.text("name"),
        entry.text("kind"),
        entry.text("op"),
        dtype(entry),
        entry.object("attrs"),
        entry.texts("inputs"),
        entry.texts("outputs"),
        new Comparison(entry.number("rtol"), entry.number("atol")),
        file,
        prefix);
  }

  private static DType dtype(Attributes entry) {
    String name = entry.text("dtype");
    for (DType dtype : DType.values()) {
      if (dtype.toString().equals(name)) {
        return dtype;
      }
    }
    throw entry.broken("dtype", "the name of a dtype");
  }

  /** Whether the case has a tensor of this name, such as {@code din.input}. */
  boolean has(String tensor) {
    return file.has(prefix + tensor);
  }

  /** A tensor of the case. */
  Values values(String tensor) {
    return Values.read(file, prefix + tensor);
  }

  /** A tensor of the case on a device. */
  Tensor tensor(String tensor, Device device) {
    return values(tensor).on(device);
  }

  /** The names of the tensors that begin so, without the beginning. */
  List<String> names(String beginning) {
    return file.tensors().stream()
        .map(info -> info.name())
        .filter(n -> n.startsWith(prefix + beginning))
        .map(n -> n.substring(prefix.length() + beginning.length()))
        .toList();
  }
}

package dev.downhill.cli.verify;

import dev.downhill.checkpoint.SafetensorsWriter;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A file of float64 cases, written case by case. */
public final class CaseWriter {
  private final SafetensorsWriter writer = new SafetensorsWriter();
  private final List<String> cases = new ArrayList<>();

  /** Begins a case whose tolerances are 1e-12. */
  public CaseWriter add(
      String name, String kind, String op, String attrs, String inputs, String outputs) {
    cases.add(
        """
        {"name": "%s", "kind": "%s", "op": "%s", "dtype": "float64", "attrs": %s,
         "inputs": [%s], "outputs": [%s], "rtol": 1e-12, "atol": 1e-12}\
        """
            .formatted(name, kind, op, attrs, quoted(inputs), quoted(outputs)));
    return this;
  }

  /** Begins a case of an operator with one output. */
  public CaseWriter op(String name, String op, String attrs, String inputs) {
    return add(name, "op", op, attrs, inputs, "output");
  }

  private static String quoted(String names) {
    return names.isEmpty() ? "" : "\"" + names.replace(" ", "\", \"") + "\"";
  }

  /** Adds a vector to the last case. */
  public CaseWriter with(String name, double... values) {
    return with(name, Shape.of(values.length), values);
  }

  /** Adds a tensor to the last case. */
  public CaseWriter with(String name, Shape shape, double... values) {
    writer.tensor(cases.size() - 1 + "/" + name, DType.F64, shape, MemorySegment.ofArray(values));
    return this;
  }

  /** Writes the file. */
  public void write(Path file) {
    writer.metadata("cases", "[" + String.join(", ", cases) + "]").write(file);
  }
}

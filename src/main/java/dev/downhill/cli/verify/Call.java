package dev.downhill.cli.verify;

import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The inputs of an operator under PyTorch's names. Like {@link Attributes} it remembers which were
 * taken.
 */
final class Call {
  private final Map<String, Tensor> inputs;
  private final Set<String> taken = new HashSet<>();

  Call(Map<String, Tensor> inputs) {
    this.inputs = inputs;
  }

  /**
   * An input that must be there.
   *
   * @throws Unsupported if it is not
   */
  Tensor in(String name) {
    Tensor t = optional(name);
    if (t == null) {
      throw new Unsupported("without input " + name);
    }
    return t;
  }

  /** An input, or null if the case has none of this name. */
  @Nullable Tensor optional(String name) {
    taken.add(name);
    return inputs.get(name);
  }

  /** The inputs {@code name.0}, {@code name.1}, ... */
  List<Tensor> list(String name) {
    List<Tensor> list = new ArrayList<>();
    for (Tensor t = optional(name + ".0"); t != null; t = optional(name + "." + list.size())) {
      list.add(t);
    }
    return list;
  }

  /**
   * Checks that the operator took all inputs.
   *
   * @throws Unsupported if it did not
   */
  void checkAllTaken() {
    for (String name : inputs.keySet()) {
      if (!taken.contains(name)) {
        throw new Unsupported("no input " + name);
      }
    }
  }
}

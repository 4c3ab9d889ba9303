package dev.downhill.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Named tensors, such as the parameters of a model or the moments of an optimiser. */
public final class State {
  private State() {}

  /**
   * Overwrites every tensor of {@code to} with the one of the same name in {@code from}, which may
   * be on another device. Both must have the same names, with equal shapes and dtypes.
   *
   * @param op starts the message of an error
   * @throws IllegalArgumentException listing all names that are missing, unexpected or different,
   *     with both shapes; then nothing was changed
   */
  public static void copy(String op, Map<String, Tensor> from, Map<String, Tensor> to) {
    List<String> problems = new ArrayList<>();
    to.forEach(
        (name, y) -> {
          Tensor x = from.get(name);
          if (x == null) {
            problems.add("missing %s, expected %s".formatted(name, type(y)));
          } else if (!type(x).equals(type(y))) {
            problems.add("mismatched %s, expected %s, got %s".formatted(name, type(y), type(x)));
          } else if (x.isEnded()) {
            problems.add("ended %s, expected a tensor that can still be used".formatted(name));
          }
        });
    from.forEach(
        (name, x) -> {
          if (!to.containsKey(name)) {
            problems.add("unexpected %s, got %s".formatted(name, type(x)));
          }
        });
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: the state does not fit: %s".formatted(op, String.join("; ", problems)));
    }
    try (Scope _ = Scope.internal();
        Autograd.Mode _ = Autograd.noGrad()) {
      to.forEach((name, y) -> y.copyFrom(Objects.requireNonNull(from.get(name)).to(y.device())));
    }
  }

  private static String type(Tensor t) {
    return t.dtype() + " " + t.shape();
  }
}

package dev.downhill.tensor;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The inputs of operators some of which may be left out. */
final class Inputs {
  private Inputs() {}

  /** Those that are given, in order, for {@link Op#of}. */
  static Tensor[] given(@Nullable Tensor... all) {
    List<Tensor> given = new ArrayList<>();
    for (Tensor t : all) {
      if (t != null) {
        given.add(t);
      }
    }
    return given.toArray(Tensor[]::new);
  }
}

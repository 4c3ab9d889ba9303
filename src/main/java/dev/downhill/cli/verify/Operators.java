package dev.downhill.cli.verify;

import dev.downhill.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/** The operators that the runtime has, by the names of the cases. */
final class Operators {
  private final Map<String, Operator> table = new HashMap<>();

  Operators() {
    ElementwiseOperators.addTo(this);
    ReductionOperators.addTo(this);
    ShapeOperators.addTo(this);
    LinearOperators.addTo(this);
    ConvolutionOperators.addTo(this);
    NetworkOperators.addTo(this);
    LossOperators.addTo(this);
    OrderOperators.addTo(this);
  }

  /**
   * The operator of this name.
   *
   * @throws Unsupported if there is none
   */
  Operator get(String name) {
    Operator operator = table.get(name);
    if (operator == null) {
      throw new Unsupported("no such operator yet");
    }
    return operator;
  }

  /** Adds an operator with several outputs. */
  void several(String name, Operator operator) {
    if (table.put(name, operator) != null) {
      throw new AssertionError("two operators " + name);
    }
  }

  /** Adds an operator with one output. */
  void one(String name, BiFunction<Call, Attributes, Tensor> operator) {
    several(name, (call, a) -> Map.of("output", operator.apply(call, a)));
  }

  /** Adds an operator of one input and no attributes. */
  void unary(String name, UnaryOperator<Tensor> operator) {
    one(name, (call, _) -> operator.apply(call.in("input")));
  }

  /** Adds an operator of two inputs and no attributes. */
  void binary(String name, String second, BinaryOperator<Tensor> operator) {
    one(name, (call, _) -> operator.apply(call.in("input"), call.in(second)));
  }

  /** A list of tensors under the names {@code name.0}, {@code name.1}, ... */
  static Map<String, Tensor> numbered(String name, List<Tensor> tensors) {
    Map<String, Tensor> named = new HashMap<>();
    for (int i = 0; i < tensors.size(); i++) {
      named.put(name + "." + i, tensors.get(i));
    }
    return named;
  }
}

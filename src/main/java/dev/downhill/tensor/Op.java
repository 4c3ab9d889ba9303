package dev.downhill.tensor;

import dev.downhill.autograd.Node;
import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One application of an operator: checks its inputs, makes its output, records its rules.
 *
 * <pre>{@code
 * Op op = Op.of("mul", a, b).sameType();
 * Tensor y = op.output(Shape.broadcast("mul", a.shape(), b.shape()));
 * op.device().run(k -> k.binary(Binary.MUL, ...));
 * return op.saving(a, b).record(y, p -> p.dy().mul(p.saved(1)), p -> p.dy().mul(p.saved(0)));
 * }</pre>
 */
final class Op {
  private final String name;
  private final Tensor[] inputs;
  private Tensor[] saved = {};
  // The caller gave an infinite or undefined number, and wants what comes of it.
  private boolean infinite;

  private Op(String name, Tensor[] inputs) {
    this.name = name;
    this.inputs = inputs;
  }

  /**
   * Starts an operator.
   *
   * @throws IllegalStateException if an input has ended
   * @throws IllegalArgumentException if the inputs are on different devices
   */
  static Op of(String name, Tensor... inputs) {
    Device device = inputs[0].device();
    for (Tensor t : inputs) {
      t.check(name);
      if (t.device() != device) {
        throw new IllegalArgumentException(
            "%s: expected all tensors on one device, got %s and %s; move one with to(device) (shapes %s)"
                .formatted(name, device, t.device(), shapes(inputs)));
      }
    }
    return new Op(name, inputs);
  }

  /** Requires one dtype of all inputs. */
  Op sameType() {
    for (Tensor t : inputs) {
      if (t.dtype() != inputs[0].dtype()) {
        throw new ShapeException(
            "%s: dtypes differ, expected one, got %s and %s; convert one with to(dtype) (shapes %s)"
                .formatted(name, inputs[0].dtype(), t.dtype(), shapes(inputs)));
      }
    }
    return this;
  }

  /** Requires floating-point inputs of one dtype. */
  Op floating() {
    sameType();
    if (!inputs[0].dtype().isFloating()) {
      throw new ShapeException(
          "%s: expected a floating-point tensor, got %s; convert it with to(dtype) (shapes %s)"
              .formatted(name, inputs[0].dtype(), shapes(inputs)));
    }
    return this;
  }

  /** Requires numbers, which truth values are not. */
  Op numeric() {
    if (inputs[0].dtype() == DType.BOOL) {
      throw new ShapeException(
          "%s: expected a tensor of numbers, got bool; convert it with to(dtype) (shapes %s)"
              .formatted(name, shapes(inputs)));
    }
    return this;
  }

  /**
   * Requires a Java number that the first input's dtype can hold.
   *
   * @return the number
   */
  double number(double value) {
    infinite |= !Double.isFinite(value);
    boolean fits =
        switch (inputs[0].dtype()) {
          case F64, F32, BF16 -> true;
          case I64 -> value >= -0x1p63 && value < 0x1p63;
          case I32 -> value >= -0x1p31 && value < 0x1p31;
          case U8 -> value >= 0 && value < 0x1p8;
          case BOOL -> value == 0 || value == 1;
        };
    if (!fits || (!inputs[0].dtype().isFloating() && value != Math.rint(value))) {
      throw new IllegalArgumentException(
          "%s: expected a number that %s can hold, got %s; convert the tensor with to(dtype) (shapes %s)"
              .formatted(name, inputs[0].dtype(), value, shapes(inputs)));
    }
    return value;
  }

  /** Requires input {@code i} to be of a dtype. */
  Op type(int i, DType dtype) {
    if (inputs[i].dtype() != dtype) {
      throw new ShapeException(
          "%s: expected %s for argument %s, got %s (shapes %s)"
              .formatted(name, dtype, i + 1, inputs[i].dtype(), shapes(inputs)));
    }
    return this;
  }

  /** Refuses the inputs. */
  ShapeException refuse(String problem) {
    return new ShapeException("%s: %s (shapes %s)".formatted(name, problem, shapes(inputs)));
  }

  private static String shapes(Tensor[] inputs) {
    return Arrays.stream(inputs)
        .map(t -> t.shape().toString())
        .collect(Collectors.joining(" and "));
  }

  /** The name of the operator. */
  String name() {
    return name;
  }

  /** The device of all inputs. */
  Device device() {
    return inputs[0].device();
  }

  /** A new tensor of the first input's dtype, contents undefined. */
  Tensor output(Shape shape) {
    return output(inputs[0].dtype(), shape);
  }

  /** A new tensor, contents undefined. */
  Tensor output(DType dtype, Shape shape) {
    return Tensor.empty(device(), dtype, shape);
  }

  /** The first input's elements through another layout. */
  Tensor view(Layout layout) {
    return Tensor.alias(inputs[0].storage(), layout, null);
  }

  /** Names what the rules will read; the output may be among it. */
  Op saving(Tensor... tensors) {
    saved = tensors;
    return this;
  }

  /**
   * Makes {@code y} the result of this operator in the graph, if any input needs a gradient.
   *
   * @param rules one per input, or none for an operator without a gradient
   * @throws IllegalStateException if a gradient is needed and there are no rules
   */
  @SuppressWarnings({"unchecked", "rawtypes"})
  Tensor record(Tensor y, Rule... rules) {
    if (!infinite) {
      Anomaly.forward(name, inputs, y);
    }
    if (!needsGradient() || !y.dtype().isFloating()) {
      return y;
    }
    if (rules.length == 0) {
      throw new IllegalStateException(
          "%s: has no gradient, but an input needs one; use detach() on it, or noGrad (shapes %s)"
              .formatted(name, shapes(inputs)));
    }
    assert rules.length == inputs.length : name;
    @Nullable Node<Tensor>[] nodes = new Node[inputs.length];
    Shape[] shapes = new Shape[inputs.length];
    for (int i = 0; i < inputs.length; i++) {
      nodes[i] = inputs[i].dtype().isFloating() ? inputs[i].node() : null;
      shapes[i] = inputs[i].shape();
    }
    OpNode node = new OpNode(name, y, nodes, shapes, rules);
    node.save(saved, y);
    y.setNode(node);
    return y;
  }

  /** Whether the result will be part of a graph. */
  boolean needsGradient() {
    boolean needed = false;
    if (Autograd.isEnabled()) {
      HostState host = HostState.current();
      for (Tensor t : inputs) {
        needed |= t.requiresGrad();
        if (host != null && !t.requiresGrad()) {
          host.readPlain(t);
        }
      }
    }
    return needed;
  }
}

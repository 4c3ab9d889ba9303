package dev.downhill.tensor;

import dev.downhill.backend.Binary;
import dev.downhill.shape.ShapeException;

/**
 * The few changes in place: of plain tensors, and of leaves under {@link Autograd#noGrad}. A tensor
 * that an operator made in a graph is never changed. Every change raises the version of the memory,
 * so that a backward pass that needs the old value notices.
 */
final class InPlace {
  private InPlace() {}

  static void check(String op, Tensor y) {
    y.check(op);
    if (y.node() instanceof OpNode made) {
      throw new IllegalStateException(
          "%s: expected a tensor without a graph, got the result of %s %s; use its detach()"
              .formatted(op, made.op(), y.shape()));
    }
    if (y.node() != null && Autograd.isEnabled()) {
      throw new IllegalStateException(
          "%s: a leaf %s that requires a gradient can be changed only under noGrad"
              .formatted(op, y.shape()));
    }
    if (y.layout().overlaps()) {
      throw new IllegalStateException(
          "%s: cannot write into a view whose elements overlap, got %s".formatted(op, y.layout()));
    }
  }

  private static Tensor operand(String op, Tensor y, Tensor x) {
    x.check(op);
    if (x.device() != y.device()) {
      throw new IllegalArgumentException(
          "%s: expected both tensors on one device, got %s and %s (shapes %s and %s)"
              .formatted(op, y.device(), x.device(), y.shape(), x.shape()));
    }
    if (!x.shape().broadcastsTo(y.shape())) {
      throw new ShapeException(
          "%s: expected an operand that broadcasts to %s, got %s (shapes %s and %s)"
              .formatted(op, y.shape(), x.shape(), y.shape(), x.shape()));
    }
    // A source that shares the memory through another layout would be read half overwritten.
    boolean unsafe = x.storage() == y.storage() && !x.layout().equals(y.layout());
    return unsafe ? Conversion.copy(x.detach()) : x;
  }

  /**
   * y = x, converting the dtype and broadcasting.
   *
   * @return {@code y}
   */
  static Tensor copyFrom(Tensor y, Tensor x) {
    check("copyFrom", y);
    try (Scope _ = Scope.internal()) {
      Tensor from = operand("copyFrom", y, x);
      y.device()
          .run(
              b -> {
                b.copy(from.view().with(from.layout().expand(y.shape())), y.view());
                y.storage().changed();
              });
    }
    return y;
  }

  /**
   * y = value everywhere.
   *
   * @return {@code y}
   */
  static Tensor fill(Tensor y, double value) {
    check("fill", y);
    y.device()
        .run(
            b -> {
              b.fill(y.view(), value);
              y.storage().changed();
            });
    return y;
  }

  /**
   * y = y + x, of one dtype; x may broadcast.
   *
   * @return {@code y}
   */
  static Tensor add(Tensor y, Tensor x) {
    check("addInPlace", y);
    if (x.dtype() != y.dtype()) {
      throw new ShapeException(
          "addInPlace: dtypes differ, expected %s, got %s (shapes %s and %s)"
              .formatted(y.dtype(), x.dtype(), y.shape(), x.shape()));
    }
    try (Scope _ = Scope.internal()) {
      Tensor from = operand("addInPlace", y, x);
      y.device()
          .run(
              b -> {
                b.binary(
                    Binary.ADD,
                    y.view(),
                    from.view().with(from.layout().expand(y.shape())),
                    y.view());
                y.storage().changed();
              });
    }
    return y;
  }
}

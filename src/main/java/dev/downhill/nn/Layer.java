package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;
import java.util.function.UnaryOperator;

/** A module of one input and one output, which {@link Sequential} can chain. */
public abstract class Layer extends Module {
  /** A layer without parts yet. */
  protected Layer() {}

  /**
   * A function without parameters as a layer.
   *
   * @param text what {@code toString} says, such as {@code Relu6()}
   */
  public static Layer of(String text, UnaryOperator<Tensor> function) {
    return new Layer() {
      @Override
      public Tensor forward(Tensor x) {
        return function.apply(x);
      }

      @Override
      public String toString() {
        return text;
      }
    };
  }

  /** What this layer computes. */
  public abstract Tensor forward(Tensor x);

  @Override
  public Layer on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Layer on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

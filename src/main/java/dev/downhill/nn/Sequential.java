package dev.downhill.nn;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Tensor;
import java.util.List;

/** Layers one after the other, named {@code 0}, {@code 1}, ... */
public final class Sequential extends Layer {
  private final List<Layer> layers;

  /** A chain of these layers; none gives the identity. */
  public Sequential(Layer... layers) {
    this.layers = List.of(layers);
    for (int i = 0; i < layers.length; i++) {
      part(Integer.toString(i), layers[i]);
    }
  }

  /**
   * The output of the last layer.
   *
   * @throws ShapeException of an operator, with the layer that it happened in
   */
  @Override
  public Tensor forward(Tensor x) {
    Tensor y = x;
    for (int i = 0; i < layers.size(); i++) {
      try {
        y = layers.get(i).forward(y);
      } catch (ShapeException e) {
        String layer =
            layers.get(i) instanceof Sequential ? "Sequential" : layers.get(i).toString();
        ShapeException placed =
            new ShapeException("%s in layer %s, %s".formatted(e.getMessage(), i, layer));
        placed.initCause(e);
        throw placed;
      }
    }
    return y;
  }

  /** The layers in order. */
  public List<Layer> layers() {
    return layers;
  }

  @Override
  public Sequential on(Device device, long seed) {
    return on(device, seed, DType.F32);
  }

  @Override
  public Sequential on(Device device, long seed, DType dtype) {
    super.on(device, seed, dtype);
    return this;
  }
}

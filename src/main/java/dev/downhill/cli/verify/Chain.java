package dev.downhill.cli.verify;

import dev.downhill.nn.Layer;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Layers one after the other under the names of the case; none gives the identity. */
final class Chain extends Layer {
  private final List<Layer> layers = new ArrayList<>();

  /**
   * A whole model.
   *
   * @throws Unsupported if the runtime lacks a layer
   */
  Chain(List<Attributes> described) {
    declare(described, this);
  }

  /** A part of a model. */
  Chain(List<Attributes> described, Layer model) {
    declare(described, model);
  }

  private void declare(List<Attributes> described, Layer model) {
    for (Attributes layer : described) {
      layers.add(part(layer.text("name"), Layers.of(layer, model)));
    }
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor y = x;
    for (Layer layer : layers) {
      y = layer.forward(y);
    }
    return y;
  }
}

package dev.downhill.jobs.pathologies;

import dev.downhill.nn.Activations;
import dev.downhill.nn.Init;
import dev.downhill.nn.Layer;
import dev.downhill.nn.LayerNorm;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Residual;
import dev.downhill.nn.Sequential;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A network that is much deeper than its task needs: points of the plane go through {@value #DEPTH}
 * layers, of {@value #WIDTH} outputs each but for the last, to one answer. What goes a little wrong
 * in a layer goes wrong {@value #DEPTH} times over.
 */
final class DeepNet extends Layer {
  static final int DEPTH = 12;
  static final int WIDTH = 32;

  private final List<Layer> layers = new ArrayList<>();

  /**
   * How its layers are made.
   *
   * @param activation by name
   * @param weights how they start; biases start as 0
   * @param residual whether the input of a layer is added to its output
   * @param normalized whether what enters an activation is normalised
   */
  record Design(Activation activation, Init weights, boolean residual, boolean normalized) {
    /** The non-linear part of a layer. */
    enum Activation {
      SIGMOID,
      RELU
    }

    Design withWeights(Init init) {
      return new Design(activation, init, residual, normalized);
    }

    Design withActivation(Activation a) {
      return new Design(a, weights, residual, normalized);
    }

    Design withResidual() {
      return new Design(activation, weights, true, normalized);
    }

    Design withNorm() {
      return new Design(activation, weights, residual, true);
    }
  }

  DeepNet(Design design) {
    Linear.Options start =
        Linear.Options.DEFAULT.withWeightInit(design.weights).withBiasInit(Init.zeros());
    for (int i = 1; i < DEPTH; i++) {
      Layer linear = new Linear(i == 1 ? 2 : WIDTH, WIDTH, start);
      Layer norm = design.normalized ? new LayerNorm(WIDTH) : new Sequential();
      Layer activation =
          switch (design.activation) {
            case SIGMOID -> Activations.sigmoid();
            case RELU -> new Relu();
          };
      Layer layer = new Sequential(linear, norm, activation);
      layers.add(part("layer" + i, design.residual && i > 1 ? new Residual(layer) : layer));
    }
    layers.add(part("layer" + DEPTH, new Linear(WIDTH, 1, start)));
  }

  @Override
  public Tensor forward(Tensor x) {
    return outputs(x).getLast();
  }

  /** The output of every layer. */
  List<Tensor> outputs(Tensor x) {
    List<Tensor> all = new ArrayList<>();
    for (Layer layer : layers) {
      all.add(layer.forward(all.isEmpty() ? x : all.getLast()));
    }
    return all;
  }

  /** The weight matrix of every layer. */
  List<Tensor> weights() {
    return parameters().stream().filter(p -> p.dim() == 2).toList();
  }
}

package dev.downhill.cli.verify;

import dev.downhill.nn.Activations;
import dev.downhill.nn.BatchNorm;
import dev.downhill.nn.BatchNorm1d;
import dev.downhill.nn.BatchNorm2d;
import dev.downhill.nn.Embedding;
import dev.downhill.nn.Flatten;
import dev.downhill.nn.LastStep;
import dev.downhill.nn.Layer;
import dev.downhill.nn.LayerNorm;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Lstm;
import dev.downhill.nn.MultiHeadAttention;
import dev.downhill.nn.PositionalEmbedding;
import dev.downhill.nn.RecurrentLayer;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Residual;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Matmul;
import dev.downhill.tensor.Tensor;

/** The layers that the runtime has, by PyTorch's names. */
final class Layers {
  private Layers() {}

  /**
   * A layer as a case describes it.
   *
   * @param model the outermost layer, whose parameters another layer may share
   * @throws Unsupported if the runtime lacks it, or one of its arguments
   */
  static Layer of(Attributes described, Layer model) {
    String type = described.text("type");
    if (type.equals("Residual")) {
      return new Residual(
          new Chain(described.objects("body"), model),
          new Chain(described.objects("shortcut"), model));
    }
    Attributes a = described.object("args");
    Layer layer =
        switch (type) {
          case "Linear" -> linear(a);
          case "Embedding" ->
              new Embedding(a.integer("num_embeddings"), a.integer("embedding_dim"));
          case "DotProduct" -> new DotProduct(a);
          case "ReLU" -> new Relu();
          case "LeakyReLU" -> Activations.leakyRelu(a.number("negative_slope"));
          case "ELU" -> Activations.elu(a.number("alpha"));
          case "GELU" -> gelu(a);
          case "SiLU" -> Activations.silu();
          case "Tanh" -> Activations.tanh();
          case "Softplus" -> Activations.softplus(a.number("beta"), a.number("threshold"));
          case "Flatten" -> new Flatten(a.dim("start_dim"), a.dim("end_dim"));
          case "BatchNorm1d" -> new BatchNorm1d(a.integer("num_features"), batchNorm(a));
          case "BatchNorm2d" -> new BatchNorm2d(a.integer("num_features"), batchNorm(a));
          case "LayerNorm" ->
              new LayerNorm(
                  Shape.of(a.integers("normalized_shape")),
                  LayerNorm.Options.DEFAULT.withEps(a.number("eps")));
          case "LSTM" ->
              new Lstm(
                  a.integer("input_size"),
                  a.integer("hidden_size"),
                  new RecurrentLayer.Options(a.flag("bias"), a.flag("batch_first")));
          case "Conv2d" -> ConvolutionOperators.conv2d(a);
          case "MaxPool2d" -> ConvolutionOperators.maxPool2d(a);
          case "AvgPool2d" -> ConvolutionOperators.avgPool2d(a);
          case "AdaptiveAvgPool2d" -> ConvolutionOperators.adaptiveAvgPool2d(a);
          case "LastStep" -> new LastStep();
          case "PositionalEmbedding" ->
              new PositionalEmbedding(a.integer("num_embeddings"), a.integer("embedding_dim"));
          case "CausalSelfAttention" ->
              new MultiHeadAttention(
                  a.integer("embed_dim"),
                  a.integer("num_heads"),
                  new MultiHeadAttention.Options(a.flag("bias"), true));
          case "TiedLinear" -> tiedLinear(a.text("tied_to"), model);
          default -> throw new Unsupported("no layer " + type + " yet");
        };
    a.checkAllRead();
    return layer;
  }

  private static Linear linear(Attributes a) {
    Linear.Options options = Linear.Options.DEFAULT;
    return new Linear(
        a.integer("in_features"),
        a.integer("out_features"),
        a.flag("bias") ? options : options.withoutBias());
  }

  private static BatchNorm.Options batchNorm(Attributes a) {
    return BatchNorm.Options.DEFAULT.withEps(a.number("eps")).withMomentum(a.number("momentum"));
  }

  /** By a parameter that may be declared later, so that it is looked up when it is needed. */
  private static Layer tiedLinear(String parameter, Layer model) {
    return Layer.of(
        "TiedLinear(%s)".formatted(parameter),
        x -> {
          Tensor weight = model.namedParameters().get(parameter);
          if (weight == null) {
            throw new Unsupported("no parameter " + parameter);
          }
          return Matmul.linear(x, weight, null);
        });
  }

  private static Layer gelu(Attributes a) {
    return switch (a.text("approximate")) {
      case "none" -> Activations.gelu();
      case "tanh" -> Activations.geluTanh();
      default -> throw a.unsupported("approximate");
    };
  }
}

package dev.downhill.cli.verify;

import dev.downhill.nn.Activations;
import dev.downhill.nn.Embedding;
import dev.downhill.nn.Flatten;
import dev.downhill.nn.Layer;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;

/** The layers that the runtime has, by PyTorch's names. */
final class Layers {
  private Layers() {}

  /**
   * A layer as a case describes it.
   *
   * @throws Unsupported if the runtime lacks it, or one of its arguments
   */
  static Layer of(Attributes described) {
    String type = described.text("type");
    if (type.equals("Residual")) {
      return new Residual(described.objects("body"), described.objects("shortcut"));
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
          case "LastStep" -> Layer.of("LastStep()", x -> x.select(1, -1));
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

  private static Layer gelu(Attributes a) {
    return switch (a.text("approximate")) {
      case "none" -> Activations.gelu();
      case "tanh" -> Activations.geluTanh();
      default -> throw a.unsupported("approximate");
    };
  }
}

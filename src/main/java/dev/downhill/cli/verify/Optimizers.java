package dev.downhill.cli.verify;

import dev.downhill.optim.Adam;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.Sgd;
import dev.downhill.tensor.Tensor;
import java.util.List;

/** The optimisers that the runtime has, by PyTorch's names. */
final class Optimizers {
  private Optimizers() {}

  /**
   * An optimiser of one group.
   *
   * @param a its attributes
   * @throws Unsupported if the runtime lacks it, or one of its attributes
   */
  static Optimizer of(String name, Attributes a, List<Tensor> parameters) {
    Optimizer optimizer =
        switch (name) {
          case "SGD" ->
              new Sgd(
                  parameters,
                  new Sgd.Options(
                      a.number("lr"),
                      a.number("momentum"),
                      a.number("dampening"),
                      a.number("weight_decay"),
                      a.flag("nesterov"),
                      a.flag("maximize")));
          case "Adam" -> new Adam(parameters, adam(a));
          case "AdamW" -> new AdamW(parameters, adam(a));
          default -> throw new Unsupported("no optimizer " + name + " yet");
        };
    try {
      a.checkAllRead();
    } catch (Unsupported e) {
      optimizer.close();
      throw e;
    }
    return optimizer;
  }

  private static Adam.Options adam(Attributes a) {
    a.only("amsgrad", false);
    double[] betas = a.numbers("betas");
    if (betas.length != 2) {
      throw a.broken("betas", "two numbers");
    }
    return new Adam.Options(
        a.number("lr"),
        betas[0],
        betas[1],
        a.number("eps"),
        a.number("weight_decay"),
        a.flag("maximize"));
  }
}

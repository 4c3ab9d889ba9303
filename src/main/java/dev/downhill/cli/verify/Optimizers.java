package dev.downhill.cli.verify;

import dev.downhill.optim.Adagrad;
import dev.downhill.optim.Adam;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.NAdam;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.RmsProp;
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
          case "RMSprop" ->
              new RmsProp(
                  parameters,
                  new RmsProp.Options(
                      a.number("lr"),
                      a.number("alpha"),
                      a.number("eps"),
                      a.number("weight_decay"),
                      a.number("momentum"),
                      a.flag("centered"),
                      maximize(a)));
          case "Adagrad" ->
              new Adagrad(
                  parameters,
                  new Adagrad.Options(
                      a.number("lr"),
                      a.number("lr_decay"),
                      a.number("weight_decay"),
                      a.number("initial_accumulator_value"),
                      a.number("eps"),
                      maximize(a)));
          case "NAdam" -> {
            double[] betas = betas(a);
            yield new NAdam(
                parameters,
                new NAdam.Options(
                    a.number("lr"),
                    betas[0],
                    betas[1],
                    a.number("eps"),
                    a.number("weight_decay"),
                    a.number("momentum_decay"),
                    a.flag("decoupled_weight_decay"),
                    maximize(a)));
          }
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
    double[] betas = betas(a);
    return new Adam.Options(
        a.number("lr"),
        betas[0],
        betas[1],
        a.number("eps"),
        a.number("weight_decay"),
        a.flag("amsgrad"),
        a.flag("maximize"));
  }

  private static double[] betas(Attributes a) {
    double[] betas = a.numbers("betas");
    if (betas.length != 2) {
      throw a.broken("betas", "two numbers");
    }
    return betas;
  }

  /** Cases of these optimisers need not have the attribute. */
  private static boolean maximize(Attributes a) {
    return a.has("maximize") && a.flag("maximize");
  }
}

package dev.downhill.optim;

import dev.downhill.tensor.FusedUpdate;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Stochastic gradient descent, as {@code torch.optim.SGD}.
 *
 * <p>g = g + weightDecay p; with momentum b = g at the first step, then b = momentum b + (1 -
 * dampening) g, and g = g + momentum b if nesterov, else g = b; p = p - lr g. Nesterov's momentum
 * in the form of Sutskever et al. 2013.
 */
public final class Sgd extends Optimizer {
  /**
   * The numbers of the method.
   *
   * @param lr the learning rate, 0 or more
   * @param momentum how much of the last direction stays, 0 to 1
   * @param dampening what is taken from a gradient before it joins the momentum, 0 to 1
   * @param weightDecay how much of the parameter joins the gradient, 0 or more
   * @param nesterov whether the gradient is that of the point ahead; needs momentum, no dampening
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double momentum,
      double dampening,
      double weightDecay,
      boolean nesterov,
      boolean maximize) {
    /** A rate of 1e-3 and nothing else. */
    public static final Options DEFAULT = new Options(1e-3, 0, 0, 0, false, false);

    /** With this learning rate. */
    public Options withLr(double rate) {
      return new Options(rate, momentum, dampening, weightDecay, nesterov, maximize);
    }

    /** With this momentum. */
    public Options withMomentum(double m) {
      return new Options(lr, m, dampening, weightDecay, nesterov, maximize);
    }

    /** With this dampening. */
    public Options withDampening(double d) {
      return new Options(lr, momentum, d, weightDecay, nesterov, maximize);
    }

    /** With this weight decay. */
    public Options withWeightDecay(double decay) {
      return new Options(lr, momentum, dampening, decay, nesterov, maximize);
    }

    /** With Nesterov's momentum. */
    public Options withNesterov() {
      return new Options(lr, momentum, dampening, weightDecay, true, maximize);
    }

    /** Climbing. */
    public Options withMaximize() {
      return new Options(lr, momentum, dampening, weightDecay, nesterov, true);
    }

    private Map<String, Double> scalars() {
      Map<String, Double> s = new LinkedHashMap<>();
      s.put("lr", lr);
      s.put("momentum", momentum);
      s.put("dampening", dampening);
      s.put("weight_decay", weightDecay);
      s.put("nesterov", nesterov ? 1.0 : 0.0);
      s.put("maximize", maximize ? 1.0 : 0.0);
      return s;
    }
  }

  /** Plain descent. */
  public Sgd(List<Tensor> parameters, double lr) {
    this(parameters, Options.DEFAULT.withLr(lr));
  }

  /** All parameters in one group. */
  public Sgd(List<Tensor> parameters, Options options) {
    this(List.of(new Group<>(parameters, options)));
  }

  /**
   * Groups of parameters.
   *
   * @throws IllegalArgumentException listing every number that is out of range
   */
  public Sgd(List<Group<Options>> groups) {
    super("Sgd", groups, Sgd::check, Options::scalars, FusedUpdate::sgd);
  }

  private static void check(Hyperparameters h, String prefix, Options o) {
    h.amount(prefix + "lr", o.lr)
        .range(prefix + "momentum", o.momentum, 0, 1)
        .range(prefix + "dampening", o.dampening, 0, 1)
        .amount(prefix + "weightDecay", o.weightDecay)
        .check(
            !o.nesterov || (o.momentum > 0 && o.dampening == 0),
            prefix + "nesterov",
            "momentum above 0 and no dampening with it",
            "momentum %s and dampening %s".formatted(o.momentum, o.dampening));
  }
}

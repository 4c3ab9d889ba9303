package dev.downhill.optim;

import dev.downhill.tensor.FusedUpdate;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * RMSprop (Tieleman and Hinton 2012), as {@code torch.optim.RMSprop}.
 *
 * <p>g = g + weightDecay p; v = alpha v + (1 - alpha) g^2; d = sqrt(v) + eps, or if centered a =
 * alpha a + (1 - alpha) g and d = sqrt(v - a^2) + eps; with momentum b = momentum b + g / d and p =
 * p - lr b, else p = p - lr g / d.
 *
 * <p>State is kept for what is used: {@code grad_avg} if centered, {@code momentum_buffer} with
 * momentum. Where a gradient stays the same for very long, v - a^2 vanishes, and its rounding error
 * may be below 0: then the step is NaN, as in PyTorch.
 */
public final class RmsProp extends Optimizer {
  /**
   * The numbers of the method.
   *
   * @param lr the learning rate, 0 or more
   * @param alpha how much of the mean square stays, from 0 to below 1
   * @param eps added to the root, 0 or more
   * @param weightDecay how much of the parameter joins the gradient, 0 or more
   * @param momentum how much of the last direction stays, 0 to 1
   * @param centered whether to divide by the deviation in place of the root mean square
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double alpha,
      double eps,
      double weightDecay,
      double momentum,
      boolean centered,
      boolean maximize) {
    /** Rate 1e-2, alpha 0.99, eps 1e-8, neither decay nor momentum, not centered. */
    public static final Options DEFAULT = new Options(1e-2, 0.99, 1e-8, 0, 0, false, false);

    /** With this learning rate. */
    public Options withLr(double rate) {
      return new Options(rate, alpha, eps, weightDecay, momentum, centered, maximize);
    }

    /** With this alpha. */
    public Options withAlpha(double a) {
      return new Options(lr, a, eps, weightDecay, momentum, centered, maximize);
    }

    /** With this eps. */
    public Options withEps(double e) {
      return new Options(lr, alpha, e, weightDecay, momentum, centered, maximize);
    }

    /** With this weight decay. */
    public Options withWeightDecay(double decay) {
      return new Options(lr, alpha, eps, decay, momentum, centered, maximize);
    }

    /** With this momentum. */
    public Options withMomentum(double m) {
      return new Options(lr, alpha, eps, weightDecay, m, centered, maximize);
    }

    /** Divided by the deviation. */
    public Options withCentered() {
      return new Options(lr, alpha, eps, weightDecay, momentum, true, maximize);
    }

    /** Climbing. */
    public Options withMaximize() {
      return new Options(lr, alpha, eps, weightDecay, momentum, centered, true);
    }

    private Map<String, Double> scalars() {
      Map<String, Double> s = new LinkedHashMap<>();
      s.put("lr", lr);
      s.put("alpha", alpha);
      s.put("eps", eps);
      s.put("weight_decay", weightDecay);
      s.put("momentum", momentum);
      s.put("centered", centered ? 1.0 : 0.0);
      s.put("maximize", maximize ? 1.0 : 0.0);
      return s;
    }
  }

  /** With this learning rate and else the defaults. */
  public RmsProp(List<Tensor> parameters, double lr) {
    this(parameters, Options.DEFAULT.withLr(lr));
  }

  /** All parameters in one group. */
  public RmsProp(List<Tensor> parameters, Options options) {
    this(List.of(new Group<>(parameters, options)));
  }

  /**
   * Groups of parameters.
   *
   * @throws IllegalArgumentException listing every number that is out of range
   */
  public RmsProp(List<Group<Options>> groups) {
    super("RmsProp", groups, RmsProp::check, Options::scalars, FusedUpdate::rmsProp);
  }

  private static void check(Hyperparameters h, String prefix, Options o) {
    h.amount(prefix + "lr", o.lr)
        .belowOne(prefix + "alpha", o.alpha)
        .amount(prefix + "eps", o.eps)
        .amount(prefix + "weightDecay", o.weightDecay)
        .range(prefix + "momentum", o.momentum, 0, 1);
  }
}

package dev.downhill.optim;

import dev.downhill.tensor.FusedUpdate;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adam (Kingma and Ba 2015), as {@code torch.optim.Adam}.
 *
 * <p>g = g + weightDecay p; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; p = p - lr
 * / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps). With amsgrad (Reddi et al. 2018) the
 * largest v so far, element by element, takes the place of v in the last formula.
 */
public final class Adam extends Optimizer {
  /**
   * The numbers of the method.
   *
   * @param lr the learning rate, 0 or more
   * @param beta1 how much of the mean gradient stays, from 0 to below 1
   * @param beta2 how much of the mean square stays, from 0 to below 1
   * @param eps added to the root of the mean square, 0 or more
   * @param weightDecay 0 or more: how much of the parameter joins the gradient; for {@link AdamW}
   *     how much of it goes, times the rate
   * @param amsgrad whether steps are divided by the largest mean square so far
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double beta1,
      double beta2,
      double eps,
      double weightDecay,
      boolean amsgrad,
      boolean maximize) {
    /** Rate 1e-3, betas 0.9 and 0.999, eps 1e-8, no decay. */
    public static final Options DEFAULT = new Options(1e-3, 0.9, 0.999, 1e-8, 0, false, false);

    /** With this learning rate. */
    public Options withLr(double rate) {
      return new Options(rate, beta1, beta2, eps, weightDecay, amsgrad, maximize);
    }

    /** With these betas. */
    public Options withBetas(double b1, double b2) {
      return new Options(lr, b1, b2, eps, weightDecay, amsgrad, maximize);
    }

    /** With this eps. */
    public Options withEps(double e) {
      return new Options(lr, beta1, beta2, e, weightDecay, amsgrad, maximize);
    }

    /** With this weight decay. */
    public Options withWeightDecay(double decay) {
      return new Options(lr, beta1, beta2, eps, decay, amsgrad, maximize);
    }

    /** With the largest mean square so far. */
    public Options withAmsgrad() {
      return new Options(lr, beta1, beta2, eps, weightDecay, true, maximize);
    }

    /** Climbing. */
    public Options withMaximize() {
      return new Options(lr, beta1, beta2, eps, weightDecay, amsgrad, true);
    }

    Map<String, Double> scalars(boolean decoupled) {
      Map<String, Double> s = new LinkedHashMap<>();
      s.put("lr", lr);
      s.put("beta1", beta1);
      s.put("beta2", beta2);
      s.put("eps", eps);
      s.put("weight_decay", weightDecay);
      s.put("decoupled", decoupled ? 1.0 : 0.0);
      s.put("maximize", maximize ? 1.0 : 0.0);
      s.put("amsgrad", amsgrad ? 1.0 : 0.0);
      return s;
    }
  }

  /** With this learning rate and else the defaults. */
  public Adam(List<Tensor> parameters, double lr) {
    this(parameters, Options.DEFAULT.withLr(lr));
  }

  /** All parameters in one group. */
  public Adam(List<Tensor> parameters, Options options) {
    this(List.of(new Group<>(parameters, options)));
  }

  /**
   * Groups of parameters.
   *
   * @throws IllegalArgumentException listing every number that is out of range
   */
  public Adam(List<Group<Options>> groups) {
    super("Adam", groups, Adam::check, o -> o.scalars(false), FusedUpdate::adam);
  }

  static void check(Hyperparameters h, String prefix, Options o) {
    h.amount(prefix + "lr", o.lr)
        .belowOne(prefix + "beta1", o.beta1)
        .belowOne(prefix + "beta2", o.beta2)
        .amount(prefix + "eps", o.eps)
        .amount(prefix + "weightDecay", o.weightDecay);
  }
}

package dev.downhill.optim;

import dev.downhill.tensor.FusedUpdate;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adam with Nesterov's momentum (Dozat 2016), as {@code torch.optim.NAdam}.
 *
 * <p>g = g + weightDecay p, or if decoupled p = p - lr weightDecay p; mu(n) = beta1 (1 - 0.96^(n
 * momentumDecay) / 2); M = M mu(t), starting at 1; m and v as for {@link Adam}; d = sqrt(v / (1 -
 * beta2^t)) + eps; p = p - lr (1 - mu(t)) / (1 - M) g / d - lr mu(t + 1) / (1 - M mu(t + 1)) m / d.
 */
public final class NAdam extends Optimizer {
  /**
   * The numbers of the method.
   *
   * @param lr the learning rate, 0 or more
   * @param beta1 how much of the mean gradient stays, from 0 to below 1
   * @param beta2 how much of the mean square stays, from 0 to below 1
   * @param eps added to the root of the mean square, 0 or more
   * @param weightDecay 0 or more: how much of the parameter joins the gradient, or if decoupled how
   *     much of it goes, times the rate
   * @param momentumDecay how fast the momentum grows from beta1 / 2 to beta1, 0 or more
   * @param decoupled whether weights decay as for {@link AdamW}
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double beta1,
      double beta2,
      double eps,
      double weightDecay,
      double momentumDecay,
      boolean decoupled,
      boolean maximize) {
    /** Rate 2e-3, betas 0.9 and 0.999, eps 1e-8, no weight decay, momentum decay 4e-3. */
    public static final Options DEFAULT =
        new Options(2e-3, 0.9, 0.999, 1e-8, 0, 4e-3, false, false);

    /** With this learning rate. */
    public Options withLr(double rate) {
      return new Options(rate, beta1, beta2, eps, weightDecay, momentumDecay, decoupled, maximize);
    }

    /** With these betas. */
    public Options withBetas(double b1, double b2) {
      return new Options(lr, b1, b2, eps, weightDecay, momentumDecay, decoupled, maximize);
    }

    /** With this eps. */
    public Options withEps(double e) {
      return new Options(lr, beta1, beta2, e, weightDecay, momentumDecay, decoupled, maximize);
    }

    /** With this weight decay. */
    public Options withWeightDecay(double decay) {
      return new Options(lr, beta1, beta2, eps, decay, momentumDecay, decoupled, maximize);
    }

    /** With this momentum decay. */
    public Options withMomentumDecay(double decay) {
      return new Options(lr, beta1, beta2, eps, weightDecay, decay, decoupled, maximize);
    }

    /** With decoupled weight decay. */
    public Options withDecoupled() {
      return new Options(lr, beta1, beta2, eps, weightDecay, momentumDecay, true, maximize);
    }

    /** Climbing. */
    public Options withMaximize() {
      return new Options(lr, beta1, beta2, eps, weightDecay, momentumDecay, decoupled, true);
    }

    private Map<String, Double> scalars() {
      Map<String, Double> s = new LinkedHashMap<>();
      s.put("lr", lr);
      s.put("beta1", beta1);
      s.put("beta2", beta2);
      s.put("eps", eps);
      s.put("weight_decay", weightDecay);
      s.put("decoupled", decoupled ? 1.0 : 0.0);
      s.put("maximize", maximize ? 1.0 : 0.0);
      s.put("momentum_factor", Math.pow(0.96, momentumDecay));
      return s;
    }
  }

  /** With this learning rate and else the defaults. */
  public NAdam(List<Tensor> parameters, double lr) {
    this(parameters, Options.DEFAULT.withLr(lr));
  }

  /** All parameters in one group. */
  public NAdam(List<Tensor> parameters, Options options) {
    this(List.of(new Group<>(parameters, options)));
  }

  /**
   * Groups of parameters.
   *
   * @throws IllegalArgumentException listing every number that is out of range
   */
  public NAdam(List<Group<Options>> groups) {
    super("NAdam", groups, NAdam::check, Options::scalars, FusedUpdate::nadam);
  }

  private static void check(Hyperparameters h, String prefix, Options o) {
    h.amount(prefix + "lr", o.lr)
        .belowOne(prefix + "beta1", o.beta1)
        .belowOne(prefix + "beta2", o.beta2)
        .amount(prefix + "eps", o.eps)
        .amount(prefix + "weightDecay", o.weightDecay)
        .amount(prefix + "momentumDecay", o.momentumDecay);
  }
}

package dev.downhill.optim;

import dev.downhill.tensor.FusedUpdate;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Adagrad (Duchi et al. 2011), as {@code torch.optim.Adagrad}.
 *
 * <p>g = g + weightDecay p; s = s + g^2, where s starts at {@code initialAccumulator}; p = p - lr /
 * (1 + (t - 1) lrDecay) g / (sqrt(s) + eps).
 */
public final class Adagrad extends Optimizer {
  /**
   * The numbers of the method.
   *
   * @param lr the learning rate, 0 or more
   * @param lrDecay how fast the rate falls with the parameter's own steps, 0 or more
   * @param weightDecay how much of the parameter joins the gradient, 0 or more
   * @param initialAccumulator what the sum of squares starts with, 0 or more
   * @param eps added to the root, 0 or more
   * @param maximize whether to climb
   */
  public record Options(
      double lr,
      double lrDecay,
      double weightDecay,
      double initialAccumulator,
      double eps,
      boolean maximize) {
    /** Rate 1e-2, eps 1e-10, no decay of anything, a sum that starts at 0. */
    public static final Options DEFAULT = new Options(1e-2, 0, 0, 0, 1e-10, false);

    /** With this learning rate. */
    public Options withLr(double rate) {
      return new Options(rate, lrDecay, weightDecay, initialAccumulator, eps, maximize);
    }

    /** With this decay of the rate. */
    public Options withLrDecay(double decay) {
      return new Options(lr, decay, weightDecay, initialAccumulator, eps, maximize);
    }

    /** With this weight decay. */
    public Options withWeightDecay(double decay) {
      return new Options(lr, lrDecay, decay, initialAccumulator, eps, maximize);
    }

    /** With this start of the sum of squares. */
    public Options withInitialAccumulator(double start) {
      return new Options(lr, lrDecay, weightDecay, start, eps, maximize);
    }

    /** With this eps. */
    public Options withEps(double e) {
      return new Options(lr, lrDecay, weightDecay, initialAccumulator, e, maximize);
    }

    /** Climbing. */
    public Options withMaximize() {
      return new Options(lr, lrDecay, weightDecay, initialAccumulator, eps, true);
    }

    private Map<String, Double> scalars() {
      Map<String, Double> s = new LinkedHashMap<>();
      s.put("lr", lr);
      s.put("lr_decay", lrDecay);
      s.put("eps", eps);
      s.put("weight_decay", weightDecay);
      s.put("maximize", maximize ? 1.0 : 0.0);
      return s;
    }
  }

  /** With this learning rate and else the defaults. */
  public Adagrad(List<Tensor> parameters, double lr) {
    this(parameters, Options.DEFAULT.withLr(lr));
  }

  /** All parameters in one group. */
  public Adagrad(List<Tensor> parameters, Options options) {
    this(List.of(new Group<>(parameters, options)));
  }

  /**
   * Groups of parameters.
   *
   * @throws IllegalArgumentException listing every number that is out of range
   */
  public Adagrad(List<Group<Options>> groups) {
    super("Adagrad", groups, Adagrad::check, Options::scalars, FusedUpdate::adagrad);
    int i = 0;
    for (Group<Options> group : groups) {
      for (Tensor _ : group.parameters()) {
        Tensor sum = Objects.requireNonNull(state().get(i++ + ".sum"));
        sum.fill(group.options().initialAccumulator());
      }
    }
  }

  private static void check(Hyperparameters h, String prefix, Options o) {
    h.amount(prefix + "lr", o.lr)
        .amount(prefix + "lrDecay", o.lrDecay)
        .amount(prefix + "weightDecay", o.weightDecay)
        .amount(prefix + "initialAccumulator", o.initialAccumulator)
        .amount(prefix + "eps", o.eps);
  }
}

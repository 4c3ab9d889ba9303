package dev.downhill.optim;

import java.util.List;

/**
 * A learning rate as a function of the number of steps taken, computed in double precision with the
 * formulas of {@code torch.optim.lr_scheduler}. Formulas write k for the number of steps and lr for
 * the base rate, the one the optimiser was made with. A {@link Scheduler} writes it to an
 * optimiser.
 *
 * <pre>{@code
 * Schedule.cosine(9_000, 0).withWarmup(1_000, 0.01)
 * }</pre>
 */
@FunctionalInterface
public interface Schedule {
  /**
   * The rate of the step that comes next.
   *
   * @param steps how many steps were taken
   * @param base the rate that the optimiser was made with
   */
  double rate(long steps, double base);

  /** lr. */
  static Schedule constant() {
    return (k, lr) -> lr;
  }

  /** lr gamma^floor(k / size), as {@code StepLR}. */
  static Schedule step(long size, double gamma) {
    new Hyperparameters("StepLR").positive("step_size", size).amount("gamma", gamma).report();
    return (k, lr) -> lr * StrictMath.pow(gamma, Math.floor((double) k / size));
  }

  /**
   * lr gamma^(number of milestones that are at most k), as {@code MultiStepLR}; milestones in any
   * order, a repeated one counts twice.
   */
  static Schedule multiStep(double gamma, long... milestones) {
    Hyperparameters h = new Hyperparameters("MultiStepLR").amount("gamma", gamma);
    long[] at = milestones.clone();
    for (long milestone : at) {
      h.check(milestone >= 0, "milestones", "0 or more", milestone);
    }
    h.report();
    return (k, lr) -> {
      int passed = 0;
      for (long milestone : at) {
        passed += milestone <= k ? 1 : 0;
      }
      return lr * StrictMath.pow(gamma, passed);
    };
  }

  /** lr gamma^k, as {@code ExponentialLR}. */
  static Schedule exponential(double gamma) {
    new Hyperparameters("ExponentialLR").amount("gamma", gamma).report();
    return (k, lr) -> lr * StrictMath.pow(gamma, (double) k);
  }

  /**
   * lowest + (lr - lowest) (1 + cos(pi k / steps)) / 2, as {@code CosineAnnealingLR}; rises again
   * after {@code steps} (Loshchilov and Hutter 2017).
   */
  static Schedule cosine(long steps, double lowest) {
    new Hyperparameters("CosineAnnealingLR")
        .positive("T_max", steps)
        .amount("eta_min", lowest)
        .report();
    return (k, lr) -> cosine(lr, lowest, (double) k / steps);
  }

  /**
   * {@link #cosine} again and again, as {@code CosineAnnealingWarmRestarts}.
   *
   * @param first the length of the first cycle
   * @param growth how many times as long each further cycle is
   */
  static Schedule cosineWarmRestarts(long first, long growth, double lowest) {
    new Hyperparameters("CosineAnnealingWarmRestarts")
        .positive("T_0", first)
        .positive("T_mult", growth)
        .amount("eta_min", lowest)
        .report();
    return (k, lr) -> {
      long start = 0;
      long length = first;
      if (growth == 1) {
        start = k - k % first;
      } else {
        while (k - start >= length) {
          start += length;
          length = length > Long.MAX_VALUE / growth ? Long.MAX_VALUE : length * growth;
        }
      }
      return cosine(lr, lowest, (double) (k - start) / length);
    };
  }

  /**
   * lr (start + (end - start) min(k, steps) / steps), as {@code LinearLR}.
   *
   * @param start the factor at first
   * @param end the factor from {@code steps} on
   */
  static Schedule linear(double start, double end, long steps) {
    new Hyperparameters("LinearLR")
        .amount("start_factor", start)
        .amount("end_factor", end)
        .positive("total_iters", steps)
        .report();
    return (k, lr) -> lr * (start + (end - start) * Math.min(k, steps) / steps);
  }

  /** lr (1 - min(k, steps) / steps)^power, as {@code PolynomialLR}. */
  static Schedule polynomial(long steps, double power) {
    new Hyperparameters("PolynomialLR")
        .positive("total_iters", steps)
        .amount("power", power)
        .report();
    return (k, lr) -> lr * StrictMath.pow(1 - (double) Math.min(k, steps) / steps, power);
  }

  /**
   * One schedule after the other, as {@code SequentialLR}: schedule j from k = milestones[j - 1],
   * with its own k counted from there and the same base rate.
   *
   * @param milestones one less than schedules, increasing
   */
  static Schedule sequential(List<Schedule> schedules, long... milestones) {
    new Hyperparameters("SequentialLR")
        .check(
            milestones.length == schedules.size() - 1,
            "milestones",
            "one less than schedules",
            "%s for %s schedules".formatted(milestones.length, schedules.size()))
        .report();
    Schedule all = schedules.get(schedules.size() - 1);
    for (int j = milestones.length - 1; j >= 0; j--) {
      long before = j == 0 ? 0 : milestones[j - 1];
      all = schedules.get(j).then(milestones[j] - before, all);
    }
    return all;
  }

  /** This schedule for so many steps, then {@code next} from its beginning. */
  default Schedule then(long steps, Schedule next) {
    new Hyperparameters("SequentialLR")
        .check(steps >= 0, "milestones", "increasing ones", steps + " steps between two")
        .report();
    return (k, lr) -> k < steps ? rate(k, lr) : next.rate(k - steps, lr);
  }

  /** Rises in a straight line from {@code start} times lr to lr in so many steps, then this. */
  default Schedule withWarmup(long steps, double start) {
    return linear(start, 1, steps).then(steps, this);
  }

  private static double cosine(double high, double low, double share) {
    return low + (high - low) * (1 + StrictMath.cos(Math.PI * share)) / 2;
  }
}

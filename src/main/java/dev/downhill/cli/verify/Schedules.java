package dev.downhill.cli.verify;

import dev.downhill.optim.OneCycle;
import dev.downhill.optim.ReduceOnPlateau;
import dev.downhill.optim.Schedule;
import java.util.List;

/** The schedules that the runtime has, by PyTorch's names. */
final class Schedules {
  private Schedules() {}

  /**
   * A schedule.
   *
   * @param a its attributes, the base rate not among them
   * @throws Unsupported if the runtime lacks it, or one of its attributes
   */
  static Schedule of(String name, Attributes a) {
    Schedule schedule =
        switch (name) {
          case "StepLR" -> Schedule.step(a.integer("step_size"), a.number("gamma"));
          case "MultiStepLR" -> Schedule.multiStep(a.number("gamma"), a.integers("milestones"));
          case "ExponentialLR" -> Schedule.exponential(a.number("gamma"));
          case "CosineAnnealingLR" -> Schedule.cosine(a.integer("T_max"), a.number("eta_min"));
          case "CosineAnnealingWarmRestarts" ->
              Schedule.cosineWarmRestarts(
                  a.integer("T_0"), a.integer("T_mult"), a.number("eta_min"));
          case "LinearLR" ->
              Schedule.linear(
                  a.number("start_factor"), a.number("end_factor"), a.integer("total_iters"));
          case "PolynomialLR" -> Schedule.polynomial(a.integer("total_iters"), a.number("power"));
          case "OneCycleLR" -> oneCycle(a);
          case "SequentialLR" -> {
            List<Schedule> parts =
                a.objects("schedulers").stream().map(part -> of(part.text("type"), part)).toList();
            yield Schedule.sequential(parts, a.integers("milestones"));
          }
          default -> throw new Unsupported("no schedule " + name + " yet");
        };
    a.checkAllRead();
    return schedule;
  }

  private static Schedule oneCycle(Attributes a) {
    boolean linear =
        switch (a.text("anneal_strategy")) {
          case "linear" -> true;
          case "cos" -> false;
          default -> throw a.unsupported("anneal_strategy");
        };
    return new OneCycle(
        a.number("max_lr"),
        a.integer("total_steps"),
        a.number("pct_start"),
        linear,
        a.number("div_factor"),
        a.number("final_div_factor"),
        a.flag("three_phase"));
  }

  /** The options of {@code ReduceLROnPlateau}. */
  static ReduceOnPlateau.Options plateau(Attributes a) {
    ReduceOnPlateau.Mode mode =
        switch (a.text("mode")) {
          case "min" -> ReduceOnPlateau.Mode.MIN;
          case "max" -> ReduceOnPlateau.Mode.MAX;
          default -> throw a.unsupported("mode");
        };
    ReduceOnPlateau.Threshold threshold =
        switch (a.text("threshold_mode")) {
          case "rel" -> ReduceOnPlateau.Threshold.RELATIVE;
          case "abs" -> ReduceOnPlateau.Threshold.ABSOLUTE;
          default -> throw a.unsupported("threshold_mode");
        };
    ReduceOnPlateau.Options options =
        new ReduceOnPlateau.Options(
            mode,
            a.number("factor"),
            a.integer("patience"),
            a.number("threshold"),
            threshold,
            a.integer("cooldown"),
            a.number("min_lr"),
            a.number("eps"));
    a.checkAllRead();
    return options;
  }
}

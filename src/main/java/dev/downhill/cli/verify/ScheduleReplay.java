package dev.downhill.cli.verify;

import dev.downhill.backend.Device;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.ReduceOnPlateau;
import dev.downhill.optim.Scheduler;
import dev.downhill.optim.Sgd;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntConsumer;

/** Schedules: the rates that an optimiser gets at first and after each step. */
final class ScheduleReplay implements Replay {
  @Override
  public void run(Case c, Device device, Checks checks) {
    Attributes a = c.attributes();
    double base = a.has("lr") ? a.number("lr") : a.number("max_lr");
    Values expected = c.values("out.lr");
    double[] rates = new double[Math.toIntExact(expected.shape().numel())];
    Tensor parameter = Tensor.zeros(device, c.dtype(), 1).requireGrad();
    try (Optimizer optimizer = new Sgd(List.of(parameter), base)) {
      IntConsumer step = stepper(c, optimizer);
      for (int k = 0; k < rates.length; k++) {
        if (k > 0) {
          step.accept(k);
        }
        rates[k] = optimizer.rate();
      }
    }
    Values actual = new Values(DType.F64, expected.shape(), MemorySegment.ofArray(rates));
    checks.equal("out.lr", expected, actual);
  }

  private static IntConsumer stepper(Case c, Optimizer optimizer) {
    if (c.op().equals("ReduceLROnPlateau")) {
      Values metrics = c.values("in.metrics");
      ReduceOnPlateau plateau = new ReduceOnPlateau(optimizer, Schedules.plateau(c.attributes()));
      return k -> plateau.step(metrics.number(k - 1));
    }
    Scheduler scheduler = new Scheduler(optimizer, Schedules.of(c.op(), c.attributes()));
    return _ -> scheduler.step();
  }
}

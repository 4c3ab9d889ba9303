package dev.downhill.cli.verify;

import dev.downhill.backend.Device;
import dev.downhill.nn.Layer;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.Scheduler;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Models: a few training steps from a given state, the losses and the state after them. */
final class ModelReplay implements Replay {
  private final Operators operators = new Operators();

  @Override
  public void run(Case c, Device device, Checks checks) {
    Attributes a = c.attributes();
    Attributes schedule = a.isNull("schedule") ? null : a.object("schedule");
    Attributes optimizer = a.object("optimizer");
    double clip = a.number("clip_grad_norm", Double.POSITIVE_INFINITY);
    int steps = Math.toIntExact(a.integer("steps"));
    Attributes loss = a.object("loss");
    try (Layer model = new Chain(a.objects("layers"))) {
      a.checkAllRead();
      model.on(device, 0, c.dtype());
      model.load(tensors(c, "state.", model, device));
      try (Optimizer o =
          Optimizers.of(optimizer.text("name"), optimizer.object("args"), model.parameters())) {
        double[] losses = train(c, device, model, o, scheduler(o, schedule), loss, clip, steps);
        Values actual = new Values(DType.F64, Shape.of(steps), MemorySegment.ofArray(losses));
        checks.equal("out.losses", c.values("out.losses"), actual);
      }
      model.eval();
      try (Autograd.Mode _ = Autograd.noGrad()) {
        checks.equal("out.eval", model.forward(c.tensor("batch.0.x", device)));
      }
      for (String name : tensors(c, "final.", model, device).keySet()) {
        checks.equal("final." + name, model.state().get(name));
      }
    }
  }

  private static @Nullable Scheduler scheduler(Optimizer optimizer, @Nullable Attributes a) {
    return a == null
        ? null
        : new Scheduler(optimizer, Schedules.of(a.text("name"), a.object("args")));
  }

  /** The state of a case; a model that does not count its batches does not get their number. */
  private static Map<String, Tensor> tensors(Case c, String prefix, Layer model, Device device) {
    Map<String, Tensor> state = new LinkedHashMap<>();
    for (String name : c.names(prefix)) {
      if (model.state().containsKey(name) || !name.endsWith("num_batches_tracked")) {
        state.put(name, c.tensor(prefix + name, device));
      }
    }
    return state;
  }

  private double[] train(
      Case c,
      Device device,
      Layer model,
      Optimizer optimizer,
      @Nullable Scheduler scheduler,
      Attributes loss,
      double clip,
      int steps) {
    int batches = 0;
    while (c.has("batch." + batches + ".x")) {
      batches++;
    }
    double[] losses = new double[steps];
    for (int s = 0; s < steps; s++) {
      try (Scope _ = Scope.open()) {
        String batch = "batch." + s % batches;
        optimizer.zeroGrad();
        Tensor output = model.forward(c.tensor(batch + ".x", device));
        Tensor l = loss(loss, output, c.tensor(batch + ".y", device));
        losses[s] = l.item();
        l.backward();
        if (Double.isFinite(clip)) {
          optimizer.clipGradNorm(clip);
        }
        optimizer.step();
      }
      if (scheduler != null) {
        scheduler.step();
      }
    }
    return losses;
  }

  private Tensor loss(Attributes loss, Tensor output, Tensor target) {
    Operator operator = operators.get(loss.text("name"));
    Map<String, Tensor> inputs = Map.of("input", output, "target", target);
    return Objects.requireNonNull(
        OpReplay.call(operator, inputs, loss.object("args")).get("output"));
  }
}

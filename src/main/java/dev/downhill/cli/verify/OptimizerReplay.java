package dev.downhill.cli.verify;

import dev.downhill.backend.Device;
import dev.downhill.optim.Optimizer;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Tensor;
import java.util.List;

/** Optimisers: steps over a few parameters with given gradients, compared after each. */
final class OptimizerReplay implements Replay {
  private static final String PARAMETER = "param.";

  @Override
  public void run(Case c, Device device, Checks checks) {
    List<String> names =
        c.inputs().stream()
            .filter(name -> name.startsWith(PARAMETER))
            .map(name -> name.substring(PARAMETER.length()))
            .toList();
    List<Tensor> parameters =
        names.stream().map(p -> c.tensor("in." + PARAMETER + p, device).requireGrad()).toList();
    try (Optimizer optimizer = Optimizers.of(c.op(), c.attributes(), parameters)) {
      for (int k = 0; c.outputs().contains(PARAMETER + k + "." + names.get(0)); k++) {
        optimizer.zeroGrad();
        for (int i = 0; i < names.size(); i++) {
          String gradient = "in.grad." + k + "." + names.get(i);
          if (c.has(gradient)) {
            // The gradient of a leaf with respect to itself is what the backward pass starts from.
            parameters
                .get(i)
                .backward(Autograd.Backward.DEFAULT.withGradient(c.tensor(gradient, device)));
          }
        }
        optimizer.step();
        for (int i = 0; i < names.size(); i++) {
          checks.equal("out." + PARAMETER + k + "." + names.get(i), parameters.get(i));
        }
      }
    }
  }
}

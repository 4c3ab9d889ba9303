package dev.downhill.jobs.pathologies;

import static java.util.Objects.requireNonNull;

import dev.downhill.data.Dataset;
import dev.downhill.optim.Sgd;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Accuracy;
import dev.downhill.train.Evaluation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.stream.Stream;

/**
 * How a training went: the loss and every layer's gradient, step by step.
 *
 * @param outputs the root mean square of every layer's output before the first step
 * @param steps what was seen at each step; the last may have a loss that is not finite
 * @param accuracy on the held-out points at the end
 */
record Course(List<Double> outputs, List<Seen> steps, double accuracy) {
  /**
   * A step.
   *
   * @param loss before it
   * @param gradients the norm of the gradient of every layer's weights, before any clipping
   */
  record Seen(double loss, List<Double> gradients) {
    double first() {
      return gradients.getFirst();
    }

    double last() {
      return gradients.getLast();
    }

    /** What one of the layers of equal shape leaves of a gradient, on average. */
    double perLayer() {
      int n = gradients.size();
      return Math.pow(gradients.get(1) / gradients.get(n - 2), 1.0 / (n - 3));
    }
  }

  /**
   * Trains on all points at every step, until the loss is no number any more. The {@link
   * dev.downhill.train.Trainer} would end such a run with an error; here it is what we want to see.
   *
   * @param heard is told the loss of every step
   */
  static Course of(
      Therapy t, Dataset train, Dataset heldOut, int most, long seed, DoubleConsumer heard) {
    try (DeepNet net = new DeepNet(t.design())) {
      net.on(train.x().device(), seed);
      List<Double> outputs = sizes(net, train.x());
      List<Seen> steps = new ArrayList<>();
      try (Sgd sgd = new Sgd(net.parameters(), t.rate());
          Step step = Step.of((x, y) -> step(net, sgd, t.clip(), x, y))) {
        do {
          double[] seen = step.run(train.x(), train.y()).toDoubles();
          steps.add(new Seen(seen[0], Arrays.stream(seen).skip(1).boxed().toList()));
          heard.accept(seen[0]);
        } while (steps.size() < most && Double.isFinite(steps.getLast().loss));
      }
      double accuracy = Evaluation.mean(net, heldOut, Accuracy::ofLogits);
      return new Course(outputs, steps, accuracy);
    }
  }

  /** One step of gradient descent; returns the loss and the norms of the gradients. */
  private static Tensor step(DeepNet net, Sgd sgd, double clip, Tensor x, Tensor y) {
    Tensor loss = Loss.bceWithLogits(net.forward(x), y);
    sgd.zeroGrad();
    loss.backward();
    Stream<Tensor> norms = net.weights().stream().map(w -> requireNonNull(w.grad()).norm());
    Tensor seen = Tensor.stack(Stream.concat(Stream.of(loss.detach()), norms).toList(), 0);
    if (Double.isFinite(clip)) {
      sgd.clipGradNorm(clip);
    }
    sgd.step();
    return seen;
  }

  private static List<Double> sizes(DeepNet net, Tensor x) {
    try (Scope _ = Scope.open();
        Autograd.Mode _ = Autograd.noGrad()) {
      return net.outputs(x).stream().map(y -> y.square().mean().sqrt().item()).toList();
    }
  }

  Seen start() {
    return steps.getFirst();
  }

  Seen end() {
    return steps.getLast();
  }

  /** What became of the network, in words. */
  String verdict() {
    if (!Double.isFinite(end().loss)) {
      String what = Double.isNaN(end().loss) ? "NaN" : "infinite";
      return "the loss is %s at step %s".formatted(what, steps.size());
    }
    if (accuracy >= 0.97) {
      return "learns it";
    }
    if (end().loss < 0.65) {
      return "learns some of it";
    }
    return end().last() == 0 ? "dead: no gradient is left" : "learns nothing";
  }
}

package dev.downhill.jobs.houses;

import dev.downhill.backend.Device;
import dev.downhill.data.Batch;
import dev.downhill.data.Dataset;
import dev.downhill.explain.BlameTable;
import dev.downhill.explain.NudgeTable;
import dev.downhill.explain.RateTrial;
import dev.downhill.jobs.JobOption;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Optimizer;
import dev.downhill.tensor.Autograd;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import dev.downhill.train.Evaluation;
import java.io.PrintStream;
import java.util.Locale;

/**
 * The first step of a {@link HousePrices} run under the magnifying glass. It looks at a twin of the
 * network: the same weights, the same first batch and so the same numbers as the run, which is not
 * disturbed.
 */
record FirstSteps(PriceTask task, Recipe recipe, Device device, Dataset train) {
  private static final int TRIAL_STEPS = 300;
  private static final int TRIAL_EXAMPLES = 400_000;

  void explain(PrintStream report) {
    try (Sequential twin = recipe.model(device);
        Optimizer optimizer = recipe.optimizer(twin.parameters(), recipe.lr());
        Scope _ = Scope.open()) {
      double guess = predict(task, twin);
      double truth = task.exampleTruth();
      report.printf(
          Locale.ROOT,
          "%n1. Predict. Untrained, the network says %s for %s. The truth is %s: it is off by"
              + " %s.%n",
          task.amount(guess),
          task.exampleName(),
          task.amount(truth),
          task.amount(Math.abs(guess - truth)));

      Batch first = train.batches(recipe.batch(), recipe.seed()).iterator().next();
      Tensor loss = Loss.mse(twin.forward(first.x()), first.y());
      report.printf(
          Locale.ROOT,
          "%n2. Measure. The loss of the first batch (%d rows) is %.4f: the mean squared error of"
              + " the normalised target.%n",
          first.size(),
          loss.item());

      loss.backward();
      Tensor weight = twin.parameters().get(0);
      BlameTable blame = BlameTable.of(weight, task.encoder().featureNames());
      report.printf(
          Locale.ROOT,
          "%n3. Blame. For each input, the first-layer weight that the error complains about"
              + " most:%n%s",
          blame);

      optimizer.step();
      report.printf(
          Locale.ROOT,
          "%n4. Nudge. One step of %s at rate %s moves these weights against their signals:%n%s",
          recipe.optimizer(),
          recipe.lr(),
          NudgeTable.of(blame, weight));
      try (Autograd.Mode _ = Autograd.noGrad()) {
        report.printf(
            Locale.ROOT,
            "  The same batch again, after the step: loss %.4f.%n",
            Loss.mse(twin.forward(first.x()), first.y()).item());
      }
    }
    int steps = Math.clamp(TRIAL_EXAMPLES / recipe.batch(), 10, TRIAL_STEPS);
    report.printf(
        Locale.ROOT,
        "%n5. Choose a rate. %d steps from the same start at three learning rates:%n%s",
        steps,
        rates(steps));
  }

  private RateTrial rates(int steps) {
    double high = Math.min(500 * recipe.lr(), JobOption.HIGHEST_RATE);
    double[] rates = {recipe.lr() / 200, recipe.lr(), high};
    double[] first = new double[rates.length];
    double[] last = new double[rates.length];
    for (int i = 0; i < rates.length; i++) {
      try (Sequential twin = recipe.model(device);
          Optimizer optimizer = recipe.optimizer(twin.parameters(), rates[i])) {
        first[i] = Evaluation.mean(twin, train, Loss::mse);
        for (int epoch = 0, step = 0; step < steps; epoch++) {
          for (Batch b : train.batches(recipe.batch(), recipe.seed(), epoch)) {
            if (step++ == steps) {
              break;
            }
            try (Scope _ = Scope.open()) {
              Tensor loss = Loss.mse(twin.forward(b.x()), b.y());
              optimizer.zeroGrad();
              loss.backward();
              optimizer.step();
            }
          }
        }
        last[i] = Evaluation.mean(twin, train, Loss::mse);
      }
    }
    return RateTrial.of(rates, first, last);
  }

  /** What a network says about the task's example, in the target's unit. */
  static double predict(PriceTask task, Sequential model) {
    try (Autograd.Mode _ = Autograd.noGrad();
        Scope _ = Scope.open()) {
      float[] example = task.example();
      Tensor x = Tensor.of(model.parameters().get(0).device(), example, 1, example.length);
      return task.encoder().targetScale().denormalize(model.forward(x).item());
    }
  }
}

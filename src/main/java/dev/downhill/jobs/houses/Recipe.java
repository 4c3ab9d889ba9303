package dev.downhill.jobs.houses;

import dev.downhill.backend.Device;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adagrad;
import dev.downhill.optim.Adam;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.NAdam;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.RmsProp;
import dev.downhill.optim.Schedule;
import dev.downhill.optim.Scheduler;
import dev.downhill.optim.Sgd;
import dev.downhill.tensor.Tensor;
import java.util.List;

/**
 * All that decides about the numbers of a {@link HousePrices} run besides the data.
 *
 * @param inputs the width of the network's input
 * @param epochs how often all examples are seen
 * @param batch examples a batch
 * @param stepsPerEpoch optimiser steps an epoch
 * @param lr the learning rate at the start
 * @param optimizer its name
 * @param schedule its name
 * @param seed of initial weights and order
 */
record Recipe(
    int inputs,
    int epochs,
    int batch,
    long stepsPerEpoch,
    double lr,
    String optimizer,
    String schedule,
    long seed) {
  // 100,000 houses come within 2 % of their noise in a third of it; small tables need many epochs.
  private static final long STEPS = 6_300;

  static Recipe of(JobOptions o, PriceTask task) {
    int examples = task.split().train().length;
    int batch = Math.min(examples, o.count(JobOption.BATCH_SIZE, 256));
    long perEpoch = Math.ceilDiv(examples, batch);
    String optimizer = o.text(JobOption.OPTIMIZER, "adam");
    return new Recipe(
        task.encoder().width(),
        o.count(JobOption.EPOCHS, (int) Math.max(10, STEPS / perEpoch)),
        batch,
        perEpoch,
        o.rate(optimizer.equals("sgd") ? 0.05 : 2e-3),
        optimizer,
        o.text(JobOption.SCHEDULE, "cosine"),
        o.seed());
  }

  /** How long the training is, in words; {@code limit} is the most steps. */
  String length(int limit) {
    String whole =
        (epochs == 1 ? "1 epoch of " : epochs + " epochs of ") + stepsPerEpoch + " steps";
    return limit < stepsPerEpoch * epochs ? limit + " steps of " + whole : whole;
  }

  /** A fresh network; every one of a recipe starts from the same weights. */
  Sequential model(Device device) {
    return new Sequential(
            new Linear(inputs, 64), new Relu(), new Linear(64, 64), new Relu(), new Linear(64, 1))
        .on(device, seed);
  }

  Optimizer optimizer(List<Tensor> parameters, double rate) {
    return switch (optimizer) {
      case "sgd" -> new Sgd(parameters, Sgd.Options.DEFAULT.withLr(rate).withMomentum(0.9));
      case "adam" -> new Adam(parameters, rate);
      case "adamw" -> new AdamW(parameters, rate);
      case "nadam" -> new NAdam(parameters, rate);
      case "rmsprop" -> new RmsProp(parameters, rate);
      case "adagrad" -> new Adagrad(parameters, rate);
      default -> throw new AssertionError(optimizer);
    };
  }

  Scheduler scheduler(Optimizer of) {
    long all = stepsPerEpoch * epochs;
    return new Scheduler(
        of,
        switch (schedule) {
          case "constant" -> Schedule.constant();
          case "cosine" -> Schedule.cosine(all, 0);
          case "step" -> Schedule.step(Math.max(1, all / 3), 0.1);
          case "exponential" -> Schedule.exponential(Math.pow(0.01, 1.0 / all));
          case "linear" -> Schedule.linear(1, 0.01, all);
          default -> throw new AssertionError(schedule);
        });
  }
}

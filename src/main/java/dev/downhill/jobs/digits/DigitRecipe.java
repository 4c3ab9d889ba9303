package dev.downhill.jobs.digits;

import dev.downhill.backend.Device;
import dev.downhill.data.DigitImages;
import dev.downhill.jobs.JobOption;
import dev.downhill.jobs.JobOptions;
import dev.downhill.nn.BatchNorm2d;
import dev.downhill.nn.Conv;
import dev.downhill.nn.Conv2d;
import dev.downhill.nn.Dropout;
import dev.downhill.nn.Flatten;
import dev.downhill.nn.Linear;
import dev.downhill.nn.MaxPool2d;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;

/**
 * All that decides about the numbers of a {@link Digits} run besides the data.
 *
 * @param network which one
 * @param epochs how often all examples are seen
 * @param batch examples a batch
 * @param lr the learning rate at the start; it falls along half a cosine to 0
 * @param seed of initial weights, order and dropout
 */
record DigitRecipe(Network network, int epochs, int batch, double lr, long seed) {

  /** The networks there are. */
  enum Network {
    /** Looks for the same small shapes everywhere. */
    CNN("three by three filters: 32, halved, 64, halved, then 128 -> 10"),
    /** Knows nothing of neighbours: every pixel is an input of its own. */
    MLP("784 -> 512 -> 256 -> 10");

    final String text;

    Network(String text) {
      this.text = text;
    }
  }

  static DigitRecipe of(JobOptions o) {
    boolean cnn = o.oneOf(JobOption.MODEL, "mlp", "cnn").equals("cnn");
    return new DigitRecipe(
        cnn ? Network.CNN : Network.MLP,
        o.count(JobOption.EPOCHS, cnn ? 6 : 20),
        o.count(JobOption.BATCH_SIZE, 128),
        o.rate(cnn ? 2e-3 : 1e-3),
        o.seed());
  }

  /** The network for pictures (batch, 1, 28, 28); its output is a score for each class. */
  Sequential model(Device device) {
    return switch (network) {
      case CNN -> cnn().on(device, seed);
      case MLP -> mlp().on(device, seed);
    };
  }

  private static Sequential cnn() {
    Conv.Options padded = Conv.Options.DEFAULT.withPadding(1);
    return new Sequential(
        new Conv2d(1, 32, 3, padded),
        new BatchNorm2d(32),
        new Relu(),
        new MaxPool2d(2),
        new Conv2d(32, 64, 3, padded),
        new BatchNorm2d(64),
        new Relu(),
        new MaxPool2d(2),
        new Flatten(),
        new Linear(64 * 7 * 7, 128),
        new Relu(),
        new Dropout(0.3),
        new Linear(128, DigitImages.CLASSES));
  }

  private static Sequential mlp() {
    return new Sequential(
        new Flatten(),
        new Linear(DigitImages.SIDE * DigitImages.SIDE, 512),
        new Relu(),
        new Dropout(0.3),
        new Linear(512, 256),
        new Relu(),
        new Dropout(0.3),
        new Linear(256, DigitImages.CLASSES));
  }

  /** Which weight of a first-layer unit looks at the middle of what the unit sees. */
  int middle() {
    return switch (network) {
      case CNN -> 4;
      case MLP -> DigitImages.SIDE / 2 * DigitImages.SIDE + DigitImages.SIDE / 2;
    };
  }
}

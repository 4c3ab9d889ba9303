package dev.downhill.cli.bench;

import dev.downhill.backend.Device;
import dev.downhill.nn.Conv;
import dev.downhill.nn.Conv2d;
import dev.downhill.nn.Embedding;
import dev.downhill.nn.Flatten;
import dev.downhill.nn.Init;
import dev.downhill.nn.Layer;
import dev.downhill.nn.Linear;
import dev.downhill.nn.MaxPool2d;
import dev.downhill.nn.Module;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.Sgd;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The workloads: models as anybody would write them, on made-up data. */
final class Workloads {
  private static final long SEED = 1;
  private static final long GIB = 1L << 30;

  private static final Gpt.Sizes CHARS = new Gpt.Sizes(65, 128, 128, 4, 4, false, DType.F32);
  private static final Gpt.Sizes GPT2 = new Gpt.Sizes(50_304, 1024, 768, 12, 12, true, DType.BF16);

  private static final long[] HOUSE = {4, 64, 64, 1};
  private static final long[] DIGITS = {784, 512, 256, 10};
  private static final long[] LARGE = {784, 1024, 1024, 1024, 10};

  private static final int USERS = 10_000;
  private static final int FACTORS = 64;

  private Workloads() {}

  static List<Workload> all() {
    return List.of(
        new Workload(
            "W1",
            "house",
            "house",
            256,
            Cost.mlp(Cost.Update.ADAM, 256, HOUSE),
            0,
            "f32",
            Workloads::house),
        new Workload(
            "W2",
            "digits-mlp",
            "image",
            128,
            Cost.mlp(Cost.Update.ADAM, 128, DIGITS),
            0,
            "f32",
            Workloads::digits),
        new Workload("W3", "digits-cnn", "image", 64, imagesCost(), 0, "f32", Workloads::images),
        new Workload(
            "W4", "char-gpt", "token", 16 * 128, CHARS.cost(16), 0, "f32", d -> gpt(d, CHARS, 16)),
        new Workload(
            "W5",
            "recommender",
            "rating",
            4096,
            new Cost(6.0 * 4096 * FACTORS, 2L * USERS * FACTORS, Cost.Update.ADAM),
            0,
            "f32",
            Workloads::ratings),
        new Workload(
            "W6",
            "gpt2-124m",
            "token",
            64 * 1024,
            GPT2.cost(64),
            80 * GIB,
            "f32",
            d -> gpt(d, GPT2, 64)),
        new Workload(
            "W6-4",
            "gpt2-124m",
            "token",
            4 * 1024,
            GPT2.cost(4),
            16 * GIB,
            "f32",
            d -> gpt(d, GPT2, 4)),
        new Workload(
            "W7",
            "mlp-large",
            "image",
            128,
            Cost.mlp(Cost.Update.ADAM, 128, LARGE),
            GIB,
            "tf32",
            Workloads::large));
  }

  private static Sequential mlp(long... sizes) {
    List<Layer> layers = new ArrayList<>();
    for (int i = 1; i < sizes.length; i++) {
      if (i > 1) {
        layers.add(new Relu());
      }
      layers.add(new Linear(sizes[i - 1], sizes[i]));
    }
    return new Sequential(layers.toArray(Layer[]::new));
  }

  private static Training house(Device device) {
    Sequential model = mlp(HOUSE).on(device, SEED);
    return new Training(
        model,
        new Adam(model.parameters(), 1e-3),
        in -> Loss.mse(model.forward(in.get(0)), in.get(1)),
        i -> Examples.numbers(device, i, 256, 4));
  }

  private static Training digits(Device device) {
    Sequential model = mlp(DIGITS).on(device, SEED);
    return new Training(
        model,
        new Adam(model.parameters(), 1e-3),
        in -> Loss.crossEntropy(model.forward(in.get(0)), in.get(1)),
        i -> Examples.images(device, i, 128, 784));
  }

  private static Training large(Device device) {
    Sequential model = mlp(LARGE).on(device, SEED);
    return new Training(
        model,
        new AdamW(model.parameters(), 1e-3),
        in -> Loss.crossEntropy(model.forward(in.get(0)), in.get(1)),
        i -> Examples.images(device, i, 128, 784));
  }

  private static Training images(Device device) {
    Conv.Options padded = Conv.Options.DEFAULT.withPadding(1);
    Sequential model =
        new Sequential(
                new Conv2d(1, 32, 3, padded),
                new Relu(),
                new MaxPool2d(2),
                new Conv2d(32, 64, 3, padded),
                new Relu(),
                new MaxPool2d(2),
                new Flatten(),
                new Linear(3136, 128),
                new Relu(),
                new Linear(128, 10))
            .on(device, SEED);
    return new Training(
        model,
        new Sgd(model.parameters(), Sgd.Options.DEFAULT.withLr(0.01).withMomentum(0.9)),
        in -> Loss.crossEntropy(model.forward(in.get(0)), in.get(1)),
        i -> Examples.images(device, i, 64, 1, 28, 28));
  }

  private static Cost imagesCost() {
    return Cost.of(
        Cost.Update.MOMENTUM,
        new Cost.Map(64 * 28 * 28, 9, 32),
        new Cost.Map(64 * 14 * 14, 9 * 32, 64),
        new Cost.Map(64, 3136, 128),
        new Cost.Map(64, 128, 10));
  }

  private static Training gpt(Device device, Gpt.Sizes sizes, long sequences) {
    Gpt model = new Gpt(sizes).on(device, SEED);
    return new Training(
        model,
        new AdamW(model.parameters(), 3e-4),
        in -> model.loss(in.get(0), in.get(1)),
        i -> Examples.text(device, i, sequences, sizes.context(), sizes.vocabulary()));
  }

  private static Training ratings(Device device) {
    Tables model = new Tables();
    model.on(device, SEED);
    return new Training(
        model,
        new Adam(model.parameters(), 1e-3),
        in -> Loss.mse(model.forward(in.get(0), in.get(1)), in.get(2)),
        i -> Examples.ratings(device, i, 4096, USERS));
  }

  /** A table of users and a table of things: a rating is the dot product of two rows. */
  private static final class Tables extends Module {
    private final Embedding.Options small =
        Embedding.Options.DEFAULT.withWeightInit(Init.normal(0, 0.1));
    private final Embedding user = part("user", new Embedding(USERS, FACTORS, small));
    private final Embedding item = part("item", new Embedding(USERS, FACTORS, small));

    Tensor forward(Tensor users, Tensor items) {
      return user.forward(users).mul(item.forward(items)).sum(1);
    }
  }
}

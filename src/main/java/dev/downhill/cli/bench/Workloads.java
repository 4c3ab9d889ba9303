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

  private static final String BATCH = "batch";
  private static final String INPUTS = "inputs";
  private static final String OUTPUTS = "outputs";
  private static final String CLASSES = "classes";
  private static final String HIDDEN = "hidden";
  private static final String SIDE = "side";
  private static final String CHANNELS = "channels";
  private static final String CONTEXT = "context";
  private static final String VOCABULARY = "vocabulary";
  private static final String HEADS = "heads";
  private static final String DEPTH = "depth of a head";
  private static final String ROWS = "rows of a table";
  private static final String FACTORS = "factors";

  private static final Sizes GPT2 =
      Sizes.of(BATCH, 64)
          .with(CONTEXT, 1024)
          .with(VOCABULARY, 50_304)
          .with(HEADS, 12)
          .with(DEPTH, 64);

  private Workloads() {}

  static List<Workload> all() {
    return List.of(
        new Workload(
            "W1",
            "house",
            "house",
            Sizes.of(BATCH, 256)
                .with(INPUTS, 4)
                .with(HIDDEN + 1, 64)
                .with(HIDDEN + 2, 64)
                .with(OUTPUTS, 1),
            new Workload.Kind(Workloads::batch, Workloads::chainCost, Workloads::house),
            0,
            "f32"),
        new Workload(
            "W2",
            "digits-mlp",
            "image",
            Sizes.of(BATCH, 128)
                .with(INPUTS, 784)
                .with(HIDDEN + 1, 512)
                .with(HIDDEN + 2, 256)
                .with(CLASSES, 10),
            new Workload.Kind(Workloads::batch, Workloads::chainCost, Workloads::digits),
            0,
            "f32"),
        new Workload(
            "W3",
            "digits-cnn",
            "image",
            Sizes.of(BATCH, 64)
                .with(SIDE, 28)
                .with(CHANNELS, 1)
                .with(CHANNELS + 1, 32)
                .with(CHANNELS + 2, 64)
                .with(HIDDEN, 128)
                .with(CLASSES, 10),
            new Workload.Kind(Workloads::batch, Workloads::imagesCost, Workloads::images),
            0,
            "f32"),
        new Workload(
            "W4",
            "char-gpt",
            "token",
            Sizes.of(BATCH, 16)
                .with(CONTEXT, 128)
                .with(VOCABULARY, 65)
                .with(HEADS, 4)
                .with(DEPTH, 32),
            gpt(4, false, DType.F32),
            0,
            "f32"),
        new Workload(
            "W5",
            "recommender",
            "rating",
            Sizes.of(BATCH, 4096).with(ROWS, 10_000).with(FACTORS, 64),
            new Workload.Kind(Workloads::batch, Workloads::ratingsCost, Workloads::ratings),
            0,
            "f32"),
        new Workload("W6", "gpt2-124m", "token", GPT2, gpt(12, true, DType.BF16), 80 * GIB, "f32"),
        new Workload(
            "W6-4",
            "gpt2-124m",
            "token",
            GPT2.with(BATCH, 4),
            gpt(12, true, DType.BF16),
            16 * GIB,
            "f32"),
        new Workload(
            "W7",
            "mlp-large",
            "image",
            Sizes.of(BATCH, 128)
                .with(INPUTS, 784)
                .with(HIDDEN + 1, 1024)
                .with(HIDDEN + 2, 1024)
                .with(HIDDEN + 3, 1024)
                .with(CLASSES, 10),
            new Workload.Kind(Workloads::batch, Workloads::chainCost, Workloads::large),
            GIB,
            "tf32"));
  }

  private static long batch(Sizes s) {
    return s.get(BATCH);
  }

  /** The widths of a chain of linear maps: all that follow the batch. */
  private static long[] widths(Sizes s) {
    return s.byName().values().stream().skip(1).mapToLong(Long::longValue).toArray();
  }

  private static Sequential chain(Sizes s) {
    long[] widths = widths(s);
    List<Layer> layers = new ArrayList<>();
    for (int i = 1; i < widths.length; i++) {
      if (i > 1) {
        layers.add(new Relu());
      }
      layers.add(new Linear(widths[i - 1], widths[i]));
    }
    return new Sequential(layers.toArray(Layer[]::new));
  }

  private static Cost chainCost(Sizes s) {
    return Cost.mlp(Cost.Update.ADAM, s.get(BATCH), widths(s));
  }

  private static Training house(Device device, Sizes s) {
    Sequential model = chain(s).on(device, SEED);
    return new Training(
        model,
        new Adam(model.parameters(), 1e-3),
        in -> Loss.mse(model.forward(in.get(0)), in.get(1)),
        i -> Examples.numbers(device, i, s.get(BATCH), s.get(INPUTS), s.get(OUTPUTS)));
  }

  private static Training digits(Device device, Sizes s) {
    Sequential model = chain(s).on(device, SEED);
    return new Training(
        model,
        new Adam(model.parameters(), 1e-3),
        in -> Loss.crossEntropy(model.forward(in.get(0)), in.get(1)),
        i -> Examples.images(device, i, s.get(CLASSES), s.get(BATCH), s.get(INPUTS)));
  }

  private static Training large(Device device, Sizes s) {
    Sequential model = chain(s).on(device, SEED);
    return new Training(
        model,
        new AdamW(model.parameters(), 1e-3),
        in -> Loss.crossEntropy(model.forward(in.get(0)), in.get(1)),
        i -> Examples.images(device, i, s.get(CLASSES), s.get(BATCH), s.get(INPUTS)));
  }

  private static Training images(Device device, Sizes s) {
    long first = s.get(CHANNELS + 1);
    long second = s.get(CHANNELS + 2);
    long side = s.get(SIDE);
    Conv.Options padded = Conv.Options.DEFAULT.withPadding(1);
    Sequential model =
        new Sequential(
                new Conv2d(s.get(CHANNELS), first, 3, padded),
                new Relu(),
                new MaxPool2d(2),
                new Conv2d(first, second, 3, padded),
                new Relu(),
                new MaxPool2d(2),
                new Flatten(),
                new Linear(second * (side / 4) * (side / 4), s.get(HIDDEN)),
                new Relu(),
                new Linear(s.get(HIDDEN), s.get(CLASSES)))
            .on(device, SEED);
    return new Training(
        model,
        new Sgd(model.parameters(), Sgd.Options.DEFAULT.withLr(0.01).withMomentum(0.9)),
        in -> Loss.crossEntropy(model.forward(in.get(0)), in.get(1)),
        i -> Examples.images(device, i, s.get(CLASSES), s.get(BATCH), s.get(CHANNELS), side, side));
  }

  private static Cost imagesCost(Sizes s) {
    long batch = s.get(BATCH);
    long side = s.get(SIDE);
    long first = s.get(CHANNELS + 1);
    long second = s.get(CHANNELS + 2);
    return Cost.of(
        Cost.Update.MOMENTUM,
        new Cost.Map(batch * side * side, 9 * s.get(CHANNELS), first),
        new Cost.Map(batch * (side / 2) * (side / 2), 9 * first, second),
        new Cost.Map(batch, second * (side / 4) * (side / 4), s.get(HIDDEN)),
        new Cost.Map(batch, s.get(HIDDEN), s.get(CLASSES)));
  }

  private static Workload.Kind gpt(int layers, boolean tied, DType compute) {
    return new Workload.Kind(
        s -> s.get(BATCH) * s.get(CONTEXT),
        s -> gpt(s, layers, tied, compute).cost(s.get(BATCH)),
        (device, s) -> gpt(device, gpt(s, layers, tied, compute), s.get(BATCH)));
  }

  private static Gpt.Sizes gpt(Sizes s, int layers, boolean tied, DType compute) {
    return new Gpt.Sizes(
        s.get(VOCABULARY),
        s.get(CONTEXT),
        s.get(HEADS) * s.get(DEPTH),
        layers,
        s.get(HEADS),
        tied,
        compute);
  }

  private static Training gpt(Device device, Gpt.Sizes sizes, long sequences) {
    Gpt model = new Gpt(sizes).on(device, SEED);
    return new Training(
        model,
        new AdamW(model.parameters(), 3e-4),
        in -> model.loss(in.get(0), in.get(1)),
        i -> Examples.text(device, i, sequences, sizes.context(), sizes.vocabulary()));
  }

  private static Training ratings(Device device, Sizes s) {
    Tables model = new Tables(s.get(ROWS), s.get(FACTORS));
    model.on(device, SEED);
    return new Training(
        model,
        new Adam(model.parameters(), 1e-3),
        in -> Loss.mse(model.forward(in.get(0), in.get(1)), in.get(2)),
        i ->
            Examples.ratings(
                device, i, Math.toIntExact(s.get(BATCH)), Math.toIntExact(s.get(ROWS))));
  }

  private static Cost ratingsCost(Sizes s) {
    return new Cost(
        6.0 * s.get(BATCH) * s.get(FACTORS), 2 * s.get(ROWS) * s.get(FACTORS), Cost.Update.ADAM);
  }

  /** A table of users and a table of things: a rating is the dot product of two rows. */
  private static final class Tables extends Module {
    private final Embedding user;
    private final Embedding item;

    Tables(long rows, long factors) {
      Embedding.Options small = Embedding.Options.DEFAULT.withWeightInit(Init.normal(0, 0.1));
      user = part("user", new Embedding(rows, factors, small));
      item = part("item", new Embedding(rows, factors, small));
    }

    Tensor forward(Tensor users, Tensor items) {
      return user.forward(users).mul(item.forward(items)).sum(1);
    }
  }
}

package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.backend.Device;
import dev.downhill.optim.Adam;
import dev.downhill.optim.AdamW;
import dev.downhill.optim.Optimizer;
import dev.downhill.optim.Sgd;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * One model of each kind learns on CUDA as it does on the CPU: the losses of ten steps. That they
 * are PyTorch's too is what the recorded trainings say; see {@code ConformanceTest}.
 */
@Tag("cuda")
class CudaCurvesTest {
  private static final Device CPU = Device.of("cpu:48");
  private static final int STEPS = 10;

  /**
   * A training.
   *
   * @param x the inputs, in float64 or of a dtype of their own
   * @param y the targets, likewise
   */
  private record Training(
      String name,
      Supplier<Layer> model,
      Tensor x,
      Tensor y,
      BinaryOperator<Tensor> loss,
      Function<List<Tensor>, Optimizer> optimizer) {
    double[] losses(Device device, DType dtype) {
      double[] losses = new double[STEPS];
      try (Layer model = model().get().on(device, 3, dtype);
          Optimizer o = optimizer.apply(model.parameters())) {
        for (int k = 0; k < STEPS; k++) {
          try (Scope _ = Scope.open()) {
            o.zeroGrad();
            Tensor l = loss.apply(model.forward(on(x, device, dtype)), on(y, device, dtype));
            l.backward();
            o.step();
            losses[k] = l.item();
          }
        }
      }
      return losses;
    }

    private static Tensor on(Tensor t, Device device, DType dtype) {
      return (t.dtype().isFloating() ? t.to(dtype) : t).to(device);
    }
  }

  private static Tensor waves(long... sizes) {
    double[] values = new double[Math.toIntExact(Arrays.stream(sizes).reduce(1, (a, b) -> a * b))];
    Arrays.setAll(values, i -> Math.sin(1 + 0.7 * i * i));
    return Tensor.of(CPU, values, sizes);
  }

  private static Tensor classes(int classes, long... sizes) {
    long[] values = new long[Math.toIntExact(Arrays.stream(sizes).reduce(1, (a, b) -> a * b))];
    Arrays.setAll(values, i -> (i * i + i / 3) % classes);
    return Tensor.of(CPU, values, sizes);
  }

  private static Sequential convolution(long in, long out) {
    Conv.Options same = Conv.Options.DEFAULT.withPadding(1).withoutBias();
    return new Sequential(new Conv2d(in, out, 3, same), new BatchNorm2d(out));
  }

  private static Layer residualNetwork() {
    Conv.Options half = Conv.Options.DEFAULT.withStride(2).withoutBias();
    Residual same = new Residual(new Sequential(convolution(6, 6), new Relu(), convolution(6, 6)));
    Residual down =
        new Residual(
            new Sequential(
                new Conv2d(6, 8, 3, half.withPadding(1)),
                new BatchNorm2d(8),
                new Relu(),
                convolution(8, 8)),
            new Sequential(new Conv2d(6, 8, 1, half), new BatchNorm2d(8)));
    return new Sequential(
        convolution(3, 6),
        new Relu(),
        same,
        new Relu(),
        down,
        new Relu(),
        new AdaptiveAvgPool2d(1),
        new Flatten(),
        new Linear(8, 4));
  }

  private static Layer transformer() {
    return new Sequential(
        new Embedding(11, 8),
        new PositionalEmbedding(6, 8),
        new TransformerBlock(8, 2, TransformerBlock.Options.DEFAULT.withCausal(true)),
        new LayerNorm(8),
        new Linear(8, 11),
        new Flatten(0, 1));
  }

  private static Layer sequenceClassifier() {
    Lstm lstm = new Lstm(4, 8, RecurrentLayer.Options.DEFAULT.withBatchFirst());
    return new Sequential(lstm, new LastStep(), new Linear(8, 3));
  }

  /** Rows of a user and an item, a number for how the one likes the other. */
  private static final class Recommender extends Layer {
    private final Embedding user = part("user", new Embedding(9, 5));
    private final Embedding item = part("item", new Embedding(7, 5));

    @Override
    public Tensor forward(Tensor x) {
      return user.forward(x.select(1, 0)).mul(item.forward(x.select(1, 1))).sum(1);
    }
  }

  private static List<Training> trainings() {
    return List.of(
        new Training(
            "a residual network",
            CudaCurvesTest::residualNetwork,
            waves(6, 3, 8, 8),
            classes(4, 6),
            Loss::crossEntropy,
            p -> new Sgd(p, Sgd.Options.DEFAULT.withLr(0.05).withMomentum(0.9))),
        new Training(
            "a transformer",
            CudaCurvesTest::transformer,
            classes(11, 4, 6),
            classes(11, 24),
            Loss::crossEntropy,
            p -> new AdamW(p, 3e-3)),
        new Training(
            "an LSTM classifier",
            CudaCurvesTest::sequenceClassifier,
            waves(7, 5, 4),
            classes(3, 7),
            Loss::crossEntropy,
            p -> new Adam(p, 1e-2)),
        new Training(
            "a recommender",
            Recommender::new,
            classes(7, 20, 2),
            waves(20),
            Loss::mse,
            p -> new Sgd(p, 0.2)));
  }

  @TestFactory
  Stream<DynamicTest> tenSteps_haveTheLossesOfTheCpu() {
    return trainings().stream()
        .flatMap(
            t ->
                Stream.of(
                    dynamicTest(t.name() + " float64", () -> compare(t, DType.F64, 1e-9)),
                    dynamicTest(t.name() + " float32", () -> compare(t, DType.F32, 1e-3))));
  }

  private static void compare(Training t, DType dtype, double tolerance) {
    double[] expected = t.losses(CPU, dtype);
    assertThat(t.losses(Device.of("cuda"), dtype)).containsExactly(expected, within(tolerance));
    assertThat(expected[STEPS - 1]).isLessThan(expected[0]);
  }
}

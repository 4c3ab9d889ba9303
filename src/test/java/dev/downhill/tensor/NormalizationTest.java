package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Normalization.BatchNorm;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class NormalizationTest {
  private static final Device DEVICE = Device.cpu();
  private static final BatchNorm TRAINING = BatchNorm.DEFAULT.withTraining(true);
  private static final double R = Math.sqrt(1.5);

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor zeros(long... sizes) {
    return Tensor.zeros(DEVICE, DType.F64, sizes);
  }

  private static Tensor ones(long... sizes) {
    return Tensor.ones(DEVICE, DType.F64, sizes);
  }

  // Batch

  @Test
  void trainingNormalisesByTheBatchAndMovesTheRunningStatistics() {
    Tensor x = doubles(1, 10, 3, 30).reshape(2, 2);
    Tensor mean = zeros(2);
    Tensor variance = ones(2);
    Tensor y =
        Normalization.batchNorm(
            x,
            mean,
            variance,
            doubles(2, 3),
            doubles(5, 7),
            TRAINING.withMomentum(0.25).withEps(0));
    assertThat(y.toDoubles()).containsExactly(3, 4, 7, 10);
    assertThat(mean.toDoubles()).containsExactly(0.5, 5);
    // The unbiased variances are 2 and 200.
    assertThat(variance.toDoubles()).containsExactly(1.25, 50.75);
  }

  @Test
  void evaluationNormalisesByTheRunningStatisticsAndLeavesThem() {
    Tensor x = doubles(1, 10, 3, 30).reshape(2, 2).requireGrad();
    Tensor mean = doubles(1, 20);
    Tensor variance = doubles(4, 100);
    Tensor y = Normalization.batchNorm(x, mean, variance, null, null, BatchNorm.DEFAULT.withEps(0));
    assertThat(y.toDoubles()).containsExactly(new double[] {0, -1, 1, 1}, within(1e-15));
    y.sum().backward();
    assertThat(Objects.requireNonNull(x.grad()).toDoubles())
        .containsExactly(new double[] {0.5, 0.1, 0.5, 0.1}, within(1e-15));
    assertThat(mean.toDoubles()).containsExactly(1, 20);
    assertThat(variance.toDoubles()).containsExactly(4, 100);
  }

  @Test
  void aBatchIsAllPositionsOfAChannel() {
    Tensor x = Tensor.arange(DEVICE, DType.F64, 12).reshape(2, 3, 2);
    double[] y = Normalization.batchNorm(x, null, null, null, null, TRAINING).toDoubles();
    // Channel 0 holds 0, 1, 6, 7: mean 3.5, variance 9.25.
    double r = 1 / Math.sqrt(9.25 + 1e-5);
    assertThat(y[0]).isCloseTo(-3.5 * r, within(1e-14));
    assertThat(y[7]).isCloseTo(3.5 * r, within(1e-14));
    assertThat(y[4]).isEqualTo(y[0]);
  }

  @Test
  void anEmptyBatchLeavesTheRunningStatisticsAlone() {
    Tensor mean = doubles(3, 4);
    Tensor variance = doubles(5, 6);
    Tensor weight = ones(2).requireGrad();
    Tensor y = Normalization.batchNorm(zeros(0, 2), mean, variance, weight, null, TRAINING);
    assertThat(y.shape()).isEqualTo(Shape.of(0, 2));
    y.sum().backward();
    assertThat(Objects.requireNonNull(weight.grad()).toDoubles()).containsExactly(0, 0);
    assertThat(mean.toDoubles()).containsExactly(3, 4);
    assertThat(variance.toDoubles()).containsExactly(5, 6);
  }

  @Test
  void oneRunningStatisticMayBeMissingInTraining() {
    Tensor variance = ones(1);
    Normalization.batchNorm(doubles(1, 3).reshape(2, 1), null, variance, null, null, TRAINING);
    assertThat(variance.item()).isCloseTo(1.1, within(1e-15));
  }

  @Test
  void aStepMovesTheRunningStatisticsInEveryRun() {
    Tensor mean = zeros(1);
    Tensor variance = ones(1);
    try (Step step =
        Step.of(x -> Normalization.batchNorm(x, mean, variance, null, null, TRAINING))) {
      double expected = 0;
      for (int k = 0; k < 5; k++) {
        step.run(doubles(k, k + 2).reshape(2, 1));
        expected = 0.9 * expected + 0.1 * (k + 1);
        assertThat(mean.item()).isCloseTo(expected, within(1e-15));
      }
    }
  }

  // Precision

  @Test
  void aLargeMeanCostsNoDigits() {
    float[] values = {9999, 10_000, 10_001};
    Tensor x = Tensor.of(DEVICE, values, 3);
    float[] y = Normalization.layerNorm(x, Shape.of(3), null, null, 0).toFloats();
    assertThat(y[0]).isCloseTo((float) -R, within(1e-6f));
    assertThat(y[2]).isCloseTo((float) R, within(1e-6f));
  }

  @Test
  void narrowNumbersAreComputedWide() {
    Tensor x = Tensor.of(DEVICE, new float[] {256, 257, 260, 300, -2, 0.5f, 1, 7}, 4, 2);
    Tensor narrow = x.to(DType.BF16);
    Tensor wide = narrow.to(DType.F32);
    Shape two = Shape.of(2);
    assertThat(Normalization.layerNorm(narrow, two, null, null, 1e-5).toDoubles())
        .isEqualTo(Normalization.layerNorm(wide, two, null, null, 1e-5).to(DType.BF16).toDoubles());
    assertThat(Normalization.rmsNorm(narrow, two, null, 1e-5).toDoubles())
        .isEqualTo(Normalization.rmsNorm(wide, two, null, 1e-5).to(DType.BF16).toDoubles());
    Tensor mean = Tensor.zeros(DEVICE, DType.BF16, 2);
    Tensor y = Normalization.batchNorm(narrow, mean, null, null, null, TRAINING);
    assertThat(y.dtype()).isEqualTo(DType.BF16);
    assertThat(y.toDoubles())
        .isEqualTo(
            Normalization.batchNorm(wide, null, null, null, null, TRAINING)
                .to(DType.BF16)
                .toDoubles());
    assertThat(mean.toDoubles()[0]).isCloseTo(12.875, within(0.1));
  }

  // Layer, group, root mean square

  @Test
  void layerNormOverTheLastDimensions() {
    Tensor x = doubles(1, 2, 3, 7, 7, 7).reshape(2, 3);
    Tensor weight = doubles(1, 2, 4);
    double[] y = Normalization.layerNorm(x, Shape.of(3), weight, doubles(0, 0, 1), 0.5).toDoubles();
    double r = 1 / Math.sqrt(2 / 3. + 0.5);
    assertThat(y).containsExactly(new double[] {-r, 0, 4 * r + 1, 0, 0, 1}, within(1e-15));
    double[] both = Normalization.layerNorm(x, Shape.of(2, 3), null, null, 0).toDoubles();
    assertThat(both[0] + both[1] + both[2]).isCloseTo(-3 * both[5], within(1e-14));
  }

  @Test
  void theGradientOfALayerNormAddsUpToNothing() {
    double[] dx =
        Slope.of(
            x -> Normalization.layerNorm(x, Shape.of(4), doubles(1, -2, 3, 0.5), null, 1e-5),
            0.3,
            2,
            -1,
            0.7);
    assertThat(dx[0] + dx[1] + dx[2] + dx[3]).isCloseTo(0, within(1e-14));
    assertThat(Math.abs(dx[0])).isGreaterThan(0.01);
  }

  @Test
  void groupNormOverChannelsOfASample() {
    Tensor x = doubles(1, 2, 3, 7, 0, 4, 8, 8).reshape(1, 4, 2);
    double[] y =
        Normalization.groupNorm(x, 2, doubles(1, 1, 1, 2), doubles(0, 0, 0, 9), 0).toDoubles();
    // The groups are 1, 2, 3, 7 (mean 3.25) and 0, 4, 8, 8 (mean 5).
    double first = 1 / Math.sqrt(5.1875);
    double second = 1 / Math.sqrt(11.);
    assertThat(y[0]).isCloseTo(-2.25 * first, within(1e-14));
    assertThat(y[3]).isCloseTo(3.75 * first, within(1e-14));
    assertThat(y[4]).isCloseTo(-5 * second, within(1e-14));
    assertThat(y[6]).isCloseTo(6 * second + 9, within(1e-14));
  }

  @Test
  void rmsNormDividesByTheRootMeanSquare() {
    Tensor x = doubles(3, 4).reshape(1, 2);
    double r = 1 / Math.sqrt(12.5);
    assertThat(Normalization.rmsNorm(x, Shape.of(2), doubles(1, 2), 0).toDoubles())
        .containsExactly(new double[] {3 * r, 8 * r}, within(1e-15));
    assertThat(Normalization.rmsNorm(zeros(1, 2), Shape.of(2), null, 1e-5).toDoubles())
        .containsExactly(0, 0);
  }

  // Refusals

  private static Refusals batch() {
    Tensor x = ones(4, 3);
    Tensor c = ones(3);
    return new Refusals()
        .add("batchNorm", "expected x (N, C)", () -> batch(c, null, null, TRAINING))
        .add("batchNorm", "expected x (N, C)", () -> batch(ones(), null, null, TRAINING))
        .add("batchNorm", "shape (3), got (4)", () -> batch(x, ones(4), null, TRAINING))
        .add("batchNorm", "shape (3), got (1)", () -> batch(x, null, ones(1), TRAINING))
        .add(
            "batchNorm",
            "expected running statistics",
            () -> batch(x, null, null, BatchNorm.DEFAULT))
        .add(
            "batchNorm",
            "expected running statistics",
            () -> Normalization.batchNorm(x, c, null, null, null, BatchNorm.DEFAULT))
        .add("batchNorm", "more than one value", () -> batch(ones(1, 3), null, null, TRAINING))
        .add("batchNorm", "got NaN", () -> batch(x, null, null, TRAINING.withMomentum(Double.NaN)))
        .add(
            "batchNorm",
            "eps of 0 or more, got -1.0",
            () -> batch(x, null, null, TRAINING.withEps(-1)))
        .add("batchNorm", "dtypes differ", () -> batch(x, c.to(DType.F32), null, TRAINING))
        .add("batchNorm", "floating-point", () -> batch(x.to(DType.I64), null, null, TRAINING));
  }

  private static Tensor batch(
      Tensor x, @Nullable Tensor weight, @Nullable Tensor bias, BatchNorm options) {
    return Normalization.batchNorm(x, null, null, weight, bias, options);
  }

  private static Refusals layer() {
    Tensor x = ones(2, 3);
    Shape three = Shape.of(3);
    return new Refusals()
        .add("layerNorm", "last dimensions are (2)", () -> layer(x, Shape.of(2), null, null, 0))
        .add("layerNorm", "last dimensions are ()", () -> layer(x, Shape.SCALAR, null, null, 0))
        .add("layerNorm", "are (1, 2, 3)", () -> layer(x, Shape.of(1, 2, 3), null, null, 0))
        .add("layerNorm", "are (3)", () -> layer(ones(), three, null, null, 0))
        .add("layerNorm", "shape (3), got (2, 3)", () -> layer(x, three, x, null, 0))
        .add("layerNorm", "shape (3), got ()", () -> layer(x, three, null, ones(), 0))
        .add("layerNorm", "eps", () -> layer(x, three, null, null, Double.NaN))
        .add("layerNorm", "eps", () -> layer(x, three, null, null, Double.POSITIVE_INFINITY))
        .add("layerNorm", "dtypes differ", () -> layer(x, three, null, ones(3).to(DType.BF16), 0))
        .add("layerNorm", "floating-point", () -> layer(x.gt(0), three, null, null, 0));
  }

  private static Tensor layer(
      Tensor x, Shape shape, @Nullable Tensor weight, @Nullable Tensor bias, double eps) {
    return Normalization.layerNorm(x, shape, weight, bias, eps);
  }

  private static Refusals group() {
    Tensor x = ones(2, 4);
    return new Refusals()
        .add("groupNorm", "got 3 groups", () -> Normalization.groupNorm(x, 3, null, null, 0))
        .add("groupNorm", "got 0 groups", () -> Normalization.groupNorm(x, 0, null, null, 0))
        .add("groupNorm", "got -1 groups", () -> Normalization.groupNorm(x, -1, null, null, 0))
        .add("groupNorm", "x (N, C)", () -> Normalization.groupNorm(ones(4), 2, null, null, 0))
        .add(
            "groupNorm",
            "shape (4), got (2)",
            () -> Normalization.groupNorm(x, 2, ones(2), null, 0))
        .add("groupNorm", "shape (4), got (2, 4)", () -> Normalization.groupNorm(x, 2, null, x, 0))
        .add("groupNorm", "eps", () -> Normalization.groupNorm(x, 2, null, null, -1e-9))
        .add(
            "groupNorm",
            "dtypes differ",
            () -> Normalization.groupNorm(x, 2, ones(4).to(DType.F32), null, 0))
        .add(
            "groupNorm",
            "floating-point",
            () -> Normalization.groupNorm(x.to(DType.I32), 2, null, null, 0));
  }

  private static Refusals rootMeanSquare() {
    Tensor x = ones(2, 3);
    Shape three = Shape.of(3);
    return new Refusals()
        .add("rmsNorm", "are (2)", () -> Normalization.rmsNorm(x, Shape.of(2), null, 0))
        .add("rmsNorm", "are ()", () -> Normalization.rmsNorm(x, Shape.SCALAR, null, 0))
        .add("rmsNorm", "are (4, 2, 3)", () -> Normalization.rmsNorm(x, Shape.of(4, 2, 3), null, 0))
        .add("rmsNorm", "are (3)", () -> Normalization.rmsNorm(ones(), three, null, 0))
        .add("rmsNorm", "shape (3), got (2)", () -> Normalization.rmsNorm(x, three, ones(2), 0))
        .add("rmsNorm", "eps", () -> Normalization.rmsNorm(x, three, null, -1))
        .add("rmsNorm", "eps", () -> Normalization.rmsNorm(x, three, null, Double.NaN))
        .add(
            "rmsNorm",
            "dtypes differ",
            () -> Normalization.rmsNorm(x, three, ones(3).to(DType.F32), 0))
        .add(
            "rmsNorm",
            "floating-point",
            () -> Normalization.rmsNorm(x.to(DType.U8), three, null, 0));
  }

  @TestFactory
  Stream<DynamicTest> illFormedCallsAreRefused() {
    return Stream.of(batch(), layer(), group(), rootMeanSquare()).flatMap(Refusals::stream);
  }

  @Test
  void aRefusedCallChangesNothing() {
    Tensor mean = doubles(3);
    Refusals.refused(
        "batchNorm",
        () -> Normalization.batchNorm(ones(2, 1), mean, null, ones(2), null, TRAINING));
    assertThat(mean.item()).isEqualTo(3);
  }
}

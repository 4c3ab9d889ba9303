package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Loss.BceWithLogits;
import dev.downhill.tensor.Loss.CrossEntropy;
import dev.downhill.tensor.Loss.Nll;
import dev.downhill.tensor.Loss.Over;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

final class LossTest {
  private static final Device DEVICE = Device.cpu();
  private static final double INF = Double.POSITIVE_INFINITY;

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor longs(long... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static double[] gradient(Tensor leaf) {
    return Objects.requireNonNull(leaf.grad()).toDoubles();
  }

  @Test
  void overMeanSumOrAll() {
    Tensor x = doubles(1, 2, 4);
    Tensor t = doubles(1, 0, 1);
    assertThat(Loss.mse(x, t).item()).isEqualTo(13 / 3.0);
    assertThat(Loss.mse(x, t, Over.SUM).item()).isEqualTo(13);
    assertThat(Loss.mse(x, t, Over.NONE).toDoubles()).containsExactly(0, 4, 9);
    assertThat(Loss.l1(x, t).item()).isEqualTo(5 / 3.0);
  }

  @Test
  void ofNothing() {
    Tensor none = Tensor.zeros(DEVICE, DType.F64, 0);
    assertThat(Loss.mse(none, none).item()).isNaN();
    assertThat(Loss.huber(none, none, 1, Over.SUM).item()).isEqualTo(0);
    Tensor logits = Tensor.zeros(DEVICE, DType.F64, 0, 3);
    assertThat(Loss.crossEntropy(logits, longs()).item()).isNaN();
  }

  @Test
  void targetsGetGradientsToo() {
    Tensor x = doubles(3).requireGrad();
    Tensor t = doubles(1).requireGrad();
    Loss.mse(x, t).backward();
    assertThat(gradient(x)).containsExactly(4);
    assertThat(gradient(t)).containsExactly(-4);
  }

  @Test
  void slopesOfDifferencesAtTheirKinks() {
    Tensor zero = doubles(0, 0, 0, 0);
    double[] d = {0, 0.5, -0.5, 2};
    assertThat(Slope.of(x -> Loss.l1(x, zero, Over.SUM), d)).containsExactly(0, 1, -1, 1);
    assertThat(Slope.of(x -> Loss.huber(x, zero, 0.5, Over.SUM), d))
        .containsExactly(0, 0.5, -0.5, 0.5);
    assertThat(Slope.of(x -> Loss.smoothL1(x, zero, 0.5, Over.SUM), d))
        .containsExactly(0, 1, -1, 1);
    assertThat(Slope.of(x -> Loss.smoothL1(x, zero, 0, Over.SUM), d)).containsExactly(0, 1, -1, 1);
  }

  @Test
  void squaresTurnIntoLines() {
    Tensor x = doubles(0.25, 1, -3, INF);
    Tensor zero = doubles(0, 0, 0, 0);
    assertThat(Loss.huber(x, zero, 0.5, Over.NONE).toDoubles())
        .containsExactly(0.03125, 0.375, 1.375, INF);
    assertThat(Loss.smoothL1(x, zero, 0.5, Over.NONE).toDoubles())
        .containsExactly(0.0625, 0.75, 2.75, INF);
    // The square of the difference would overflow, the line does not.
    assertThat(Loss.huber(doubles(1e200), doubles(0)).item()).isEqualTo(1e200);
  }

  @Test
  void binaryCrossEntropyAtLargeLogits() {
    Tensor x = doubles(1000, -1000, 1000, -1000);
    Tensor t = doubles(1, 0, 0, 1);
    BceWithLogits all = BceWithLogits.DEFAULT.withOver(Over.NONE);
    assertThat(Loss.bceWithLogits(x, t, all).toDoubles()).containsExactly(0, 0, 1000, 1000);
    assertThat(Slope.of(v -> Loss.bceWithLogits(v, t, all), x.toDoubles()))
        .containsExactly(0, 0, 1, -1);
    assertThat(Loss.bceWithLogits(doubles(0), doubles(1)).item()).isEqualTo(Math.log(2));
  }

  @Test
  void binaryCrossEntropyWeighs() {
    Tensor x = Tensor.zeros(DEVICE, DType.F64, 2, 2);
    Tensor t = Tensor.of(DEVICE, new double[] {1, 0, 0, 1}, 2, 2);
    Tensor positive = doubles(3, 5);
    double ln2 = Math.log(2);
    BceWithLogits all = BceWithLogits.DEFAULT.withOver(Over.NONE).withPosWeight(positive);
    assertThat(Loss.bceWithLogits(x, t, all).toDoubles())
        .containsExactly(new double[] {3 * ln2, ln2, ln2, 5 * ln2}, within(1e-15));
    Tensor rows = Tensor.of(DEVICE, new double[] {1, 10}, 2, 1);
    assertThat(Loss.bceWithLogits(x, t, all.withWeight(rows)).toDoubles())
        .containsExactly(new double[] {3 * ln2, ln2, 10 * ln2, 50 * ln2}, within(1e-14));
    // The mean divides by the number of elements, weights or not.
    assertThat(Loss.bceWithLogits(x, t, BceWithLogits.DEFAULT.withWeight(rows)).item())
        .isCloseTo(22 * ln2 / 4, within(1e-15));
  }

  private static final double[] LOGITS = {1, 2, 3, 1, 1, 0, 0, -1, 2, 0.5, 0.5, 0.5};

  private static Tensor logits() {
    return Tensor.of(DEVICE, LOGITS, 4, 3);
  }

  /** -log softmax(row)[c]. */
  private static double surprise(int row, int c) {
    double sum = 0;
    for (int i = 0; i < 3; i++) {
      sum += Math.exp(LOGITS[3 * row + i]);
    }
    return Math.log(sum) - LOGITS[3 * row + c];
  }

  @Test
  void ignoredSamplesCountNeitherAboveNorBelow() {
    Tensor target = longs(2, 0, -100, 1);
    double a = surprise(0, 2);
    double b = surprise(1, 0);
    double c = surprise(3, 1);
    assertThat(Loss.crossEntropy(logits(), target).item())
        .isCloseTo((a + b + c) / 3, within(1e-15));
    CrossEntropy all = CrossEntropy.DEFAULT.withOver(Over.NONE);
    assertThat(Loss.crossEntropy(logits(), target, all).toDoubles())
        .containsExactly(new double[] {a, b, 0, c}, within(1e-15));
    assertThat(Loss.crossEntropy(logits(), longs(2, 0, 1, 1), all.withIgnoreIndex(1)).toDoubles())
        .containsExactly(new double[] {a, b, 0, 0}, within(1e-15));
  }

  @Test
  void weightedMeanDividesByTheWeights() {
    Tensor target = longs(2, 0, -100, 1);
    Tensor weight = doubles(1, 2, 0.5);
    double sum = 0.5 * surprise(0, 2) + surprise(1, 0) + 2 * surprise(3, 1);
    CrossEntropy weighted = CrossEntropy.DEFAULT.withWeight(weight);
    assertThat(Loss.crossEntropy(logits(), target, weighted).item())
        .isCloseTo(sum / 3.5, within(1e-15));
    assertThat(Loss.crossEntropy(logits(), target, weighted.withOver(Over.SUM)).item())
        .isCloseTo(sum, within(1e-14));
    assertThat(Loss.nll(logits().logSoftmax(1), target, Nll.DEFAULT.withWeight(weight)).item())
        .isCloseTo(sum / 3.5, within(1e-15));
  }

  /**
   * -ℓ_y with ℓ = log softmax(x) over dimension 1, from the operators that the kernel stands for.
   */
  private static Tensor composed(Tensor x, Tensor target) {
    return x.logSoftmax(1).gather(1, target.unsqueeze(1)).squeeze(1).neg();
  }

  @Test
  void classKernelIsItsComposedDefinition() {
    CrossEntropy all = CrossEntropy.DEFAULT.withOver(Over.NONE);
    Tensor target = longs(2, 0, 1, 1);
    assertThat(Loss.crossEntropy(logits(), target, all).toDoubles())
        .containsExactly(composed(logits(), target).toDoubles(), within(1e-15));
    UnaryOperator<Tensor> kernel = x -> Loss.crossEntropy(x.reshape(4, 3), target, all).pow(2);
    double[] slope = Slope.of(x -> composed(x.reshape(4, 3), target).pow(2), LOGITS);
    assertThat(Slope.of(kernel, LOGITS)).containsExactly(slope, within(1e-14));
    assertThat(Slope.composed(kernel, LOGITS)).containsExactly(slope, within(1e-14));
  }

  @Test
  void derivativeKernelIsTheComposedDerivative() {
    CrossEntropy options = CrossEntropy.DEFAULT.withWeight(doubles(1, 2, 0.5)).withOver(Over.NONE);
    Tensor rows = longs(2, -100, 1, 0);
    Tensor pixels = Tensor.of(DEVICE, new long[] {2, -100, 1, 0}, 2, 2);
    Tensor single = Tensor.zeros(DEVICE, DType.I64);
    List<UnaryOperator<Tensor>> functions =
        List.of(
            x -> Loss.crossEntropy(x.reshape(4, 3), rows, options).pow(2),
            x -> Loss.crossEntropy(x.reshape(3, 4).transpose(0, 1), rows, options).pow(2),
            x -> Loss.crossEntropy(x.reshape(2, 3, 2), pixels, options).pow(2),
            x -> Loss.crossEntropy(x.reshape(2, 3, 2), pixels),
            x -> Loss.crossEntropy(x.narrow(0, 2, 3), single, options).pow(2));
    for (UnaryOperator<Tensor> f : functions) {
      assertThat(Slope.of(f, LOGITS)).containsExactly(Slope.composed(f, LOGITS), within(1e-14));
    }
  }

  @Test
  void ignoredSamplesHaveNoSlope_evenAtInfinity() {
    Tensor target = longs(-100, 1);
    UnaryOperator<Tensor> f = x -> Loss.crossEntropy(x.reshape(2, 2), target);
    assertThat(Slope.of(f, INF, -INF, 0, 0)).containsExactly(0, 0, 0.5, -0.5);
    assertThat(Slope.composed(f, INF, -INF, 0, 0)).containsExactly(0, 0, 0.5, -0.5);
  }

  @Test
  void smoothingSpreadsTheTarget() {
    double e = 0.3;
    double even = (surprise(0, 0) + surprise(0, 1) + surprise(0, 2)) * e / 3;
    CrossEntropy smooth = CrossEntropy.DEFAULT.withLabelSmoothing(e);
    Tensor row = logits().narrow(0, 0, 1);
    double expected = (1 - e) * surprise(0, 2) + even;
    assertThat(Loss.crossEntropy(row, longs(2), smooth).item()).isCloseTo(expected, within(1e-15));
    // The same target as probabilities.
    Tensor hot = Indexing.oneHot(longs(2), 3).to(DType.F64);
    assertThat(Loss.crossEntropy(row, hot, smooth).item()).isCloseTo(expected, within(1e-15));
  }

  @Test
  void meanOfProbabilitiesDividesByTheSamples() {
    Tensor target = Tensor.of(DEVICE, new double[] {0.5, 0.5, 0, 0, 0, 2}, 2, 3);
    double expected =
        (3 * (surprise(0, 0) * 0.5 + 5 * surprise(0, 1) * 0.5 / 3) + 2 * 7 * surprise(1, 2)) / 2;
    CrossEntropy weighted = CrossEntropy.DEFAULT.withWeight(doubles(3, 5, 7));
    Tensor rows = logits().narrow(0, 0, 2);
    assertThat(Loss.crossEntropy(rows, target, weighted).item()).isCloseTo(expected, within(1e-13));
  }

  @Test
  void allIgnoredHasNoMean() {
    Tensor x = logits().requireGrad();
    Tensor target = longs(-100, -100, -100, -100);
    assertThat(Loss.crossEntropy(x, target).item()).isNaN();
    Loss.crossEntropy(x, target, CrossEntropy.DEFAULT.withOver(Over.SUM)).backward();
    assertThat(gradient(x)).containsOnly(0.0);
  }

  @Test
  void infiniteLogitsOfIgnoredSamplesDoNotMatter() {
    Tensor x = Tensor.of(DEVICE, new double[] {-INF, 0, 0, 0}, 2, 2);
    assertThat(Loss.crossEntropy(x, longs(-100, 1)).item()).isEqualTo(Math.log(2));
    assertThat(
            Loss.crossEntropy(x, longs(1, 1), CrossEntropy.DEFAULT.withOver(Over.NONE)).toDoubles())
        .containsExactly(new double[] {0, Math.log(2)}, within(0.0));
  }

  @Test
  void classesMayHaveDimensionsBehindThem() {
    Tensor x = Tensor.zeros(DEVICE, DType.F64, 2, 3, 4, 5);
    Tensor target = Tensor.zeros(DEVICE, DType.I64, 2, 4, 5);
    assertThat(Loss.crossEntropy(x, target).item()).isCloseTo(Math.log(3), within(1e-14));
    Tensor all = Loss.crossEntropy(x, target, CrossEntropy.DEFAULT.withOver(Over.NONE));
    assertThat(all.shape()).isEqualTo(Shape.of(2, 4, 5));
    Tensor single = Tensor.zeros(DEVICE, DType.I64);
    assertThat(Loss.crossEntropy(doubles(0, 0, 0), single).item())
        .isCloseTo(Math.log(3), within(1e-15));
  }

  @Test
  void shapesAndDtypesAreChecked() {
    Tensor x = Tensor.zeros(DEVICE, DType.F32, 2, 1);
    Tensor t = Tensor.zeros(DEVICE, DType.F32, 2);
    // Broadcasting would make four differences of two predictions.
    assertThatThrownBy(() -> Loss.mse(x, t))
        .isInstanceOf(ShapeException.class)
        .hasMessage("mse: expected a target of the input's shape (shapes (2, 1) and (2))");
    assertThatThrownBy(() -> Loss.bceWithLogits(x, t)).hasMessageStartingWith("bceWithLogits: ");
    assertThatThrownBy(() -> Loss.crossEntropy(logits(), longs(0)))
        .isInstanceOf(ShapeException.class)
        .hasMessageStartingWith("crossEntropy: expected class indices of the input's shape without")
        .hasMessageContaining("(4, 3) and (1)");
    assertThatThrownBy(() -> Loss.crossEntropy(logits(), longs(0, 0, 0, 0).to(DType.I32)))
        .hasMessageStartingWith("crossEntropy: expected int64 for argument 2, got int32");
    assertThatThrownBy(() -> Loss.crossEntropy(logits(), logits().to(DType.F32)))
        .hasMessageStartingWith("crossEntropy: dtypes differ");
    CrossEntropy weighted = CrossEntropy.DEFAULT.withWeight(doubles(1, 2));
    assertThatThrownBy(() -> Loss.crossEntropy(logits(), longs(0, 0, 0, 0), weighted))
        .hasMessageStartingWith("crossEntropy: expected a weight of shape (3) and dtype float64");
    assertThatThrownBy(() -> Loss.nll(longs(1), longs(1)))
        .hasMessageStartingWith("nll: expected a floating-point input");
  }

  @Test
  void classesOutOfRangeAreErrors() {
    assertThatThrownBy(() -> Loss.crossEntropy(logits(), longs(0, 1, 3, 0)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Loss.crossEntropy(logits(), longs(0, 1, -1, 0)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void optionsOutOfRangeAreNamed() {
    Tensor x = doubles(1);
    assertThatThrownBy(() -> Loss.huber(x, x, 0, Over.MEAN))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("huber: expected delta above 0, got 0.0 (shapes (1) and (1))");
    assertThatThrownBy(() -> Loss.smoothL1(x, x, -1, Over.MEAN))
        .hasMessage("smoothL1: expected beta of 0 or more, got -1.0 (shapes (1) and (1))");
    assertThatThrownBy(() -> CrossEntropy.DEFAULT.withLabelSmoothing(1.5))
        .hasMessage("crossEntropy: expected label smoothing of 0 to 1, got 1.5");
  }
}

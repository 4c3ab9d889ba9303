package dev.downhill.tensor;

import static dev.downhill.tensor.Refusals.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Loss.Over;
import dev.downhill.tensor.Similarity.Triplet;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

final class SimilarityTest {
  private static final Device DEVICE = Device.cpu();
  private static final double INF = Double.POSITIVE_INFINITY;

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static Tensor zeros(DType dtype, long... sizes) {
    return Tensor.zeros(DEVICE, dtype, sizes);
  }

  private static double[] gradient(Tensor leaf) {
    return Objects.requireNonNull(leaf.grad()).toDoubles();
  }

  @Test
  void cosineSimilarity_ofVectors() {
    Tensor x = Tensor.of(DEVICE, new double[] {3, 4, 1, 0}, 2, 2);
    Tensor y = Tensor.of(DEVICE, new double[] {4, 3, 0, -2}, 2, 2);
    assertThat(Similarity.cosineSimilarity(x, y).toDoubles())
        .containsExactly(new double[] {0.96, 0}, within(1e-15));
    assertThat(Similarity.cosineSimilarity(x, x.neg(), -1, 0).toDoubles())
        .containsExactly(new double[] {-1, -1}, within(1e-15));
    assertThat(Similarity.cosineSimilarity(x, y, 0, 1e-8).shape()).isEqualTo(Shape.of(2));
    assertThat(Similarity.cosineSimilarity(x, doubles(4, 3), 1, 1e-8).toDoubles())
        .containsExactly(new double[] {0.96, 0.8}, within(1e-15));
    Tensor two = Tensor.full(DEVICE, DType.F64, 2);
    assertThat(Similarity.cosineSimilarity(two, two.neg(), 0, 1e-8).item()).isEqualTo(-1);
  }

  @Test
  void cosineSimilarity_zeroVectorHasTheGradientOfAQuotientByEps() {
    Tensor x = zeros(DType.F64, 2).requireGrad();
    Tensor y = doubles(3, 4).requireGrad();
    Tensor z = Similarity.cosineSimilarity(x, y, 0, 0.1);
    assertThat(z.item()).isZero();
    z.backward();
    assertThat(gradient(x)).containsExactly(new double[] {6, 8}, within(1e-14));
    assertThat(gradient(y)).containsExactly(0, 0);
  }

  /** The numbers are PyTorch 2.13's. */
  @Test
  void cosineSimilarity_gradientOfALimitedNormGoesOn() {
    Tensor x = doubles(0.03, 0.04).requireGrad();
    Tensor y = doubles(1, 2).requireGrad();
    Tensor z = Similarity.cosineSimilarity(x, y, 0, 0.5);
    z.backward();
    assertThat(z.item()).isCloseTo(0.0984, within(5e-5));
    assertThat(gradient(x)).containsExactly(new double[] {0.7764, 1.6314}, within(5e-5));
    assertThat(gradient(y)).containsExactly(new double[] {0.0072, -0.0036}, within(5e-5));
  }

  @Test
  void tripletMarginLoss_ofDistances() {
    Tensor a = zeros(DType.F64, 1, 2);
    Tensor p = Tensor.of(DEVICE, new double[] {3, 4}, 1, 2);
    Tensor n = Tensor.of(DEVICE, new double[] {0, 2}, 1, 2);
    Triplet exact = Triplet.DEFAULT.withEps(0);
    assertThat(Similarity.tripletMarginLoss(a, p, n, exact).item()).isEqualTo(4);
    assertThat(Similarity.tripletMarginLoss(a, p, n, exact.withMargin(0.5)).item()).isEqualTo(3.5);
    assertThat(Similarity.tripletMarginLoss(a, p, n, exact.withP(1)).item()).isEqualTo(6);
    assertThat(Similarity.tripletMarginLoss(a, p, n, exact.withP(INF)).item()).isEqualTo(3);
    assertThat(Similarity.tripletMarginLoss(a, p, n, exact.withP(3)).item())
        .isCloseTo(Math.cbrt(91) - 1, within(1e-14));
    // Nearer to the positive by more than the margin: nothing is lost.
    assertThat(Similarity.tripletMarginLoss(a, n, p, exact).item()).isZero();
    assertThat(Similarity.tripletMarginLoss(a, p, n).item()).isCloseTo(4, within(1e-5));
    assertThat(Similarity.tripletMarginLoss(a, p, n, exact.withOver(Over.NONE)).shape())
        .isEqualTo(Shape.of(1));
  }

  @Test
  void tripletMarginLoss_swapTakesTheNearerOne() {
    Tensor a = doubles(0);
    Tensor p = doubles(2);
    Triplet exact = Triplet.DEFAULT.withEps(0);
    assertThat(Similarity.tripletMarginLoss(a, p, doubles(3), exact).item()).isZero();
    assertThat(Similarity.tripletMarginLoss(a, p, doubles(3), exact.withSwap()).item())
        .isEqualTo(2);
    assertThat(Similarity.tripletMarginLoss(a, p, doubles(-1), exact.withSwap()).item())
        .isEqualTo(2);
  }

  @Test
  void tripletMarginLoss_hasItsSlopeWhereItSetsIn() {
    Tensor a = doubles(0).requireGrad();
    Tensor p = doubles(0).requireGrad();
    Tensor n = doubles(1).requireGrad();
    Tensor loss = Similarity.tripletMarginLoss(a, p, n, Triplet.DEFAULT.withEps(0));
    assertThat(loss.item()).isZero();
    loss.backward();
    assertThat(gradient(a)).containsExactly(1);
    assertThat(gradient(p)[0]).isZero();
    assertThat(gradient(n)).containsExactly(-1);
  }

  @Test
  void tripletMarginLoss_equalVectorsHaveNoSlopeInAnyNorm() {
    for (double order : new double[] {1, 1.5, 2, 3, INF}) {
      Tensor a = doubles(1, 2).requireGrad();
      Tensor n = doubles(1, 2).requireGrad();
      Triplet options = Triplet.DEFAULT.withEps(0).withP(order);
      Similarity.tripletMarginLoss(a, doubles(1, 2), n, options).backward();
      assertThat(gradient(a)).as("order %s", order).containsExactly(0, 0);
      assertThat(gradient(n)).as("order %s", order).containsExactly(new double[2], within(0.0));
    }
  }

  private static ThrowingCallable cosine(Tensor x, Tensor y, int dim, double eps) {
    return () -> Similarity.cosineSimilarity(x, y, dim, eps);
  }

  @Test
  void cosineSimilarity_refusals() {
    String op = "cosineSimilarity";
    Tensor x = zeros(DType.F64, 2, 3);
    refused(cosine(x, zeros(DType.F64, 2), 1, 0), op, "(2, 3)", "(2)");
    refused(cosine(x, zeros(DType.F64, 3, 3), 1, 0), op, "(3, 3)");
    refused(cosine(x, x, 2, 0), op, "-2 to 1", "2", "(2, 3)");
    refused(cosine(x, x, -3, 0), op, "-3");
    refused(() -> Similarity.cosineSimilarity(doubles(1), doubles(1)), op, "-1 to 0", "1");
    refused(cosine(x, zeros(DType.F32, 2, 3), 1, 0), op, "dtypes differ");
    refused(cosine(zeros(DType.I64, 2), zeros(DType.I64, 2), 0, 0), op, "floating-point");
    refused(cosine(x, x, 1, -1), op, "eps of 0 or more", "-1.0", "(2, 3)");
    refused(cosine(x, x, 1, Double.NaN), op, "eps of 0 or more", "NaN");
  }

  private static ThrowingCallable triplet(Tensor a, Tensor p, Tensor n) {
    return () -> Similarity.tripletMarginLoss(a, p, n);
  }

  @Test
  void tripletMarginLoss_refusals() {
    String op = "tripletMarginLoss";
    Tensor x = zeros(DType.F64, 2, 3);
    Tensor row = zeros(DType.F64, 3);
    refused(triplet(x, row, x), op, "same number of dimensions", "(2, 3) and (3) and (2, 3)");
    refused(triplet(x, x, row), op, "(2, 3) and (2, 3) and (3)");
    refused(triplet(x, zeros(DType.F64, 2, 4), x), op, "(2, 4)");
    refused(triplet(x, x, zeros(DType.F64, 4, 3)), op, "(4, 3)");
    refused(triplet(x, x.to(DType.F32), x), op, "dtypes differ");
    refused(triplet(x.to(DType.I64), x.to(DType.I64), x.to(DType.I64)), op, "floating-point");
    refused(() -> Triplet.DEFAULT.withMargin(0), op, "margin and p above 0", "0.0");
    refused(() -> Triplet.DEFAULT.withMargin(Double.NaN), op, "NaN");
    refused(() -> Triplet.DEFAULT.withP(0), op, "margin and p above 0");
    refused(() -> Triplet.DEFAULT.withP(-2), op, "-2.0");
    refused(() -> Triplet.DEFAULT.withEps(Double.NaN), op, "NaN");
  }
}

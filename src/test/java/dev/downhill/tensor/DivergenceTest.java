package dev.downhill.tensor;

import static dev.downhill.tensor.Refusals.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Divergence.BinaryCrossEntropy;
import dev.downhill.tensor.Divergence.KlDiv;
import dev.downhill.tensor.Divergence.Terms;
import dev.downhill.tensor.Loss.Over;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

final class DivergenceTest {
  private static final Device DEVICE = Device.cpu();
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double LOG_2 = Math.log(2);

  private static final BinaryCrossEntropy EACH = BinaryCrossEntropy.DEFAULT.withOver(Over.NONE);

  private static Tensor doubles(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  private static double[] gradient(Tensor leaf) {
    return Objects.requireNonNull(leaf.grad()).toDoubles();
  }

  @Test
  void binaryCrossEntropy_ofEachAndAll() {
    Tensor x = doubles(0.5, 0.25);
    Tensor t = doubles(1, 0);
    double second = -Math.log(0.75);
    assertThat(Divergence.binaryCrossEntropy(x, t, EACH).toDoubles())
        .containsExactly(new double[] {LOG_2, second}, within(1e-15));
    assertThat(Divergence.binaryCrossEntropy(x, t).item())
        .isCloseTo((LOG_2 + second) / 2, within(1e-15));
    BinaryCrossEntropy weighted =
        BinaryCrossEntropy.DEFAULT.withWeight(doubles(3, 0.5)).withOver(Over.SUM);
    assertThat(Divergence.binaryCrossEntropy(x, t, weighted).item())
        .isCloseTo(3 * LOG_2 + second / 2, within(1e-15));
  }

  @Test
  void binaryCrossEntropy_isFiniteAtCertainty() {
    Tensor x = doubles(0, 1, 0, 1).requireGrad();
    Tensor t = doubles(0, 0, 1, 1).requireGrad();
    Tensor losses = Divergence.binaryCrossEntropy(x, t, EACH);
    // Zeros may be negative.
    assertThat(losses.toDoubles()).containsExactly(new double[] {0, 100, 100, 0}, within(0.0));
    losses.sum().backward();
    assertThat(gradient(x)).containsExactly(new double[] {0, 1e12, -1e12, 0}, within(0.0));
    assertThat(gradient(t)).containsExactly(100, -100, 100, -100);
  }

  @Test
  void binaryCrossEntropy_outsideOfZeroToOneIsNaN() {
    Tensor losses =
        Divergence.binaryCrossEntropy(doubles(-0.5, 1.5, Double.NaN), doubles(0.5, 0.5, 0), EACH);
    assertThat(losses.toDoubles()).containsOnly(Double.NaN);
  }

  @Test
  void klDiv_termByTerm() {
    Tensor x = doubles(-1, -2);
    Tensor t = doubles(0.5, 0.5);
    double first = 0.5 * (1 - LOG_2);
    double second = 0.5 * (2 - LOG_2);
    assertThat(Divergence.klDiv(x, t, KlDiv.DEFAULT.withTerms(Terms.NONE)).toDoubles())
        .containsExactly(new double[] {first, second}, within(1e-15));
    assertThat(Divergence.klDiv(x, t).item()).isCloseTo((first + second) / 2, within(1e-15));
    assertThat(Divergence.klDiv(x, t.log(), KlDiv.DEFAULT.withLogTarget()).item())
        .isCloseTo((first + second) / 2, within(1e-15));
  }

  @Test
  void klDiv_batchMeanDividesBySamples() {
    Tensor x = Tensor.full(DEVICE, DType.F64, -1, 2, 3);
    Tensor t = Tensor.ones(DEVICE, DType.F64, 2, 3);
    KlDiv batch = KlDiv.DEFAULT.withTerms(Terms.BATCH_MEAN);
    assertThat(Divergence.klDiv(x, t, batch).item()).isEqualTo(3);
    assertThat(Divergence.klDiv(x, t).item()).isEqualTo(1);
    assertThat(Divergence.klDiv(x, t, KlDiv.DEFAULT.withTerms(Terms.SUM)).item()).isEqualTo(6);
    Tensor number = Tensor.full(DEVICE, DType.F64, -1);
    assertThat(Divergence.klDiv(number, number.neg(), batch).item()).isEqualTo(1);
    Tensor none = Tensor.zeros(DEVICE, DType.F64, 0, 3);
    assertThat(Divergence.klDiv(none, none, batch).item()).isNaN();
  }

  @Test
  void klDiv_isZeroWhereTheTargetIs() {
    Tensor x = doubles(-INF, -1).requireGrad();
    Tensor t = doubles(0, 0.5).requireGrad();
    Tensor terms = Divergence.klDiv(x, t, KlDiv.DEFAULT.withTerms(Terms.NONE));
    assertThat(terms.toDoubles())
        .containsExactly(new double[] {0, 0.5 * (1 - LOG_2)}, within(1e-15));
    terms.sum().backward();
    assertThat(gradient(x)).containsExactly(new double[] {0, -0.5}, within(0.0));
    assertThat(gradient(t)[0]).isNotNaN();
    assertThat(gradient(t)[1]).isCloseTo(2 - LOG_2, within(1e-15));
  }

  private static Tensor zeros(DType dtype, long... sizes) {
    return Tensor.zeros(DEVICE, dtype, sizes);
  }

  private static ThrowingCallable bce(Tensor x, Tensor t) {
    return () -> Divergence.binaryCrossEntropy(x, t);
  }

  private static ThrowingCallable weighted(Tensor x, Tensor weight) {
    return () -> Divergence.binaryCrossEntropy(x, x, BinaryCrossEntropy.DEFAULT.withWeight(weight));
  }

  @Test
  void binaryCrossEntropy_refusals() {
    String op = "binaryCrossEntropy";
    Tensor x = zeros(DType.F64, 2, 3);
    refused(bce(x, zeros(DType.F64, 3)), op, "target of the input's shape", "(2, 3) and (3)");
    refused(bce(x, zeros(DType.F64, 2, 1)), op, "(2, 1)");
    refused(bce(x, zeros(DType.F64)), op, "()");
    refused(bce(x, zeros(DType.F32, 2, 3)), op, "dtypes differ", "float64 and float32");
    refused(bce(x, zeros(DType.I64, 2, 3)), op, "float64 and int64");
    refused(bce(zeros(DType.I64, 2), zeros(DType.I64, 2)), op, "floating-point", "int64");
    refused(bce(zeros(DType.BOOL, 2), zeros(DType.BOOL, 2)), op, "floating-point", "bool");
    refused(weighted(x, zeros(DType.F64, 2)), op, "weight", "(2)");
    refused(weighted(x, zeros(DType.F64, 1, 2, 3)), op, "weight", "(1, 2, 3)");
    refused(weighted(x, zeros(DType.F32, 3)), op, "weight", "float32");
  }

  private static ThrowingCallable kl(Tensor x, Tensor t) {
    return () -> Divergence.klDiv(x, t);
  }

  @Test
  void klDiv_refusals() {
    Tensor x = zeros(DType.F64, 2, 3);
    refused(kl(x, zeros(DType.F64, 3)), "klDiv", "target of the input's shape", "(2, 3) and (3)");
    refused(kl(x, zeros(DType.F64, 2, 1)), "klDiv", "(2, 1)");
    refused(kl(x, zeros(DType.F64)), "klDiv", "()");
    refused(kl(x, zeros(DType.F64, 3, 2)), "klDiv", "(3, 2)");
    refused(kl(x, zeros(DType.F32, 2, 3)), "klDiv", "dtypes differ", "float64 and float32");
    refused(kl(x, zeros(DType.I64, 2, 3)), "klDiv", "float64 and int64");
    refused(kl(zeros(DType.I64, 2), zeros(DType.I64, 2)), "klDiv", "floating-point", "int64");
    refused(kl(zeros(DType.BOOL, 2), zeros(DType.BOOL, 2)), "klDiv", "floating-point", "bool");
    assertThat(x.shape()).isEqualTo(Shape.of(2, 3));
  }
}

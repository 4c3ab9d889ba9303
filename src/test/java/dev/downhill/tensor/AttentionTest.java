package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.Attention.Options;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class AttentionTest {
  private static final Device DEVICE = Device.cpu();
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final Options ALL = Options.DEFAULT;

  private static Tensor column(double... values) {
    return Tensor.of(DEVICE, values, values.length, 1);
  }

  private static Tensor ones(long... sizes) {
    return Tensor.ones(DEVICE, DType.F64, sizes);
  }

  private static Tensor attend(Tensor q, Tensor k, Tensor v, Options options) {
    return Attention.scaledDotProductAttention(q, k, v, options);
  }

  private static double[] gradient(Tensor leaf) {
    return Objects.requireNonNull(leaf.grad()).toDoubles();
  }

  @Test
  void keysThatAnswerBetterCountMore() {
    // Scores 0 and log 3: shares of a quarter and three quarters.
    Tensor k = column(0, Math.log(3));
    assertThat(Attention.scaledDotProductAttention(column(1), k, column(8, 4)).item())
        .isCloseTo(5, within(1e-14));
    assertThat(attend(column(1), k, column(8, 4), ALL.withScale(2)).item())
        .isCloseTo(8 * 0.1 + 4 * 0.9, within(1e-14));
    // 1/sqrt(4) of the sum of four equal products.
    Tensor four = Attention.scaledDotProductAttention(ones(1, 4), k.mul(ones(4)), column(8, 4));
    assertThat(four.item()).isCloseTo(8 * 0.1 + 4 * 0.9, within(1e-14));
  }

  @Test
  void causalQueriesSeeWhatIsNotAfterThem() {
    Tensor zeros = Tensor.zeros(DEVICE, DType.F64, 3, 1);
    Options causal = ALL.withCausal(true);
    assertThat(attend(zeros, zeros, column(6, 2, 7), causal).toDoubles())
        .containsExactly(new double[] {6, 4, 5}, within(1e-14));
    // Counted from the first, also where there are more or fewer keys.
    assertThat(attend(zeros.narrow(0, 0, 2), zeros, column(6, 2, 7), causal).toDoubles())
        .containsExactly(new double[] {6, 4}, within(1e-14));
    assertThat(attend(zeros, zeros.narrow(0, 0, 2), column(6, 2), causal).toDoubles())
        .containsExactly(new double[] {6, 4, 4}, within(1e-14));
  }

  @Test
  void aQueryThatSeesNothingGivesZerosAndHasNoGradient() {
    Tensor bool = Tensor.of(DEVICE, new boolean[] {false, false, true, false}, 2, 2);
    Tensor added = Tensor.of(DEVICE, new double[] {-INF, -INF, 0, -INF}, 2, 2);
    for (Tensor mask : new Tensor[] {bool, added}) {
      Tensor q = column(1, 2).requireGrad();
      Tensor k = column(3, 4).requireGrad();
      Tensor v = column(5, 6).requireGrad();
      Tensor y = attend(q, k, v, ALL.withMask(mask));
      assertThat(y.toDoubles()).containsExactly(0, 5);
      y.sum().backward();
      assertThat(gradient(q)).containsExactly(0, 0);
      assertThat(gradient(k)).containsExactly(0, 0);
      assertThat(gradient(v)).containsExactly(1, 0);
    }
  }

  @Test
  void withoutKeysThereAreZeros() {
    Tensor none = Tensor.zeros(DEVICE, DType.F64, 0, 1);
    assertThat(attend(column(1, 2), none, none, ALL).toDoubles()).containsExactly(0, 0);
    assertThat(attend(column(1, 2), none, none, ALL.withMask(ones(2, 0).gt(0))).toDoubles())
        .containsExactly(0, 0);
    assertThat(attend(none, column(1, 2), column(1, 2), ALL).shape()).isEqualTo(Shape.of(0, 1));
  }

  @Test
  void aMaskBroadcastsOverBatchAndHeads() {
    Tensor x = Tensor.arange(DEVICE, DType.F64, 12).reshape(2, 1, 3, 2).div(7);
    Tensor seen = Tensor.arange(DEVICE, DType.F64, 3).le(1);
    double[] masked = attend(x, x, x, ALL.withMask(seen)).toDoubles();
    Tensor two = x.narrow(2, 0, 2);
    assertThat(masked).containsExactly(attend(x, two, two, ALL).toDoubles(), within(1e-14));
    Tensor perHead = seen.reshape(1, 1, 1, 3).expand(2, 1, 3, 3);
    assertThat(attend(x, x, x, ALL.withMask(perHead)).toDoubles()).isEqualTo(masked);
  }

  @Test
  void largeScoresDoNotOverflow() {
    Tensor q = Tensor.of(DEVICE, new float[] {1e4f, -1e4f}, 2, 1);
    Tensor k = Tensor.of(DEVICE, new float[] {1e4f, 1}, 2, 1).requireGrad();
    Tensor v = Tensor.of(DEVICE, new float[] {3, 4}, 2, 1);
    Tensor y = Attention.scaledDotProductAttention(q, k, v);
    assertThat(y.toFloats()).containsExactly(3, 4);
    y.sum().backward();
    assertThat(gradient(k)).containsExactly(0, 0);
  }

  @Test
  void anAddedMaskIsLearnedToo() {
    Tensor mask = Tensor.zeros(DEVICE, DType.F64, 1, 2).requireGrad();
    attend(column(1), column(0, 0), column(8, 4), ALL.withMask(mask)).sum().backward();
    assertThat(gradient(mask)).containsExactly(new double[] {1, -1}, within(1e-14));
  }

  /** Several blocks of queries and keys, against the operators that attention is made of. */
  @Test
  void theKernelIsTheComposedAttention() {
    for (Options options : new Options[] {ALL, ALL.withCausal(true)}) {
      Tensor x = Tensor.arange(DEVICE, DType.F64, 2L * 150 * 12).sin().reshape(2, 150, 12);
      Tensor leaf = x.requireGrad();
      Tensor y = Attention.selfAttention(leaf, 2, options);
      y.square().sum().backward();
      Tensor other = x.detach().mul(1).requireGrad();
      Tensor[] parts = new Tensor[3];
      for (int i = 0; i < 3; i++) {
        parts[i] = other.narrow(2, 4L * i, 4).reshape(2, 150, 2, 2).transpose(1, 2);
      }
      Tensor seen = Tensor.ones(DEVICE, DType.BOOL, 150, 150);
      Options masked = ALL.withMask(options.causal() ? lowerTriangle(150) : seen);
      Tensor composed = attend(parts[0], parts[1], parts[2], masked).transpose(1, 2);
      composed.square().sum().backward();
      assertThat(y.toDoubles())
          .containsExactly(composed.reshape(2, 150, 4).toDoubles(), within(1e-13));
      assertThat(gradient(leaf)).containsExactly(gradient(other), within(1e-12));
    }
  }

  private static Tensor lowerTriangle(long n) {
    Tensor positions = Tensor.arange(DEVICE, DType.I64, n);
    return positions.reshape(n, 1).ge(positions);
  }

  @Test
  void headsThatWereTakenApartAreJoinedWithoutACopy() {
    Tensor x = ones(2, 5, 12);
    Tensor heads = x.reshape(2, 5, 3, 4).transpose(1, 2);
    Tensor y = attend(heads, heads, heads, ALL);
    assertThat(y.shape()).isEqualTo(Shape.of(2, 3, 5, 4));
    assertThat(y.transpose(1, 2).isContiguous()).isTrue();
  }

  @Test
  void selfAttentionRefusesWhatDoesNotFit() {
    Tensor x = ones(2, 3, 12);
    String op = "selfAttention";
    Refusals.refused(op, () -> Attention.selfAttention(ones(3, 12), 2, ALL));
    Refusals.refused(op, () -> Attention.selfAttention(x, 3, ALL));
    Refusals.refused(op, () -> Attention.selfAttention(x, 0, ALL));
    Refusals.refused(op, () -> Attention.selfAttention(x, 2, ALL.withMask(ones(3, 3))));
    Refusals.refused(op, () -> Attention.selfAttention(x, 2, ALL.withScale(Double.NaN)));
    Refusals.refused(op, () -> Attention.selfAttention(x.to(DType.I64), 2, ALL));
  }

  @TestFactory
  Stream<DynamicTest> illFormedCallsAreRefused() {
    Tensor x = ones(2, 3);
    String op = "scaledDotProductAttention";
    return new Refusals()
            .add(op, "query (..., L, E)", () -> attend(ones(3), x, x, ALL))
            .add(op, "query (..., L, E)", () -> attend(x, ones(), x, ALL))
            .add(op, "query (..., L, E)", () -> attend(x, x, ones(2), ALL))
            .add(op, "query (..., L, E)", () -> attend(x, ones(2, 4), x, ALL))
            .add(op, "query (..., L, E)", () -> attend(x, x, ones(3, 3), ALL))
            .add(op, "got both", () -> attend(x, x, x, ALL.withCausal(true).withMask(ones(2, 2))))
            .add(
                op,
                "broadcasts to the scores, (2, 2)",
                () -> attend(x, x, x, ALL.withMask(ones(3))))
            .add(op, "broadcasts", () -> attend(x, x, x, ALL.withMask(ones(1, 2, 2).gt(0))))
            .add(
                op,
                "bool or float64",
                () -> attend(x, x, x, ALL.withMask(ones(2, 2).to(DType.F32))))
            .add(op, "bool or float64", () -> attend(x, x, x, ALL.withMask(ones(2).to(DType.I64))))
            .add(op, "finite scale", () -> attend(x, x, x, ALL.withScale(Double.NaN)))
            .add(op, "dtypes differ", () -> attend(x, x.to(DType.F32), x, ALL))
            .add(
                op,
                "floating-point",
                () -> attend(x.to(DType.I64), x.to(DType.I64), x.to(DType.I64), ALL))
            .stream();
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AnomalyTest {
  private static final Device CPU = Device.cpu();

  private final Scope scope = Scope.open();
  private Autograd.Mode looking = () -> {};

  @BeforeEach
  void look() {
    looking = Autograd.detectAnomaly();
  }

  @AfterEach
  void end() {
    looking.close();
    scope.close();
  }

  private static Tensor of(double... values) {
    return Tensor.of(CPU, values, values.length);
  }

  @Test
  void theForwardPassThatMakesTheFirstInfinityIsNamed() {
    Tensor x = of(1, 0);
    assertThatThrownBy(() -> x.exp().mul(x).log().add(1))
        .isInstanceOf(ArithmeticException.class)
        .hasMessageStartingWith("log: its forward at AnomalyTest.java:")
        .hasMessageEndingWith(
            "gave a number that is not finite for numbers that are, expected finite numbers, got"
                + " Infinity (shapes (2))");
    assertThatThrownBy(() -> x.div(x))
        .hasMessageStartingWith("div: its forward")
        .hasMessageContaining("NaN");
    assertThatThrownBy(() -> of(1000).to(DType.F32).exp())
        .hasMessageStartingWith("exp: its forward");
  }

  @Test
  void theBackwardPassIsNamedWithTheLineOfTheOperator() {
    Tensor x = of(0, 4).requireGrad();
    Tensor y = x.sqrt().sum();
    assertThatThrownBy(y::backward)
        .isInstanceOf(ArithmeticException.class)
        .hasMessageStartingWith("sqrt: its backward of the result made at AnomalyTest.java:")
        .hasMessageContaining("got Infinity (shapes (2))");
  }

  @Test
  void whatInfiniteInputsLeadToIsNoAnomaly() {
    Tensor x = of(Double.NEGATIVE_INFINITY, 1, Double.NaN).requireGrad();
    x.mul(x).tanh().sum().backward();
    assertThat(of(1, 2).maskedFill(of(0, 1).gt(0.5), Double.NEGATIVE_INFINITY).toDoubles())
        .containsExactly(1, Double.NEGATIVE_INFINITY);
  }

  @Test
  void aMaskOfInfinitiesBeforeSoftmaxIsNoAnomaly() {
    Tensor x = of(1, 2, 3).requireGrad();
    Tensor mask = of(0, 0, 1).gt(0.5);
    Tensor y = x.maskedFill(mask, Double.NEGATIVE_INFINITY).softmax(0);
    y.mul(of(1, 2, 3)).sum().backward();
    assertThat(x.grad()).isNotNull();
  }

  @Test
  void anInfinityThatAnOperatorDropsAgainIsNoAnomaly() {
    Tensor x = of(3, 3).requireGrad();
    Tensor y = x.std(new int[] {0}, 1, false);
    y.backward();
    Tensor g = x.grad();
    assertThat(g).isNotNull();
    assertThat(g.toDoubles()).containsExactly(0, 0);
  }

  @Test
  void stepsCanBeWatched() {
    Tensor w = of(1).requireGrad();
    try (Step step =
        Step.of(
            x -> {
              Tensor y = x.mul(w).log().sum();
              y.backward();
              return y;
            })) {
      assertThat(step.run(of(1)).item()).isZero();
      assertThatThrownBy(() -> step.run(of(-1))).hasMessageStartingWith("log: its forward");
    }
  }

  @Test
  void theResultsAreThoseOfOtherRuns() {
    Tensor w = of(1, 2).requireGrad();
    w.mul(w).sum().backward();
    Tensor watched = w.grad();
    assertThat(watched).isNotNull();
    assertThat(watched.toDoubles()).containsExactly(2, 4);
  }

  @Test
  void afterItsEndNothingIsLookedFor() {
    looking.close();
    assertThat(of(0).log().item()).isEqualTo(Double.NEGATIVE_INFINITY);
  }
}

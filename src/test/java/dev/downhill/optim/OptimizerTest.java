package dev.downhill.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptimizerTest {
  private static final Device CPU = Device.cpu();

  private static Tensor parameter(double... values) {
    return Tensor.of(CPU, values, values.length).requireGrad();
  }

  /** Leaves {@code gradient} in the parameter's gradient. */
  private static void backward(Tensor p, double... gradient) {
    try (Scope _ = Scope.open()) {
      p.mul(Tensor.of(CPU, gradient, gradient.length).to(p.dtype())).sum().backward();
    }
  }

  private static double[] grad(Tensor p) {
    Tensor g = p.grad();
    assertThat(g).isNotNull();
    return g.toDoubles();
  }

  // Groups and rates

  @Test
  void groupsHaveTheirOwnNumbers() {
    Tensor a = parameter(1, 2);
    Tensor b = parameter(3);
    Sgd.Options o = Sgd.Options.DEFAULT.withLr(0.5);
    try (Sgd sgd =
        new Sgd(
            List.of(
                new Optimizer.Group<>(List.of(a), o),
                new Optimizer.Group<>(List.of(b), o.withLr(0.25).withWeightDecay(1))))) {
      backward(a, 1, 1);
      backward(b, 1);
      sgd.step();
      assertThat(a.toDoubles()).containsExactly(0.5, 1.5);
      assertThat(b.toDoubles()).containsExactly(3 - 0.25 * (1 + 3));
      sgd.rate(1, 0);
      sgd.step();
      assertThat(a.toDoubles()).containsExactly(0, 1);
      assertThat(b.toDoubles()).containsExactly(2);
      assertThat(sgd.groups()).isEqualTo(2);
      assertThat(sgd.rate(1)).isZero();
      assertThat(sgd.baseRate(1)).isEqualTo(0.25);
    }
  }

  @Test
  void skipLeavesValuesStateAndCountsAlone() {
    Tensor p = parameter(1);
    Tensor q = parameter(1);
    Tensor yes = Tensor.of(CPU, new boolean[] {true}, 1);
    Tensor no = Tensor.of(CPU, new boolean[] {false});
    try (Adam skipping = new Adam(List.of(p), 0.1);
        Adam plain = new Adam(List.of(q), 0.1)) {
      backward(p, 3);
      skipping.step(yes);
      assertThat(p.item()).isEqualTo(1);
      backward(q, 3);
      skipping.step(no);
      plain.step();
      assertThat(p.item()).isEqualTo(q.item()).isNotEqualTo(1);
      skipping
          .state()
          .forEach(
              (name, t) ->
                  assertThat(t.toDoubles())
                      .as(name)
                      .containsExactly(plain.state().get(name).toDoubles()));
    }
  }

  @Test
  void ratesCannotChangeInsideAStep() {
    Tensor p = parameter(1);
    try (Sgd sgd = new Sgd(List.of(p), 0.1);
        Step step =
            Step.of(
                x -> {
                  sgd.rate(0, 0.1);
                  return x.mul(p).sum();
                })) {
      assertThatIllegalStateException()
          .isThrownBy(() -> step.run(Tensor.of(CPU, new double[] {1}, 1)))
          .withMessageContaining("lr cannot be set inside a step");
    }
  }

  @ParameterizedTest
  @ValueSource(
      doubles = {
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        -1,
        -Double.MIN_VALUE,
        1e300,
        Double.MAX_VALUE,
        2e6
      })
  void badNumbersAreReportedTogetherAndNothingIsMade(double bad) {
    Device cpu = Device.of("cpu:15"); // shared with no other test, so that memory can be counted
    Tensor p = Tensor.ones(cpu, DType.F32, 1).requireGrad();
    long before = cpu.memory().tensors();
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new Adam(List.of(p), new Adam.Options(bad, bad, bad, bad, bad, false, false)))
        .withMessageContainingAll(
            "Adam: ", "lr: expected 0 to 1000000, got " + bad, "beta1: ", "beta2: ", "eps: ")
        .withMessageContaining("weightDecay: ");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Sgd(List.of(p), new Sgd.Options(bad, bad, bad, bad, true, false)))
        .withMessageContainingAll("lr: ", "momentum: ", "dampening: ", "weightDecay: ")
        .withMessageContaining("nesterov: ");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new RmsProp(List.of(p), new RmsProp.Options(bad, bad, bad, bad, bad, false, false)))
        .withMessageContainingAll("RmsProp: lr: ", "alpha: ", "eps: ", "weightDecay: ")
        .withMessageContaining("momentum: ");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new Adagrad(List.of(p), new Adagrad.Options(bad, bad, bad, bad, bad, false)))
        .withMessageContainingAll("Adagrad: lr: ", "lrDecay: ", "weightDecay: ", "eps: ")
        .withMessageContaining("initialAccumulator: ");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new NAdam(
                    List.of(p), new NAdam.Options(bad, bad, bad, bad, bad, bad, false, false)))
        .withMessageContainingAll("NAdam: lr: ", "beta1: ", "beta2: ", "eps: ", "weightDecay: ")
        .withMessageContaining("momentumDecay: ");
    assertThat(cpu.memory().tensors()).isEqualTo(before);
    assertThat(p.grad()).isNull();
    p.close();
  }

  @Test
  void badNumbersNameTheirGroup() {
    Adam.Options o = AdamW.DEFAULT;
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new AdamW(
                    List.of(
                        new Optimizer.Group<>(List.of(parameter(1)), o.withBetas(0.9, 1)),
                        new Optimizer.Group<>(List.of(parameter(1)), o.withLr(-1)))))
        .withMessage(
            "AdamW: group 0 beta2: expected 0 to below 1, got 1.0; group 1 lr: expected 0 to"
                + " 1000000, got -1.0");
  }

  @Test
  void badRatesAreRefused() {
    try (Sgd sgd = new Sgd(List.of(parameter(1)), 0.1)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> sgd.rate(0, Double.NaN))
          .withMessage("Sgd: lr: expected 0 to 1000000, got NaN");
      assertThat(sgd.rate()).isEqualTo(0.1);
    }
  }

  @Test
  void parametersMustBeDistinctLeaves() {
    Tensor p = parameter(1);
    assertThatIllegalArgumentException().isThrownBy(() -> new Sgd(List.of(p, p), 0.1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Sgd(List.of(p.mul(2)), 0.1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Sgd(List.of(p.detach()), 0.1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Sgd(List.of(), 0.1));
  }

  @Test
  void aParameterBelongsToTheOptimizerMadeLast() {
    Tensor p = parameter(1);
    try (Sgd first = new Sgd(List.of(p), 0.1)) {
      backward(p, 1);
      try (Sgd second = new Sgd(List.of(p), 0.5)) {
        assertThatIllegalStateException()
            .isThrownBy(first::step)
            .withMessageContaining("another optimizer");
        second.step();
        assertThat(p.item()).isEqualTo(0.5);
      }
    }
  }

  // State

  @Test
  void loadedStateContinuesAsIfNothingHappened() {
    Tensor a = parameter(1, 2);
    Tensor b = parameter(1, 2);
    Adam.Options o = Adam.Options.DEFAULT.withLr(0.1);
    try (Adam first = new Adam(List.of(a), o);
        Adam second = new Adam(List.of(b), o)) {
      for (int k = 0; k < 3; k++) {
        first.zeroGrad();
        backward(a, k, 1 - k);
        first.rate(0, 0.1 / (k + 1));
        first.step();
      }
      Map<String, Tensor> saved = new LinkedHashMap<>();
      first.state().forEach((name, t) -> saved.put(name, t.mul(1)));
      assertThat(saved).containsOnlyKeys("0.exp_avg", "0.exp_avg_sq", "counters");
      second.load(saved, first.rates());
      b.detach().copyFrom(a.detach());
      first.zeroGrad();
      backward(a, 1, 5);
      backward(b, 1, 5);
      first.step();
      second.step();
      assertThat(b.toDoubles()).containsExactly(a.toDoubles());
      assertThat(second.rate()).isEqualTo(0.1 / 3);
    }
  }

  @Test
  void statesHavePyTorchsNamesAndOnlyWhatIsUsedIsKept() {
    Tensor p = parameter(1, 2);
    Tensor q = parameter(3);
    List<Tensor> one = List.of(p);
    RmsProp.Options rms = RmsProp.Options.DEFAULT;
    assertStates(new RmsProp(one, rms), "0.square_avg");
    assertStates(new RmsProp(one, rms.withCentered()), "0.square_avg", "0.grad_avg");
    assertStates(new RmsProp(one, rms.withMomentum(0.5)), "0.square_avg", "0.momentum_buffer");
    assertStates(new Adagrad(one, 1), "0.sum");
    assertStates(new NAdam(one, 1), "0.exp_avg", "0.exp_avg_sq");
    assertStates(
        new AdamW(one, AdamW.DEFAULT.withAmsgrad()),
        "0.exp_avg",
        "0.exp_avg_sq",
        "0.max_exp_avg_sq");
    assertStates(
        new RmsProp(
            List.of(
                new Optimizer.Group<>(one, rms),
                new Optimizer.Group<>(List.of(q), rms.withCentered().withMomentum(0.9)))),
        "0.square_avg",
        "1.square_avg",
        "1.grad_avg",
        "1.momentum_buffer");
  }

  private static void assertStates(Optimizer optimizer, String... names) {
    try (optimizer) {
      List<String> expected = new ArrayList<>(List.of(names));
      expected.add("counters");
      assertThat(optimizer.state().keySet()).containsExactlyElementsOf(expected);
      optimizer.state().forEach((name, t) -> assertThat(t.numel()).as(name).isPositive());
    }
  }

  @Test
  void groupsOfOneOptimizerMayKeepDifferentStates() {
    Tensor a = parameter(1, 2);
    Tensor b = parameter(1, 2);
    Tensor alone = parameter(1, 2);
    Tensor alone2 = parameter(1, 2);
    RmsProp.Options o = RmsProp.Options.DEFAULT.withLr(0.1);
    RmsProp.Options all = o.withCentered().withMomentum(0.9);
    try (RmsProp both =
            new RmsProp(
                List.of(
                    new Optimizer.Group<>(List.of(a), o), new Optimizer.Group<>(List.of(b), all)));
        RmsProp plain = new RmsProp(List.of(alone), o);
        RmsProp full = new RmsProp(List.of(alone2), all)) {
      for (int k = 0; k < 3; k++) {
        for (Tensor p : List.of(a, b, alone, alone2)) {
          backward(p, k - 1, 2);
        }
        List.of(both, plain, full).forEach(Optimizer::step);
        List.of(both, plain, full).forEach(Optimizer::zeroGrad);
      }
      assertThat(a.toDoubles()).containsExactly(alone.toDoubles());
      assertThat(b.toDoubles()).containsExactly(alone2.toDoubles());
      assertThat(a.toDoubles()).isNotEqualTo(b.toDoubles());
    }
  }

  @Test
  void theSumOfAdagradStartsWhereItsGroupSays() {
    Tensor a = parameter(1, 2);
    Tensor b = parameter(3);
    Adagrad.Options o = Adagrad.Options.DEFAULT;
    try (Adagrad adagrad =
        new Adagrad(
            List.of(
                new Optimizer.Group<>(List.of(a), o),
                new Optimizer.Group<>(List.of(b), o.withInitialAccumulator(0.25))))) {
      assertThat(adagrad.state().get("0.sum").toDoubles()).containsExactly(0, 0);
      assertThat(adagrad.state().get("1.sum").toDoubles()).containsExactly(0.25);
    }
  }

  @Test
  void stateThatDoesNotFitChangesNothing() {
    try (Sgd sgd = new Sgd(List.of(parameter(1, 2)), 0.1)) {
      Map<String, Tensor> wrong = new LinkedHashMap<>();
      wrong.put("0.momentum_buffer", Tensor.ones(CPU, DType.F64, 3));
      wrong.put("1.momentum_buffer", Tensor.ones(CPU, DType.F64, 1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> sgd.load(wrong, List.of(7.0)))
          .withMessageContainingAll(
              "mismatched 0.momentum_buffer, expected float64 (2), got float64 (3)",
              "missing counters",
              "unexpected 1.momentum_buffer");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> sgd.load(sgd.state(), List.of(Double.NaN)));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> sgd.load(sgd.state(), List.of(0.1, 0.1)))
          .withMessage("Sgd: rates: expected 1 of them, got [0.1, 0.1]");
      assertThat(sgd.rate()).isEqualTo(0.1);
      assertThat(sgd.state().get("0.momentum_buffer").toDoubles()).containsExactly(0, 0);
    }
  }

  @Test
  void stateMadeInAScopeOutlivesIt() {
    Tensor p = parameter(1);
    Sgd sgd;
    try (Scope _ = Scope.open()) {
      sgd = new Sgd(List.of(p), Sgd.Options.DEFAULT.withLr(1).withMomentum(0.5));
      backward(p, 1);
      sgd.step();
    }
    sgd.step();
    assertThat(p.item()).isEqualTo(1 - 1 - 1.5);
    sgd.close();
    assertThatIllegalStateException().isThrownBy(sgd::step).withMessageContaining("closed");
    assertThat(p.item()).isEqualTo(-1.5);
  }

  // Clipping

  @Test
  void clipGradNormScalesAllGradientsAsOneVector() {
    Tensor a = parameter(0, 0);
    Tensor b = parameter(0);
    try (Sgd sgd = new Sgd(List.of(a, b), 1)) {
      backward(a, 2, -1);
      backward(b, 2);
      Tensor total = sgd.clipGradNorm(1);
      assertThat(total.dim()).isZero();
      assertThat(total.item()).isEqualTo(3);
      assertThat(grad(a)).containsExactly(new double[] {2 / 3., -1 / 3.}, within(1e-6));
      assertThat(grad(b)).containsExactly(new double[] {2 / 3.}, within(1e-6));
      double[] before = grad(a);
      assertThat(sgd.clipGradNorm(100, 1).item()).isCloseTo(5 / 3., within(1e-6));
      assertThat(grad(a)).containsExactly(before);
      assertThat(sgd.clipGradNorm(0.5, Double.POSITIVE_INFINITY).item())
          .isCloseTo(2 / 3., within(1e-6));
      assertThat(grad(b)).containsExactly(new double[] {0.5}, within(1e-5));
    }
  }

  @Test
  void clipGradNormOfSomeOrNoGradients() {
    Tensor a = parameter(0, 0);
    Tensor b = parameter(0);
    try (Sgd sgd = new Sgd(List.of(a, b), 1)) {
      assertThat(sgd.clipGradNorm(1).item()).isZero();
      backward(b, -4);
      assertThat(sgd.clipGradNorm(2).item()).isEqualTo(4);
      assertThat(grad(b)).containsExactly(new double[] {-2}, within(1e-5));
      assertThat(a.grad()).isNull();
    }
  }

  @Test
  void largeFloatsDoNotOverflowInTheNorm() {
    Tensor p = Tensor.zeros(CPU, DType.F32, 2).requireGrad();
    try (Sgd sgd = new Sgd(List.of(p), 1)) {
      backward(p, 3e30, 4e30);
      Tensor total = sgd.clipGradNorm(1);
      assertThat(total.dtype()).isEqualTo(DType.F32);
      assertThat(total.item()).isCloseTo(5e30, within(1e24));
      assertThat(grad(p)).containsExactly(new double[] {0.6, 0.8}, within(1e-6));
    }
  }

  @Test
  void nanReachesAllGradientsButNotTheNextStep() {
    Tensor a = parameter(0, 0);
    Tensor b = parameter(0);
    try (Sgd sgd = new Sgd(List.of(a, b), 1)) {
      backward(a, Double.NaN, 1);
      backward(b, 1);
      assertThat(sgd.clipGradNorm(1).item()).isNaN();
      assertThat(grad(b)).containsExactly(Double.NaN);
      sgd.zeroGrad();
      backward(a, 0, Double.POSITIVE_INFINITY);
      backward(b, 1);
      assertThat(sgd.clipGradNorm(1).item()).isInfinite();
      assertThat(grad(a)).containsExactly(0, Double.NaN);
      assertThat(grad(b)).containsExactly(0);
      sgd.zeroGrad();
      backward(a, 3, 0);
      backward(b, 4);
      assertThat(sgd.clipGradNorm(10).item()).isEqualTo(5);
      assertThat(grad(b)).containsExactly(4);
    }
  }

  @Test
  void theNormOfManyElementsIsSummedInParts() {
    long n = (1 << 20) + 3;
    Tensor p = Tensor.zeros(CPU, DType.F32, n).requireGrad();
    try (Sgd sgd = new Sgd(List.of(p), 1);
        Scope _ = Scope.open()) {
      p.sum().backward();
      assertThat(sgd.clipGradNorm(1e9, 1).item()).isEqualTo(n);
      assertThat(sgd.clipGradNorm(1e9, Double.POSITIVE_INFINITY).item()).isEqualTo(1);
      assertThat(sgd.clipGradNorm(1e9).item()).isCloseTo(Math.sqrt(n), within(1e-3));
    }
  }

  @Test
  void clipGradValueLimitsEachElement() {
    Tensor p = parameter(0, 0, 0);
    try (Sgd sgd = new Sgd(List.of(p), 1)) {
      backward(p, -3, 0.25, 2);
      sgd.clipGradValue(0.5);
      assertThat(grad(p)).containsExactly(-0.5, 0.25, 0.5);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, -1, Double.NEGATIVE_INFINITY})
  void badLimitsAreRefused(double bad) {
    Tensor p = parameter(0);
    try (Sgd sgd = new Sgd(List.of(p), 1)) {
      backward(p, 2);
      assertThatIllegalArgumentException().isThrownBy(() -> sgd.clipGradNorm(bad));
      assertThatIllegalArgumentException().isThrownBy(() -> sgd.clipGradNorm(1, bad));
      assertThatIllegalArgumentException().isThrownBy(() -> sgd.clipGradValue(bad));
      assertThat(grad(p)).containsExactly(2);
    }
  }

  @Test
  void clippingWorksInsideAStep() {
    Tensor p = parameter(0, 0);
    try (Sgd sgd = new Sgd(List.of(p), 1);
        Step step =
            Step.of(
                x -> {
                  sgd.zeroGrad();
                  p.mul(x).sum().backward();
                  Tensor total = sgd.clipGradNorm(1);
                  sgd.step();
                  return total;
                })) {
      for (int k = 0; k < 4; k++) {
        assertThat(step.run(Tensor.of(CPU, new double[] {3, 4}, 2)).item()).isEqualTo(5);
      }
      assertThat(p.toDoubles()).containsExactly(new double[] {-2.4, -3.2}, within(1e-5));
    }
  }

  @Test
  void anOptimizerOfTensorsOnlyKnowsItsParameters() {
    Tensor p = parameter(1);
    try (Sgd sgd = new Sgd(List.of(p), 1)) {
      assertThat(sgd.parameters()).containsExactly(p);
      assertThatThrownBy(() -> sgd.parameters().add(p))
          .isInstanceOf(UnsupportedOperationException.class);
    }
  }

  @Test
  void groupsThatDoNotExistAreRefused() {
    Tensor p = parameter(1);
    try (Sgd sgd = new Sgd(List.of(p), 1)) {
      for (int group : new int[] {-1, 1}) {
        assertThatIllegalArgumentException().isThrownBy(() -> sgd.rate(group));
        assertThatIllegalArgumentException().isThrownBy(() -> sgd.rate(group, 0.1));
        assertThatIllegalArgumentException().isThrownBy(() -> sgd.baseRate(group));
      }
    }
  }

  @Test
  void skipMayBeATemporaryThatIsCollected() throws InterruptedException {
    Tensor p = parameter(0);
    Thread collector =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  while (!Thread.currentThread().isInterrupted()) {
                    System.gc();
                  }
                });
    try (Sgd sgd = new Sgd(List.of(p), 1)) {
      backward(p, 1);
      for (int k = 1; k <= 2_000; k++) {
        sgd.step(Tensor.zeros(CPU, DType.BOOL));
      }
      assertThat(p.toDoubles()).containsExactly(-2_000);
    } finally {
      collector.interrupt();
      collector.join();
    }
  }
}

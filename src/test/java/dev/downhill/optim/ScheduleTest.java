package dev.downhill.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleTest {
  private static void assertRates(Schedule schedule, double base, double... expected) {
    assertThat(
            LongStream.range(0, expected.length).mapToDouble(k -> schedule.rate(k, base)).toArray())
        .containsExactly(expected, within(1e-12));
  }

  @Test
  void stepsFallByAFactor() {
    assertRates(Schedule.constant(), 0.3, 0.3, 0.3);
    assertRates(Schedule.step(2, 0.5), 1, 1, 1, 0.5, 0.5, 0.25);
    assertRates(Schedule.exponential(0.5), 8, 8, 4, 2, 1);
    assertRates(Schedule.multiStep(0.1, 3, 1, 3), 1, 1, 0.1, 0.1, 0.001, 0.001);
    assertRates(Schedule.multiStep(0.1), 1, 1, 1);
  }

  @Test
  void cosineFallsToTheLowestAndRisesAgain() {
    Schedule cosine = Schedule.cosine(4, 0.2);
    double r = Math.sqrt(0.5);
    assertRates(
        cosine, 1, 1, 0.2 + 0.4 * (1 + r), 0.6, 0.2 + 0.4 * (1 - r), 0.2, 0.2 + 0.4 * (1 - r));
    assertThat(cosine.rate(8, 1)).isEqualTo(1);
  }

  @Test
  void warmRestartsBeginAgain() {
    assertRates(Schedule.cosineWarmRestarts(2, 1, 0), 1, 1, 0.5, 1, 0.5, 1, 0.5);
    Schedule doubling = Schedule.cosineWarmRestarts(1, 2, 0);
    double r = Math.sqrt(0.5);
    assertRates(doubling, 2, 2, 2, 1, 2, 1 + r, 1, 1 - r, 2);
    assertThat(Schedule.cosineWarmRestarts(1, 1_000_000_000_000L, 0).rate(Long.MAX_VALUE - 1, 1))
        .isBetween(0.0, 1.0);
  }

  @Test
  void linesAndPowersEndWhereTheyShould() {
    assertRates(Schedule.linear(0.5, 1, 2), 1, 0.5, 0.75, 1, 1);
    assertRates(Schedule.polynomial(4, 2), 16, 16, 9, 4, 1, 0, 0);
  }

  @Test
  void warmupComposesWithAnyOther() {
    assertRates(Schedule.step(2, 0.1).withWarmup(2, 0.5), 1, 0.5, 0.75, 1, 1, 0.1, 0.1, 0.01);
    assertRates(
        Schedule.sequential(
            List.of(Schedule.constant(), Schedule.exponential(0.5), Schedule.linear(0, 1, 2)),
            1,
            3),
        1,
        1,
        1,
        0.5,
        0,
        0.5,
        1,
        1);
  }

  @Test
  void oneCycleRisesAndFalls() {
    OneCycle twoPhases = new OneCycle(1, 11).withRise(6 / 11.0).withLinear().withDivFactors(2, 5);
    assertRates(twoPhases, 99, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 0.82, 0.64, 0.46, 0.28, 0.1, 0.1);
    Schedule three =
        new OneCycle(1, 10).withRise(0.3).withLinear().withDivFactors(2, 5).withThreePhase();
    assertRates(three, 99, 0.5, 0.75, 1, 0.75, 0.5, 0.42, 0.34, 0.26, 0.18, 0.1);
    Schedule waves = new OneCycle(1, 10);
    assertThat(waves.rate(2, 0)).isEqualTo(1);
    assertThat(waves.rate(1, 0)).isCloseTo((1 + 0.04) / 2, within(1e-12));
    assertThat(waves.rate(9, 0)).isCloseTo(0.04 / 1e4, within(1e-12));
    assertRates(new OneCycle(1, 10).withRise(0.1), 0, 1);
  }

  @ParameterizedTest
  @ValueSource(
      doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -1, 1e300})
  void badNumbersAreReportedTogether(double bad) {
    List<DoubleFunction<Schedule>> all =
        List.of(
            x -> Schedule.step(0, x),
            x -> Schedule.multiStep(x, -1),
            x -> Schedule.cosine(-5, x),
            x -> Schedule.cosineWarmRestarts(0, 0, x),
            x -> Schedule.linear(x, 1, 0),
            x -> Schedule.polynomial(0, x),
            x -> new OneCycle(x, 0));
    for (DoubleFunction<Schedule> schedule : all) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> schedule.apply(bad))
          .withMessageContainingAll("; ", "got " + bad);
    }
    assertThatIllegalArgumentException().isThrownBy(() -> Schedule.exponential(bad));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schedule.sequential(List.of(Schedule.constant()), 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schedule.sequential(List.of()))
        .withMessageContaining("one less than schedules");
    Schedule constant = Schedule.constant();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schedule.sequential(List.of(constant, constant, constant), 4, 2));
  }

  private static Sgd sgd(double... rates) {
    return new Sgd(
        Arrays.stream(rates)
            .mapToObj(
                r ->
                    new Optimizer.Group<>(
                        List.of(Tensor.of(Device.cpu(), new float[] {1}, 1).requireGrad()),
                        Sgd.Options.DEFAULT.withLr(r)))
            .toList());
  }

  @Test
  void aSchedulerWritesTheRateOfEveryGroup() {
    try (Sgd sgd = sgd(1, 4)) {
      Scheduler scheduler = new Scheduler(sgd, Schedule.linear(0.5, 1, 2));
      assertThat(List.of(sgd.rate(0), sgd.rate(1))).containsExactly(0.5, 2.0);
      scheduler.step();
      assertThat(List.of(sgd.rate(0), sgd.rate(1))).containsExactly(0.75, 3.0);
      scheduler.seek(10);
      assertThat(List.of(sgd.rate(0), sgd.rate(1))).containsExactly(1.0, 4.0);
      assertThat(new Scheduler(sgd, Schedule.exponential(0.5)).steps()).isZero();
      assertThat(sgd.rate(1)).isEqualTo(4);
      assertThatIllegalArgumentException().isThrownBy(() -> scheduler.seek(-1));
      assertThat(scheduler.steps()).isEqualTo(10);
    }
  }

  @Test
  void aSchedulerInsideAStepIsAnErrorAndCountsNothing() {
    try (Sgd sgd = sgd(1)) {
      Scheduler scheduler = new Scheduler(sgd, Schedule.constant());
      try (Step step =
          Step.of(
              x -> {
                scheduler.step();
                return x.mul(2);
              })) {
        Tensor x = Tensor.of(Device.cpu(), new float[] {1}, 1);
        assertThatIllegalStateException().isThrownBy(() -> step.run(x));
      }
      assertThat(scheduler.steps()).isZero();
    }
  }

  @Test
  void aPlateauLowersTheRate() {
    try (Sgd sgd = sgd(1)) {
      ReduceOnPlateau plateau =
          new ReduceOnPlateau(
              sgd,
              ReduceOnPlateau.Options.DEFAULT
                  .withFactor(0.5)
                  .withPatience(1)
                  .withCooldown(2)
                  .withLowest(0.2)
                  .withThreshold(0.1, ReduceOnPlateau.Threshold.ABSOLUTE));
      double[] metrics = {5, 4.95, Double.NaN, 4, 9, 9, 9, 9, 3, 9, 9, 9, 9, 9, 9};
      double[] rates = {1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2};
      for (int i = 0; i < metrics.length; i++) {
        plateau.step(metrics[i]);
        assertThat(sgd.rate()).as("after metric %d", i).isEqualTo(rates[i]);
        ReduceOnPlateau resumed = new ReduceOnPlateau(sgd, ReduceOnPlateau.Options.DEFAULT);
        resumed.load(plateau.state());
        assertThat(resumed.state()).isEqualTo(plateau.state());
      }
    }
  }

  @Test
  void aPlateauOfHighMetricsCountsRelativeToTheBest() {
    try (Sgd sgd = sgd(1)) {
      ReduceOnPlateau plateau =
          new ReduceOnPlateau(
              sgd,
              ReduceOnPlateau.Options.DEFAULT
                  .withMode(ReduceOnPlateau.Mode.MAX)
                  .withPatience(0)
                  .withThreshold(0.1, ReduceOnPlateau.Threshold.RELATIVE));
      plateau.step(10);
      plateau.step(11.5);
      assertThat(sgd.rate()).isEqualTo(1);
      plateau.step(12);
      assertThat(sgd.rate()).isEqualTo(0.1);
    }
  }
}

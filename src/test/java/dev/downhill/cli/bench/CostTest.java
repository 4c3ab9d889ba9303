package dev.downhill.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.tensor.Tensor;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The least work of a step, against sums by hand and the models themselves. */
class CostTest {
  private static Workload workload(String id) {
    return Workload.ALL.stream().filter(w -> w.id().equals(id)).findFirst().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"W1, 6.65e6", "W2, 308e6", "W3, 1.60e9", "W4, 10.6e9", "W5, 1.57e6"})
  void operationsOfAStep(String id, double flops) {
    assertThat(workload(id).cost().flops()).isCloseTo(flops, Percentage.withPercentage(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"W1", "W2", "W3", "W4", "W5"})
  void parametersAreThoseOfTheModel(String id) {
    Workload workload = workload(id);
    assertThat(workload.cost().parameters()).isEqualTo(trained(workload));
  }

  @ParameterizedTest
  @ValueSource(strings = {"W1", "W2", "W3", "W4", "W5"})
  void eachSizeCanBeAnother(String id) {
    Sizes sizes = workload(id).sizes();
    sizes
        .byName()
        .forEach(
            (name, size) -> {
              Workload other = workload(id).in(sizes.with(name, size + 9));
              assertThat(other.cost().parameters()).as(name).isEqualTo(trained(other));
            });
  }

  private static long trained(Workload workload) {
    try (Training training = workload.start(Device.cpu())) {
      return training.model().parameters().stream().mapToLong(Tensor::numel).sum();
    }
  }

  @Test
  void aBatchIsTheSameWheneverItIsMade() {
    try (Training a = workload("W5").start(Device.cpu());
        Training b = workload("W5").start(Device.cpu())) {
      b.batch(0);
      for (int i = 0; i < 3; i++) {
        assertThat(a.batch(3).get(i).toDoubles()).isEqualTo(b.batch(3).get(i).toDoubles());
      }
      assertThat(a.batch(0).get(0).toDoubles()).isNotEqualTo(a.batch(1).get(0).toDoubles());
    }
  }
}

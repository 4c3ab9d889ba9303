package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.Emulator;
import dev.downhill.backend.Device;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Every operator on all its cases: the CUDA backend gives what the CPU backend gives, forward and
 * backward, and computes nothing on the host.
 */
@Tag("cuda")
final class CudaParityTest {
  private static final Device CPU = Device.of("cpu:44");
  private static final Parity PARITY = new Parity();
  private static long cases;

  @TestFactory
  Stream<DynamicNode> cudaEqualsCpu() {
    return OpTable.ROWS.stream()
        .map(
            row ->
                dynamicContainer(
                    row.name(),
                    OpCase.of(row).stream().map(c -> dynamicTest(c.name(), () -> check(c)))));
  }

  private static void check(OpCase c) {
    cases++;
    List<double[]> expected = Parity.numbers(c, CPU);
    try (var _ = Scope.open()) {
      List<Tensor> inputs = c.inputs(Device.of("cuda"));
      long before = Emulator.count("copies_to_host");
      List<Tensor> results = Parity.compute(c, inputs);
      if (c.row().recordable()) {
        assertThat(Emulator.count("copies_to_host") - before)
            .as("copies to the host before results are read")
            .isZero();
      }
      assertThat(PARITY.difference(Parity.read(results), expected, Parity.tolerance(c))).isEmpty();
    }
  }

  @AfterAll
  static void somethingWasCompared() {
    System.out.printf(
        "CUDA parity: %d cases, %d numbers compared, %d launches%n",
        cases, PARITY.comparisons(), Emulator.count("launches"));
    assertThat(PARITY.comparisons()).isPositive();
  }
}

package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/** Calls that an operator must refuse by name, with the shapes, and after which all goes on. */
final class Refusals {
  private final List<DynamicTest> tests = new ArrayList<>();

  /**
   * A call that is wrong in one way.
   *
   * @param op how the message begins
   * @param part what it says besides
   */
  Refusals add(String op, String part, Executable call) {
    tests.add(
        dynamicTest("%s %d: %s".formatted(op, tests.size(), part), () -> check(op, part, call)));
    return this;
  }

  /** That a call is refused. */
  static void refused(String op, Executable call) {
    check(op, "expected", call);
  }

  private static void check(String op, String part, Executable call) {
    assertThatThrownBy(call::execute)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(op + ": ")
        .hasMessageContaining(part)
        .hasMessageContaining("(shapes ");
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.arange(Device.cpu(), DType.F64, 3);
      assertThat(x.mul(x).sum().item()).isEqualTo(5);
    }
  }

  Stream<DynamicTest> stream() {
    return tests.stream();
  }
}

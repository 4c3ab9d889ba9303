package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DynamicTest;

/** Calls that an operator must refuse by name, with the shapes, and after which all goes on. */
final class Refusals {
  private static final ScopedValue<Map<String, Set<String>>> COUNT = ScopedValue.newInstance();

  private record Refusal(String op, String part, ThrowingCallable call) {
    void check() {
      refused(call, op + ": ", part, "(shape");
    }
  }

  private final List<Refusal> all = new ArrayList<>();

  /**
   * A call that is wrong in one way.
   *
   * @param op how the message begins
   * @param part what it says besides
   */
  Refusals add(String op, String part, ThrowingCallable call) {
    all.add(new Refusal(op, part, call));
    return this;
  }

  /** That a call is refused. */
  static void refused(String op, ThrowingCallable call) {
    refused(call, op + ": ", "expected", "(shape");
  }

  /** That a call is refused in these words, and that the device goes on. */
  static void refused(ThrowingCallable call, String... words) {
    refused(IllegalArgumentException.class, call, words);
  }

  /** That a call is refused with an exception of a type. */
  static void refused(Class<?> type, ThrowingCallable call, String... words) {
    assertThatThrownBy(call)
        .isInstanceOf(type)
        .hasMessageContainingAll(words)
        .satisfies(e -> count(String.valueOf(e.getMessage())));
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.arange(Device.cpu(), DType.F64, 3);
      assertThat(x.mul(x).sum().item()).isEqualTo(5);
    }
  }

  private static void count(String message) {
    if (COUNT.isBound()) {
      String op = message.substring(0, message.indexOf(':'));
      COUNT.get().computeIfAbsent(op, _ -> new TreeSet<>()).add(message);
    }
  }

  /** The distinct messages of what is refused meanwhile, by operator. */
  static Map<String, Set<String>> counted(Runnable tests) {
    Map<String, Set<String>> messages = new TreeMap<>();
    ScopedValue.where(COUNT, messages).run(tests);
    return messages;
  }

  /** Each call as a test. */
  Stream<DynamicTest> stream() {
    return all.stream().map(r -> dynamicTest("%s: %s".formatted(r.op(), r.part()), r::check));
  }

  /** Runs one of them. */
  static void run(DynamicTest test) {
    assertThatCode(() -> test.getExecutable().execute()).doesNotThrowAnyException();
  }

  /** All calls as one test. */
  void check() {
    all.forEach(Refusal::check);
  }
}

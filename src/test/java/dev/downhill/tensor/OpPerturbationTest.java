package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.downhill.autograd.Contribution;
import dev.downhill.autograd.Engine;
import dev.downhill.autograd.Node;
import dev.downhill.backend.Device;
import dev.downhill.tensor.GradientCheck.Report;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The check of the table must notice wrong rules: every rule's contribution, for each input, is
 * made wrong by a thousandth, and then left out.
 */
final class OpPerturbationTest {
  private static final Device DEVICE = Device.of("cpu:33");

  /** A rule: the operator and which of its inputs. */
  private record RuleOf(String op, int input) {
    @Override
    public String toString() {
      return op + " input " + input;
    }
  }

  /** Rules whose contribution is zero wherever it exists, by operator. */
  private static final Map<String, String> ZERO =
      Map.of(
          "sign", "flat between its jumps",
          "floor", "flat between its jumps");

  /** Calls whose gradient is zero. */
  private static final Map<String, String> ZERO_CALLS =
      Map.of(
          "pow(Tensor, double) 0", "x^0 is 1 everywhere",
          "clamp(Tensor, double, double) 0.8 -0.7", "the upper bound everywhere",
          "dropout(Tensor, double, Generator) 1", "everything is omitted");

  private static final Set<RuleOf> SEEN = java.util.concurrent.ConcurrentHashMap.newKeySet();
  private static final Set<RuleOf> CAUGHT = java.util.concurrent.ConcurrentHashMap.newKeySet();

  private enum Wrong {
    SCALED,
    DROPPED
  }

  @TestFactory
  Stream<DynamicTest> wrongRulesAreNoticed() {
    return OpTable.ROWS.stream()
        .filter(row -> row.order() > 0)
        .flatMap(row -> row.calls().stream().map(call -> OpCase.largest(row, call)))
        .flatMap(OpPerturbationTest::perturbed);
  }

  private static Stream<DynamicTest> perturbed(OpCase c) {
    List<DynamicTest> tests = new ArrayList<>();
    for (int i = 0; i < c.row().domains().size(); i++) {
      if (c.row().domains().get(i).isFloating()) {
        int input = i;
        for (Wrong wrong : Wrong.values()) {
          tests.add(
              dynamicTest(
                  c.row().name() + ": " + c.call() + ", input " + i + " " + wrong,
                  () -> leaf(c, input, wrong)));
        }
      }
    }
    tests.add(
        dynamicTest(c.row().name() + ": " + c.call() + ", every rule inside", () -> rules(c)));
    return tests.stream();
  }

  /** Tampers with all that arrives at one input. */
  private static void leaf(OpCase c, int input, Wrong wrong) {
    try (var _ = Scope.open()) {
      List<Tensor> inputs = c.inputs(DEVICE);
      Node<Tensor> leaf = inputs.get(input).node();
      Report report = check(c, inputs, (node, i, k) -> node.input(i) == leaf ? made(k, wrong) : k);
      boolean zero =
          ZERO.containsKey(c.row().name()) || ZERO_CALLS.containsKey(c.call().toString());
      assertThat(report.passed()).as("%s", report).isEqualTo(zero);
    }
  }

  private static Report check(OpCase c, List<Tensor> inputs, Engine.Observer<Tensor> observer) {
    try (var _ = Autograd.observe(observer)) {
      return GradientCheck.check(c.function(), inputs, OpCaseTest.OPTIONS.withEps(c.row().eps()));
    }
  }

  private static @Nullable Contribution<Tensor> made(Contribution<Tensor> c, Wrong wrong) {
    if (wrong == Wrong.DROPPED) {
      return null;
    }
    return switch (c) {
      case Contribution.Whole<Tensor>(Tensor value) -> new Contribution.Whole<>(value.mul(1.001));
      case Contribution.Placed<Tensor>(Tensor value, Contribution.Place<Tensor> place) ->
          new Contribution.Placed<>(value.mul(1.001), place);
      case Contribution.Written<Tensor> w -> throw new AssertionError("seen by an observer");
    };
  }

  /** Tampers with every rule that takes part, one after the other. */
  private static void rules(OpCase c) {
    try (var _ = Scope.open()) {
      List<Tensor> inputs = c.inputs(DEVICE);
      Set<RuleOf> found = new TreeSet<>(java.util.Comparator.comparing(RuleOf::toString));
      check(
              c,
              inputs,
              (node, i, k) -> {
                found.add(new RuleOf(node.op(), i));
                return k;
              })
          .assertPasses();
      assertThat(found).isNotEmpty();
      SEEN.addAll(found);
      for (RuleOf rule : found) {
        boolean caught = true;
        for (Wrong wrong : Wrong.values()) {
          Report report =
              check(
                  c,
                  inputs,
                  (node, i, k) -> new RuleOf(node.op(), i).equals(rule) ? made(k, wrong) : k);
          caught &= !report.passed();
        }
        if (caught) {
          CAUGHT.add(rule);
        }
      }
    }
  }

  @AfterAll
  static void everyRuleWasCaughtSomewhere() {
    Set<String> missed = new TreeSet<>();
    for (RuleOf rule : SEEN) {
      if (!CAUGHT.contains(rule) && !ZERO.containsKey(rule.op())) {
        missed.add(rule.toString());
      }
    }
    assertThat(missed).as("rules that may be wrong unnoticed, of %s", SEEN).isEmpty();
    System.out.printf(
        "wrong rules noticed: %d of %d, the others zero%n", CAUGHT.size(), SEEN.size());
  }
}

package dev.downhill.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the engine computes, on plain numbers. Who holds what meanwhile is in EngineHoldsTest. */
final class EngineTest {
  /** Numbers are never changed in place, so all that matters is the sum. */
  private static final class Numbers implements Space<Double> {
    int sums;

    @Override
    public Double add(Double a, Double b) {
      sums++;
      return a + b;
    }

    @Override
    public Double place(
        Node<Double> node, @Nullable Double whole, Double value, Contribution.Place<Double> place) {
      sums += whole == null ? 0 : 1;
      return (whole == null ? 0 : whole) + value;
    }

    @Override
    public boolean isExclusive(Double value) {
      return false;
    }

    @Override
    public void addInto(Double total, Double x) {
      throw new AssertionError("nothing is exclusive");
    }

    @Override
    public Double hold(Double value) {
      return value;
    }

    @Override
    public void release(Double value) {}
  }

  /** A function value with its partial derivatives, or a leaf. */
  private static class Value extends Node<Double> {
    final double y;
    final List<@Nullable Node<Double>> inputs;
    final List<DoubleUnaryOperator> rules;
    int opened;
    int done;

    Value(double y, List<@Nullable Node<Double>> inputs, List<DoubleUnaryOperator> rules) {
      this.y = y;
      this.inputs = inputs;
      this.rules = rules;
    }

    @Override
    public String op() {
      return inputs.isEmpty() ? "leaf" : "value";
    }

    @Override
    public int arity() {
      return inputs.size();
    }

    @Override
    public @Nullable Node<Double> input(int i) {
      return inputs.get(i);
    }

    @Override
    public @Nullable Contribution<Double> pull(
        int i, Double dy, @Nullable Destination<Double> destination) {
      return new Contribution.Whole<>(rules.get(i).applyAsDouble(dy));
    }

    @Override
    public void open() {
      opened++;
    }

    @Override
    public void done() {
      done++;
    }
  }

  private static Value leaf(double y) {
    return new Value(y, List.of(), List.of());
  }

  private static Value add(Value a, Value b) {
    return new Value(a.y + b.y, List.of(a, b), List.of(dy -> dy, dy -> dy));
  }

  private static Value mul(Value a, Value b) {
    return new Value(a.y * b.y, List.of(a, b), List.of(dy -> dy * b.y, dy -> dy * a.y));
  }

  private static Value sin(Value a) {
    return new Value(Math.sin(a.y), List.of(a), List.of(dy -> dy * Math.cos(a.y)));
  }

  /** Collects the gradients of leaves, summing what arrives in several passes. */
  private static final class Leaves implements Sink<Double> {
    final Map<Node<Double>, Double> gradients = new IdentityHashMap<>();

    @Override
    public boolean wants(Node<Double> node) {
      return node.arity() == 0;
    }

    @Override
    public void accept(Node<Double> node, Double gradient) {
      gradients.merge(node, gradient, Double::sum);
    }

    double of(Node<Double> leaf) {
      return gradients.get(leaf);
    }
  }

  private static Leaves backward(Value... roots) {
    Leaves leaves = new Leaves();
    new Engine<>(new Numbers(), null)
        .backward(List.of(roots), java.util.Collections.nCopies(roots.length, 1.0), leaves, false);
    return leaves;
  }

  @Test
  void diamondSumsBothPaths() {
    Value x = leaf(0.7);
    Value a = sin(x);
    Value b = mul(x, x);
    Leaves leaves = backward(mul(a, b));
    // d/dx sin(x) x^2
    assertThat(leaves.of(x))
        .isCloseTo(
            Math.cos(0.7) * 0.49 + Math.sin(0.7) * 1.4,
            org.assertj.core.api.Assertions.within(1e-15));
  }

  @Test
  void valueUsedTwiceByOneNodeGetsBothContributions() {
    Value x = leaf(3);
    assertThat(backward(mul(x, x)).of(x)).isEqualTo(6);
    Value y = leaf(3);
    Value square = mul(y, y);
    assertThat(backward(mul(square, square)).of(y)).isEqualTo(4 * 27.0);
  }

  @Test
  void deepDiamondsVisitEveryNodeOnce() {
    // 60 diamonds in a row have 2^60 paths.
    Value x = leaf(1);
    List<Value> all = new ArrayList<>();
    Value v = x;
    for (int i = 0; i < 60; i++) {
      v = add(v, v);
      all.add(v);
    }
    assertThat(backward(v).of(x)).isEqualTo(0x1p60);
    assertThat(all).allSatisfy(n -> assertThat(n.opened).isEqualTo(1));
    assertThat(all).allSatisfy(n -> assertThat(n.done).isEqualTo(1));
  }

  @Test
  void unusedBranchesAreNotVisited() {
    Value x = leaf(2);
    Value used = sin(x);
    Value unused = mul(used, x);
    backward(used);
    assertThat(unused.opened).isZero();
    Value root = add(used, used);
    Leaves leaves = backward(root);
    assertThat(unused.opened).isZero();
    assertThat(leaves.of(x)).isEqualTo(2 * Math.cos(2));
  }

  @Test
  void inputWithoutANodeIsNotPulled() {
    Value x = leaf(5);
    List<@Nullable Node<Double>> inputs = new ArrayList<>();
    inputs.add(null);
    inputs.add(x);
    Value y =
        new Value(
            15,
            inputs,
            List.of(
                dy -> {
                  throw new AssertionError("nobody needs this");
                },
                dy -> 3 * dy));
    assertThat(backward(y).of(x)).isEqualTo(3);
  }

  @Test
  void nullContributionCutsTheBranch() {
    Value x = leaf(5);
    Value below = sin(x);
    Value y =
        new Value(1, List.of(below, x), List.of(dy -> dy, dy -> dy)) {
          @Override
          public @Nullable Contribution<Double> pull(
              int i, Double dy, @Nullable Destination<Double> d) {
            return i == 0 ? null : super.pull(i, dy, d);
          }
        };
    assertThat(backward(y).of(x)).isEqualTo(1);
    assertThat(below.opened).isZero();
  }

  @Test
  void chainOfAHundredThousandNodesNeedsNoStack() {
    Value x = leaf(1);
    Value v = x;
    for (int i = 0; i < 100_000; i++) {
      v = new Value(v.y, List.of(v), List.of(dy -> dy));
    }
    assertThat(backward(v).of(x)).isEqualTo(1);
  }

  @Test
  void rootsMayBeManyAndOccurTwice() {
    Value x = leaf(2);
    Value a = mul(x, x);
    Value b = mul(a, x);
    Leaves leaves = new Leaves();
    new Engine<>(new Numbers(), null)
        .backward(List.of(a, b, a), List.of(1.0, 10.0, 100.0), leaves, false);
    // 101 d(x^2) + 10 d(x^3)
    assertThat(leaves.of(x)).isEqualTo(101 * 4 + 10 * 12);
    assertThat(a.opened).isEqualTo(1);
  }

  @Test
  void rootThatIsALeafReceivesItsSeed() {
    Value x = leaf(2);
    assertThat(backward(x).of(x)).isEqualTo(1);
  }

  @Test
  void sumsAreMadeOnlyWhereContributionsMeet() {
    Value x = leaf(2);
    Value chain = sin(sin(sin(x)));
    Numbers numbers = new Numbers();
    new Engine<>(numbers, null).backward(List.of(chain), List.of(1.0), new Leaves(), false);
    assertThat(numbers.sums).isZero();
    new Engine<>(numbers, null).backward(List.of(add(x, x)), List.of(1.0), new Leaves(), false);
    assertThat(numbers.sums).isEqualTo(1);
  }

  @Test
  void retainKeepsWhatNodesSaved() {
    Value x = leaf(2);
    Value y = mul(x, x);
    Leaves leaves = new Leaves();
    Engine<Double> engine = new Engine<>(new Numbers(), null);
    engine.backward(List.of(y), List.of(1.0), leaves, true);
    assertThat(y.done).isZero();
    engine.backward(List.of(y), List.of(1.0), leaves, false);
    assertThat(y.done).isEqualTo(1);
    assertThat(leaves.of(x)).isEqualTo(8);
  }

  @Test
  void intermediateValuesCanBeWanted() {
    Value x = leaf(2);
    Value a = mul(x, x);
    Value y = mul(a, a);
    Map<Node<Double>, Double> seen = new IdentityHashMap<>();
    new Engine<>(new Numbers(), null)
        .backward(
            List.of(y),
            List.of(1.0),
            new Sink<>() {
              @Override
              public boolean wants(Node<Double> node) {
                return node != x;
              }

              @Override
              public void accept(Node<Double> node, Double gradient) {
                seen.put(node, gradient);
              }
            },
            false);
    assertThat(seen).containsOnlyKeys(y, a);
    assertThat(seen.get(y)).isEqualTo(1);
    assertThat(seen.get(a)).isEqualTo(8);
  }

  @Test
  void observerSeesAndReplacesEveryContribution() {
    Value x = leaf(3);
    Value a = mul(x, x);
    Value y = add(a, x);
    List<String> seen = new ArrayList<>();
    Leaves leaves = new Leaves();
    new Engine<Double>(
            new Numbers(),
            (node, input, c) -> {
              seen.add((node == y ? "y" : "a") + input);
              double value = ((Contribution.Whole<Double>) c).value();
              return node == a && input == 1 ? null : new Contribution.Whole<>(10 * value);
            })
        .backward(List.of(y), List.of(1.0), leaves, false);
    assertThat(seen).containsExactly("y0", "y1", "a0", "a1");
    // 10 from y, and 10 * 10 * 3 from a's first input alone.
    assertThat(leaves.of(x)).isEqualTo(10 + 300);
  }

  @Test
  void destinationIsOfferedToWantedLeavesOnly() {
    Value x = leaf(3);
    Value hidden = leaf(4);
    List<Node<Double>> offeredFor = new ArrayList<>();
    class Asking extends Value {
      Asking(double y, Node<Double> a, Node<Double> b) {
        super(y, List.of(a, b), List.of(dy -> dy, dy -> dy));
      }

      @Override
      public @Nullable Contribution<Double> pull(
          int i, Double dy, @Nullable Destination<Double> d) {
        if (d != null) {
          offeredFor.add(input(i));
          return new Contribution.Written<>();
        }
        return super.pull(i, dy, d);
      }
    }
    Value inner = new Asking(1, x, hidden);
    Value y = new Asking(1, inner, x);
    List<Node<Double>> written = new ArrayList<>();
    Sink<Double> sink =
        new Sink<>() {
          @Override
          public boolean wants(Node<Double> node) {
            return node == x;
          }

          @Override
          public void accept(Node<Double> node, Double gradient) {
            throw new AssertionError("all was written");
          }

          @Override
          public Destination<Double> destination(Node<Double> leaf) {
            return new Destination<>(0.0, !written.isEmpty());
          }

          @Override
          public void written(Node<Double> leaf) {
            written.add(leaf);
          }
        };
    new Engine<>(new Numbers(), null).backward(List.of(y), List.of(1.0), sink, false);
    assertThat(offeredFor).containsExactly(x, x);
    assertThat(written).containsExactly(x, x);

    // An observer must see values, so then nothing is offered.
    offeredFor.clear();
    Leaves leaves = new Leaves();
    new Engine<Double>(new Numbers(), (node, i, c) -> c)
        .backward(List.of(y), List.of(1.0), leaves, false);
    assertThat(offeredFor).isEmpty();
    assertThat(leaves.of(x)).isEqualTo(2);
  }

  @Test
  void writingWithoutAnOfferIsOurOwnFault() {
    Value x = leaf(1);
    Value y =
        new Value(1, List.of(sin(x)), List.of(dy -> dy)) {
          @Override
          public Contribution<Double> pull(int i, Double dy, @Nullable Destination<Double> d) {
            return new Contribution.Written<>();
          }
        };
    assertThatThrownBy(() -> backward(y)).isInstanceOf(AssertionError.class);
  }

  @Test
  void openMayRefuse() {
    Value x = leaf(1);
    Value y =
        new Value(1, List.of(x), List.of(dy -> dy)) {
          @Override
          public void open() {
            throw new IllegalStateException("gone");
          }
        };
    assertThatThrownBy(() -> backward(y)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void numbersGrowWithCreation() {
    Value a = leaf(1);
    Value b = sin(a);
    assertThat(b.number()).isGreaterThan(a.number());
  }
}

package dev.downhill.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Who holds which value, and what is changed in place: on small arrays with counted holders. */
final class EngineHoldsTest {
  private static final int SIZE = 6;

  /** Memory with a count of its holders. */
  private static final class Block {
    final double[] data;
    int holders;

    Block(double... data) {
      this.data = data;
    }
  }

  /** One hold on a block; letting go twice is an error. */
  private static final class Hold {
    final Block block;
    boolean released;

    Hold(Block block) {
      this.block = block;
      block.holders++;
    }

    double[] data() {
      assertThat(released).as("used after release").isFalse();
      return block.data;
    }
  }

  private static final class Blocks implements Space<Hold> {
    final List<Hold> handed = new ArrayList<>();
    int fresh;
    int inPlace;

    private Hold hand(Block block) {
      Hold hold = new Hold(block);
      handed.add(hold);
      return hold;
    }

    @Override
    public Hold add(Hold a, Hold b) {
      fresh++;
      double[] sum = new double[SIZE];
      Arrays.setAll(sum, i -> a.data()[i] + b.data()[i]);
      return hand(new Block(sum));
    }

    @Override
    public Hold place(
        Node<Hold> node, @Nullable Hold whole, Hold value, Contribution.Place<Hold> place) {
      fresh++;
      Hold y = hand(new Block(whole == null ? new double[SIZE] : whole.data().clone()));
      place.add(y, value);
      return y;
    }

    @Override
    public boolean isExclusive(Hold value) {
      return value.block.holders == 1;
    }

    @Override
    public void addInto(Hold total, Hold x) {
      inPlace++;
      assertThat(total.block.holders).as("holders of a sum changed in place").isEqualTo(1);
      Arrays.setAll(total.data(), i -> total.data()[i] + x.data()[i]);
    }

    @Override
    public Hold hold(Hold value) {
      return hand(value.block);
    }

    @Override
    public void release(Hold value) {
      assertThat(value.released).as("released twice").isFalse();
      value.released = true;
      value.block.holders--;
    }

    void assertAllReleasedOnce() {
      assertThat(handed).isNotEmpty().allSatisfy(h -> assertThat(h.released).isTrue());
    }
  }

  /** One element of the whole. */
  private record Element(int at, Blocks space) implements Contribution.Place<Hold> {
    @Override
    public void add(Hold whole, Hold value) {
      space.inPlace++;
      whole.data()[at] += value.data()[0];
    }

    @Override
    public Hold take(Hold whole) {
      throw new AssertionError("first derivatives only");
    }
  }

  private interface Rule {
    @Nullable Contribution<Hold> pull(Hold dy);
  }

  private static final class Op extends Node<Hold> {
    final List<Node<Hold>> inputs;
    final List<Rule> rules;

    Op(List<Node<Hold>> inputs, List<Rule> rules) {
      this.inputs = inputs;
      this.rules = rules;
    }

    @Override
    public String op() {
      return "op";
    }

    @Override
    public int arity() {
      return inputs.size();
    }

    @Override
    public Node<Hold> input(int i) {
      return inputs.get(i);
    }

    @Override
    public @Nullable Contribution<Hold> pull(
        int i, Hold dy, @Nullable Destination<Hold> destination) {
      return rules.get(i).pull(dy);
    }
  }

  private static Op leaf() {
    return new Op(List.of(), List.of());
  }

  // A rule's own result: a block that nobody holds until the engine does.
  private static Hold made(Block block) {
    Hold hold = new Hold(block);
    block.holders--;
    return hold;
  }

  private static Rule times(double factor) {
    return dy -> {
      double[] y = dy.data().clone();
      Arrays.setAll(y, i -> factor * y[i]);
      return new Contribution.Whole<>(made(new Block(y)));
    };
  }

  private static final Rule PASS = dy -> new Contribution.Whole<>(dy);

  private static Rule into(int at, Blocks space) {
    return dy -> new Contribution.Placed<>(made(new Block(dy.data()[at])), new Element(at, space));
  }

  private static Op op(Node<Hold> a, Rule rule) {
    return new Op(List.of(a), List.of(rule));
  }

  private static Op op(Node<Hold> a, Rule left, Node<Hold> b, Rule right) {
    return new Op(List.of(a, b), List.of(left, right));
  }

  private final Blocks space = new Blocks();
  private final Map<Node<Hold>, double[]> gradients = new IdentityHashMap<>();

  private final Sink<Hold> leaves =
      new Sink<>() {
        @Override
        public boolean wants(Node<Hold> node) {
          return node.arity() == 0;
        }

        @Override
        public void accept(Node<Hold> node, Hold gradient) {
          assertThat(gradients.put(node, gradient.data().clone())).isNull();
        }
      };

  private void backward(Op root, Block seed) {
    Hold start = new Hold(seed);
    new Engine<>(space, null).backward(List.of(root), List.of(start), leaves, false);
    assertThat(seed.data).as("the seed is left alone").containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(seed.holders).as("holders of the seed").isEqualTo(1);
    space.assertAllReleasedOnce();
  }

  private static Block seed() {
    return new Block(1, 2, 3, 4, 5, 6);
  }

  @Test
  void passedOnValueIsNotChangedInPlace() {
    Op x = leaf();
    Op y = leaf();
    // dy goes on by reference to both inputs, and x gets more later: y must not see it.
    Op sum = op(x, PASS, y, PASS);
    Op root = op(sum, PASS, x, times(10));
    backward(root, seed());
    assertThat(gradients.get(y)).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(gradients.get(x)).containsExactly(11, 22, 33, 44, 55, 66);
  }

  @Test
  void sameValueForBothInputsIsAddedFresh() {
    Op x = leaf();
    backward(op(x, PASS, x, PASS), seed());
    assertThat(gradients.get(x)).containsExactly(2, 4, 6, 8, 10, 12);
    assertThat(space.fresh).isEqualTo(1);
  }

  @Test
  void exclusiveSumsAreAddedInPlace() {
    Op x = leaf();
    Op root = op(x, times(1));
    for (int i = 0; i < 99; i++) {
      root = op(x, times(1), root, PASS);
    }
    backward(root, seed());
    assertThat(gradients.get(x)).containsExactly(100, 200, 300, 400, 500, 600);
    assertThat(space.fresh).isZero();
    assertThat(space.inPlace).isEqualTo(99);
  }

  @Test
  void manyPartsMakeOneWhole() {
    Op x = leaf();
    Op root = op(x, into(0, space));
    for (int i = 1; i < 1000; i++) {
      root = op(x, into(i % SIZE, space), root, PASS);
    }
    backward(root, seed());
    // 1000 = 6 * 166 + 4: the first four elements have one part more.
    assertThat(gradients.get(x)).containsExactly(167, 334, 501, 668, 166 * 5, 166 * 6);
    assertThat(space.fresh).isEqualTo(1);
    assertThat(space.inPlace).isEqualTo(1000);
  }

  @Test
  void partIsPutIntoACopyOfAValueThatOthersHold() {
    Op x = leaf();
    Op y = leaf();
    Op sum = op(x, PASS, y, PASS);
    // x first gets dy itself (which y holds too), then a part.
    Op part = op(x, into(2, space));
    Op root = op(part, PASS, sum, PASS);
    backward(root, seed());
    assertThat(gradients.get(x)).containsExactly(1, 2, 6, 4, 5, 6);
    assertThat(gradients.get(y)).containsExactly(1, 2, 3, 4, 5, 6);
  }

  @Test
  void wholeIsAddedToAPart() {
    Op x = leaf();
    Op whole = op(x, times(2));
    Op root = op(x, into(5, space), whole, PASS);
    backward(root, seed());
    assertThat(gradients.get(x)).containsExactly(2, 4, 6, 8, 10, 18);
    assertThat(space.fresh).as("the zeros around the part").isEqualTo(1);
  }

  @Test
  void contributionsThatNobodyWantsAreReleased() {
    Op x = leaf();
    Op unwanted = op(x, times(3));
    Op root = op(unwanted, times(2), x, dy -> null);
    Hold start = new Hold(seed());
    new Engine<>(space, null)
        .backward(
            List.of(root),
            List.of(start),
            new Sink<>() {
              @Override
              public boolean wants(Node<Hold> node) {
                return false;
              }

              @Override
              public void accept(Node<Hold> node, Hold gradient) {
                throw new AssertionError("not wanted");
              }
            },
            false);
    space.assertAllReleasedOnce();
  }

  @Test
  void randomGraphsGiveTheSumOverPathsAndReleaseAll() {
    for (long n = 0; n < 300; n++) {
      Random random = new Random(n);
      gradients.clear();
      space.handed.clear();
      List<Op> nodes = new ArrayList<>();
      // The gradient of element e of a leaf is the sum over all paths of the product of factors.
      for (int i = 0; i < 3; i++) {
        nodes.add(leaf());
      }
      List<double[][]> factors = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        factors.add(new double[0][]);
      }
      for (int i = 0; i < 12; i++) {
        int arity = 1 + random.nextInt(3);
        List<Node<Hold>> inputs = new ArrayList<>();
        List<Rule> rules = new ArrayList<>();
        double[][] factor = new double[arity][SIZE];
        for (int k = 0; k < arity; k++) {
          inputs.add(nodes.get(random.nextInt(nodes.size())));
          int at = random.nextInt(SIZE);
          switch (random.nextInt(4)) {
            case 0 -> {
              rules.add(PASS);
              Arrays.fill(factor[k], 1);
            }
            case 1 -> {
              rules.add(into(at, space));
              factor[k][at] = 1;
            }
            case 2 -> rules.add(dy -> null);
            default -> {
              rules.add(times(2));
              Arrays.fill(factor[k], 2);
            }
          }
        }
        nodes.add(new Op(inputs, rules));
        factors.add(factor);
      }
      backward(nodes.getLast(), seed());
      double[][] expected = paths(nodes, factors);
      for (int i = 0; i < 3; i++) {
        double[] found = gradients.getOrDefault(nodes.get(i), new double[SIZE]);
        assertThat(found).as("graph %d, leaf %d", n, i).containsExactly(expected[i]);
      }
    }
  }

  private static double[][] paths(List<Op> nodes, List<double[][]> factors) {
    double[][] sums = new double[nodes.size()][SIZE];
    sums[nodes.size() - 1] = seed().data;
    for (int n = nodes.size() - 1; n >= 0; n--) {
      for (int k = 0; k < nodes.get(n).arity(); k++) {
        double[] to = sums[nodes.indexOf(nodes.get(n).input(k))];
        for (int e = 0; e < SIZE; e++) {
          to[e] += factors.get(n)[k][e] * sums[n][e];
        }
      }
    }
    return sums;
  }
}

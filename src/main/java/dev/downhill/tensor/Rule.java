package dev.downhill.tensor;

import dev.downhill.autograd.Destination;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The gradient of an operator with respect to one input: from dy, the gradient with respect to the
 * output, and what the operator saved. A result of a broadcast shape is summed to the input's shape
 * by the engine.
 */
@FunctionalInterface
interface Rule {
  /** The contribution, or null for none. */
  @Nullable Tensor apply(Pull pull);

  /** Which part of the input the contribution belongs to, or null for all of it. */
  default @Nullable Region place(Pull pull) {
    return null;
  }

  /** A rule whose contribution belongs to a part of the input. */
  static Rule placed(Function<Pull, Region> place, Rule value) {
    return new Rule() {
      @Override
      public @Nullable Tensor apply(Pull pull) {
        return value.apply(pull);
      }

      @Override
      public Region place(Pull pull) {
        return place.apply(pull);
      }
    };
  }

  /**
   * Rules whose gradients come from one computation: it runs for the first input that is asked for,
   * and the others take their part of what it gave.
   *
   * @param inputs how many inputs there are
   * @param gradients one per input; null where {@link Pull#wants} says no
   */
  static Rule[] together(int inputs, Function<Pull, @Nullable Tensor[]> gradients) {
    Rule[] rules = new Rule[inputs];
    for (int i = 0; i < inputs; i++) {
      int input = i;
      rules[i] = p -> p.node.together(p, gradients)[input];
    }
    return rules;
  }

  /** What a rule may use. */
  final class Pull {
    private final OpNode node;
    private final Tensor dy;
    private final @Nullable Destination<Tensor> destination;
    private boolean wrote;

    Pull(OpNode node, Tensor dy, @Nullable Destination<Tensor> destination) {
      this.node = node;
      this.dy = dy;
      this.destination = destination;
    }

    /** The gradient with respect to the output. */
    public Tensor dy() {
      return dy;
    }

    /** The {@code i}-th saved tensor. */
    public Tensor saved(int i) {
      return node.saved(i);
    }

    /** Whether the gradient of input {@code i} is wanted. */
    boolean wants(int i) {
      return node.input(i) != null;
    }

    /**
     * Whether this pass is recorded itself, for second derivatives: then rules are made of
     * operators that have gradients, and no kernel without one.
     */
    public boolean createGraph() {
      return Autograd.isEnabled();
    }

    /** Where the result may be written in place of being returned, or null. */
    @Nullable Destination<Tensor> destination() {
      return destination;
    }

    /** Says that the result is in {@link #destination}; return this. */
    @Nullable Tensor written() {
      wrote = true;
      return null;
    }

    boolean wrote() {
      return wrote;
    }
  }
}

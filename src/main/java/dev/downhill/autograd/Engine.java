package dev.downhill.autograd;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * The backward pass. Nodes are visited once each, in descending order of their numbers, when all
 * contributions to them have arrived; there is no recursion, so depth is limited by memory alone.
 *
 * <p>The first contribution to a node is kept by reference, the second makes a fresh sum, later
 * ones are added in place if nobody else holds the sum. Each gradient is let go as soon as it was
 * used.
 *
 * @param <V> the kind of value
 */
public final class Engine<V> {

  /**
   * Sees every contribution, and may replace it: for explanations, for finding the first bad
   * number, and for tests that must notice a wrong rule.
   *
   * @param <V> the kind of value
   */
  @FunctionalInterface
  public interface Observer<V> {
    /** Called with what {@code node} gives to input {@code input}; returns what to use. */
    @Nullable Contribution<V> contribution(Node<V> node, int input, Contribution<V> contribution);
  }

  private final Space<V> space;
  private final @Nullable Observer<V> observer;

  /**
   * An engine over a kind of value.
   *
   * @param observer sees all contributions, or null
   */
  public Engine(Space<V> space, @Nullable Observer<V> observer) {
    this.space = space;
    this.observer = observer;
  }

  /**
   * Sends gradients backwards from the roots to all nodes that they depend on.
   *
   * @param roots where to start; a node may occur twice
   * @param seeds the gradient with respect to each root
   * @param sink receives the gradients it wants
   * @param retain whether nodes keep what they saved, for another pass
   */
  public void backward(List<? extends Node<V>> roots, List<V> seeds, Sink<V> sink, boolean retain) {
    Map<Node<V>, V> pending = new HashMap<>();
    PriorityQueue<Node<V>> queue =
        new PriorityQueue<>((a, b) -> Long.compare(b.number(), a.number()));
    for (int i = 0; i < roots.size(); i++) {
      receive(roots.get(i), new Contribution.Whole<>(seeds.get(i)), pending, queue);
    }
    for (Node<V> node = queue.poll(); node != null; node = queue.poll()) {
      V dy = Objects.requireNonNull(pending.remove(node));
      if (sink.wants(node)) {
        sink.accept(node, dy);
      }
      if (node.arity() > 0) {
        node.open();
        for (int i = 0; i < node.arity(); i++) {
          pull(node, i, dy, sink, pending, queue);
        }
        if (!retain) {
          node.done();
        }
      }
      space.release(dy);
    }
  }

  private void pull(
      Node<V> node,
      int i,
      V dy,
      Sink<V> sink,
      Map<Node<V>, V> pending,
      PriorityQueue<Node<V>> queue) {
    Node<V> input = node.input(i);
    if (input == null) {
      return;
    }
    // An observer must see the value, and a rule that writes to its destination returns none.
    boolean offer = observer == null && input.arity() == 0 && sink.wants(input);
    Destination<V> offered = offer ? sink.destination(input) : null;
    Contribution<V> c = node.pull(i, dy, offered);
    if (c != null && observer != null) {
      c = observer.contribution(node, i, c);
    }
    switch (c) {
      case null -> {}
      case Contribution.Written<V> w when offered != null -> sink.written(input);
      default -> receive(input, c, pending, queue);
    }
  }

  private void receive(
      Node<V> node, Contribution<V> c, Map<Node<V>, V> pending, PriorityQueue<Node<V>> queue) {
    V total = pending.get(node);
    switch (c) {
      case Contribution.Written<V> w -> throw new AssertionError("nothing was offered");
      case Contribution.Whole<V>(V value) -> {
        V held = space.hold(value);
        if (total == null) {
          pending.put(node, held);
          queue.add(node);
          return;
        }
        if (space.isExclusive(total)) {
          space.addInto(total, held);
        } else {
          pending.put(node, space.add(total, held));
          space.release(total);
        }
        space.release(held);
      }
      case Contribution.Placed<V>(V value, Contribution.Place<V> place) -> {
        V held = space.hold(value);
        if (total != null && space.isExclusive(total)) {
          place.add(total, held);
        } else {
          pending.put(node, space.place(node, total, held, place));
          if (total == null) {
            queue.add(node);
          } else {
            space.release(total);
          }
        }
        space.release(held);
      }
    }
  }
}

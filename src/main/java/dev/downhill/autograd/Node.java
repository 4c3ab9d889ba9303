package dev.downhill.autograd;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One step of a computation, or a leaf. Numbers grow with creation, so an input always has a lower
 * number than the nodes that use it, and descending numbers are a topological order.
 *
 * @param <V> the kind of value
 */
public abstract class Node<V> {
  private static final AtomicLong NEXT = new AtomicLong();

  private final long number = NEXT.getAndIncrement();

  /** Creates a node with the next number. */
  protected Node() {}

  /** The place of this node in the order of creation. */
  public final long number() {
    return number;
  }

  /** The name of the operator, for messages. */
  public abstract String op();

  /** How many inputs there are; a leaf has none. */
  public abstract int arity();

  /** The node that made input {@code i}, or null if that input needs no gradient. */
  public abstract @Nullable Node<V> input(int i);

  /**
   * The contribution of this node to the gradient of input {@code i}; null if there is none.
   *
   * @param i which input
   * @param dy the gradient with respect to this node's value
   * @param destination where the result may be written, or null
   */
  public abstract @Nullable Contribution<V> pull(int i, V dy, @Nullable Destination<V> destination);

  /** Called before the rules of this node run; throws if what it saved is no longer there. */
  public void open() {}

  /** Called after the rules of this node ran. */
  public void done() {}
}

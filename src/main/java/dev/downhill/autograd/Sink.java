package dev.downhill.autograd;

import org.jspecify.annotations.Nullable;

/**
 * Who receives the gradients of a backward pass.
 *
 * @param <V> the kind of value
 */
public interface Sink<V> {
  /** Whether the gradient of this node is wanted. */
  boolean wants(Node<V> node);

  /** The whole gradient of a wanted node; the engine lets go of it after the call. */
  void accept(Node<V> node, V gradient);

  /** Where the gradient of a wanted leaf stays, or null if rules may not write there. */
  default @Nullable Destination<V> destination(Node<V> leaf) {
    return null;
  }

  /** A rule has used {@link #destination}. */
  default void written(Node<V> leaf) {}
}

package dev.downhill.autograd;

import org.jspecify.annotations.Nullable;

/**
 * What the engine may do with values.
 *
 * @param <V> the kind of value
 */
public interface Space<V> {
  /** A fresh sum. */
  V add(V a, V b);

  /**
   * A fresh value of the shape of {@code node}'s value: {@code whole}, or zeros if that is null,
   * with {@code value} added at its place.
   */
  V place(Node<V> node, @Nullable V whole, V value, Contribution.Place<V> place);

  /** Whether nobody but the engine holds this value, so that it may be changed. */
  boolean isExclusive(V value);

  /** {@code total += x}; only for exclusive totals. */
  void addInto(V total, V x);

  /** A hold of the engine's own on a value that a rule returned. */
  V hold(V value);

  /** Lets go of a value that {@link #hold} or a sum gave. */
  void release(V value);
}

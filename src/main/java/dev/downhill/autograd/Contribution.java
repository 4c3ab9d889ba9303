package dev.downhill.autograd;

/**
 * What a rule gives to the gradient of one input. Rules never add; the engine does.
 *
 * @param <V> the kind of value
 */
public sealed interface Contribution<V> {
  /**
   * A value of the input's shape.
   *
   * @param <V> the kind of value
   * @param value the contribution
   */
  record Whole<V>(V value) implements Contribution<V> {}

  /**
   * A value that belongs to a part of the input: a slice, some rows. The rest gets nothing, and
   * nothing is spent on it.
   *
   * @param <V> the kind of value
   * @param value the contribution
   * @param place which part
   */
  record Placed<V>(V value, Place<V> place) implements Contribution<V> {}

  /**
   * The rule has written or added its result to the destination that it was offered.
   *
   * @param <V> the kind of value
   */
  record Written<V>() implements Contribution<V> {}

  /**
   * A part of a larger value.
   *
   * @param <V> the kind of value
   */
  interface Place<V> {
    /** Adds {@code value} to this part of {@code whole}, in place. */
    void add(V whole, V value);

    /** This part of {@code whole}: the adjoint of {@link #add}. */
    V take(V whole);
  }
}

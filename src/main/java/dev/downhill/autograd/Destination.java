package dev.downhill.autograd;

/**
 * Where a leaf's gradient stays. A rule that can write there saves a copy or an addition.
 *
 * @param <V> the kind of value
 * @param into the gradient
 * @param accumulate whether to add to what is there; otherwise it is undefined and overwritten
 */
public record Destination<V>(V into, boolean accumulate) {}

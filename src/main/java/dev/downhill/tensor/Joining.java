package dev.downhill.tensor;

import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Tensors joined and taken apart along a dimension. */
final class Joining {
  private Joining() {}

  /**
   * The tensors one after the other along a dimension; each gets its part of dy.
   *
   * @param tensors one or more, of one dtype and equal sizes in the other dimensions
   */
  static Tensor cat(List<Tensor> tensors, int dim) {
    if (tensors.isEmpty()) {
      throw new IllegalArgumentException("cat: expected at least one tensor, got none");
    }
    Op op = Op.of("cat", tensors.toArray(Tensor[]::new)).sameType();
    Shape first = tensors.getFirst().shape();
    int d = first.dim("cat", dim);
    long size = 0;
    for (Tensor t : tensors) {
      boolean fits = first.rank() > 0 && t.dim() == first.rank();
      if (!fits || !t.shape().with(d, 1).equals(first.with(d, 1))) {
        throw op.refuse("expected tensors with dimensions and equal sizes outside dimension " + d);
      }
      size += t.shape().size(d);
    }
    Tensor y = op.output(first.with(d, size));
    Rule[] rules = new Rule[tensors.size()];
    long start = 0;
    for (int i = 0; i < rules.length; i++) {
      Tensor x = tensors.get(i);
      long from = start;
      long length = x.shape().size(d);
      Layout part = y.layout().slice(d, from, length, 1);
      op.device().run(b -> b.copy(x.view(), y.view().with(part)));
      rules[i] = p -> p.dy().narrow(d, from, length);
      start += length;
    }
    return op.record(y, rules);
  }

  /** The tensors, of one shape, along a new dimension; each gets its part of dy. */
  static Tensor stack(List<Tensor> tensors, int dim) {
    if (tensors.isEmpty()) {
      throw new IllegalArgumentException("stack: expected at least one tensor, got none");
    }
    Op op = Op.of("stack", tensors.toArray(Tensor[]::new)).sameType();
    if (tensors.stream().anyMatch(t -> !t.shape().equals(tensors.getFirst().shape()))) {
      throw op.refuse("expected tensors of one shape");
    }
    int rank = tensors.getFirst().dim() + 1;
    if (dim < -rank || dim >= rank) {
      throw op.refuse(
          "dimension out of range, expected %s to %s, got %s".formatted(-rank, rank - 1, dim));
    }
    int d = dim < 0 ? dim + rank : dim;
    try (Scope scope = Scope.internal()) {
      return scope.keep(cat(tensors.stream().map(t -> t.unsqueeze(d)).toList(), d));
    }
  }

  /** Views of {@code size} elements each along a dimension, the last one smaller if need be. */
  static List<Tensor> split(Tensor x, long size, int dim) {
    Op op = Op.of("split", x);
    int d = x.shape().dim("split", dim);
    if (x.dim() == 0 || size < 1) {
      throw op.refuse(
          "expected a tensor with dimensions and pieces of 1 or more, got pieces of " + size);
    }
    long whole = x.shape().size(d);
    // Of nothing there is one piece, which is empty.
    long[] sizes = new long[Math.max(1, Math.toIntExact((whole + size - 1) / size))];
    Arrays.setAll(sizes, i -> Math.min(size, whole - i * size));
    return split(x, sizes, d);
  }

  /** Views of these sizes along a dimension, which add up to its size. */
  static List<Tensor> split(Tensor x, long[] sizes, int dim) {
    Op op = Op.of("split", x);
    int d = x.shape().dim("split", dim);
    if (x.dim() == 0
        || Arrays.stream(sizes).anyMatch(s -> s < 0)
        || Arrays.stream(sizes).sum() != x.shape().size(d)) {
      throw op.refuse(
          "expected a tensor with dimensions and sizes of 0 or more that add up to dimension %s, got %s"
              .formatted(d, Arrays.toString(sizes)));
    }
    List<Tensor> pieces = new ArrayList<>();
    long start = 0;
    for (long size : sizes) {
      pieces.add(x.narrow(d, start, size));
      start += size;
    }
    return pieces;
  }

  /**
   * x laid side by side {@code repeats[i]} times along dimension i; more numbers than dimensions
   * make new dimensions in front. dx = the sum of dy over the copies.
   */
  static Tensor repeat(Tensor x, long... repeats) {
    Op op = Op.of("repeat", x);
    int lead = repeats.length - x.dim();
    if (lead < 0 || Arrays.stream(repeats).anyMatch(r -> r < 0)) {
      throw op.refuse(
          "expected a number of 0 or more for each dimension, got " + Arrays.toString(repeats));
    }
    long[] sizes = new long[repeats.length];
    Arrays.fill(sizes, 0, lead, 1);
    System.arraycopy(x.shape().toArray(), 0, sizes, lead, x.dim());
    try (Scope scope = Scope.internal()) {
      Tensor y = x.reshape(sizes);
      for (int d = 0; d < sizes.length; d++) {
        if (repeats[d] != 1) {
          // Outer and inner dimensions are merged, so that there is room for one more.
          long outer = y.shape().slice(0, d).numel();
          long inner = y.shape().slice(d, sizes.length).numel();
          sizes[d] *= repeats[d];
          y = y.reshape(outer, 1, inner).expand(outer, repeats[d], inner).reshape(sizes);
        }
      }
      return scope.keep(y);
    }
  }
}

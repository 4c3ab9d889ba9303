package dev.downhill.tensor;

import org.jspecify.annotations.Nullable;

/** Leaves of the graph: the tensors that gradients are wanted for. */
final class Leaves {
  private Leaves() {}

  /**
   * Makes {@code t} a leaf. Asking twice does nothing.
   *
   * @return {@code t}
   * @throws IllegalArgumentException if it is not floating-point, or overlaps itself
   * @throws IllegalStateException if an operator made it; ask on {@code t.detach()}
   */
  static Tensor requireGrad(Tensor t) {
    t.check("requireGrad");
    if (!t.dtype().isFloating() || t.layout().overlaps()) {
      throw new IllegalArgumentException(
          "requireGrad: expected a floating-point tensor without expanded dimensions, got %s %s"
              .formatted(t.dtype(), t.layout()));
    }
    if (t.node() instanceof OpNode made) {
      throw new IllegalStateException(
          "requireGrad: expected a tensor that no operator made, got the result of %s %s; use its detach()"
              .formatted(made.op(), t.shape()));
    }
    if (t.node() == null) {
      t.setNode(new LeafNode(t));
    }
    return t;
  }

  static @Nullable Tensor grad(Tensor t) {
    return t.node() instanceof LeafNode leaf ? leaf.grad() : null;
  }

  static void zeroGrad(Tensor t) {
    if (t.node() instanceof LeafNode leaf) {
      leaf.clear();
    }
  }

  /**
   * Keeps the gradient of a leaf in {@code place} from now on: rules write there directly. The leaf
   * becomes the owner of {@code place}.
   *
   * @throws IllegalArgumentException if {@code t} is no leaf, or place has another shape, dtype or
   *     device, or a graph, or is not contiguous
   */
  static void bindGrad(Tensor t, Tensor place) {
    t.check("bindGrad");
    place.check("bindGrad");
    if (!(t.node() instanceof LeafNode leaf)
        || place.node() != null
        || !place.isContiguous()
        || place.dtype() != t.dtype()
        || place.device() != t.device()
        || !place.shape().equals(t.shape())) {
      throw new IllegalArgumentException(
          "bindGrad: expected a leaf and a contiguous tensor of its shape, dtype and device, got %s %s on %s and %s %s on %s"
              .formatted(
                  t.dtype(), t.shape(), t.device(), place.dtype(), place.shape(), place.device()));
    }
    leaf.bind(place);
  }
}

package dev.downhill.tensor;

import dev.downhill.autograd.Contribution;
import dev.downhill.autograd.Destination;
import dev.downhill.autograd.Node;
import dev.downhill.backend.Binary;
import dev.downhill.backend.View;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A tensor that gradients are wanted for, and its gradient, which always stays in one place. */
final class LeafNode extends Node<Tensor> {
  // Strong, so that the tensor lives as long as a graph that will want to give it a gradient.
  private final Tensor leaf;
  private @Nullable Tensor place;
  private boolean present;
  // The gradient with its own graph, after backward(createGraph).
  private @Nullable Tensor graph;

  LeafNode(Tensor leaf) {
    this.leaf = leaf;
  }

  static LeafNode of(Tensor leaf) {
    return (LeafNode) Objects.requireNonNull(leaf.node());
  }

  Tensor leaf() {
    return leaf;
  }

  /** The gradient, or null if there is none since the last {@link #clear}. */
  @Nullable Tensor grad() {
    noteRead();
    dropEnded();
    return graph != null ? graph : present ? place : null;
  }

  /** Whether there is a gradient. */
  boolean isPresent() {
    dropEnded();
    return present;
  }

  /** Where the gradient lies, or will; null before the first. */
  @Nullable Tensor place() {
    return place;
  }

  private void noteRead() {
    HostState host = HostState.current();
    if (host != null) {
      host.readGradient(this);
    }
  }

  private void noteWritten() {
    HostState host = HostState.current();
    if (host != null) {
      host.wroteGradient(this);
    }
  }

  /** Forgets the gradient; its memory stays for the next one. */
  void clear() {
    noteWritten();
    present = false;
    dropGraph();
  }

  /** A gradient that its user has closed is none. */
  private void dropEnded() {
    if ((graph != null && graph.isEnded()) || (place != null && place.isEnded())) {
      clear();
    }
  }

  private void dropGraph() {
    if (graph != null) {
      graph.close();
      graph = null;
    }
  }

  /** Makes gradients be kept in this tensor from now on, the present one included. */
  void bind(Tensor newPlace) {
    Tensor old = place;
    if (old == newPlace) {
      return;
    }
    dropEnded();
    if (old != null) {
      if (present) {
        newPlace
            .device()
            .run(
                b -> {
                  b.copy(old.view(), newPlace.view());
                  newPlace.storage().changed();
                });
      }
      old.close();
    }
    leaf.lease().attach(newPlace.lease());
    place = newPlace;
  }

  /** Where to write or add the gradient. */
  Destination<Tensor> destination() {
    leaf.check("backward");
    noteRead();
    dropEnded();
    Tensor into = place;
    if (into == null || into.isEnded()) {
      place = null;
      into = Scope.outside(() -> Tensor.empty(leaf.device(), leaf.dtype(), leaf.shape()));
      bind(into);
    }
    return new Destination<>(into, present);
  }

  /** The destination was written. */
  void written() {
    noteWritten();
    present = true;
    dropGraph();
    if (place != null) {
      place.storage().changed();
    }
  }

  /** Adds a whole gradient to what is there. */
  void accept(Tensor gradient) {
    Destination<Tensor> d = destination();
    View into = d.into().view();
    // The pass may have started from this very gradient, seen through another layout.
    boolean shared = gradient.storage() == d.into().storage();
    Tensor source = shared ? Conversion.copy(gradient.detach()) : gradient;
    leaf.device()
        .run(
            b -> {
              if (d.accumulate()) {
                b.binary(Binary.ADD, into, source.view(), into);
              } else {
                b.copy(source.view(), into);
              }
            });
    written();
  }

  /** Adds a gradient that has a graph itself, for second derivatives. */
  void acceptGraph(Tensor gradient, Scope pass) {
    Tensor before = grad();
    Tensor sum = before == null ? gradient : before.add(gradient);
    Tensor kept = pass.keep(Tensor.alias(sum.storage(), sum.layout(), sum.node()));
    accept(gradient.detach());
    leaf.lease().attach(kept.lease());
    graph = kept;
  }

  @Override
  public String op() {
    return "leaf";
  }

  @Override
  public int arity() {
    return 0;
  }

  @Override
  public @Nullable Node<Tensor> input(int i) {
    throw new IndexOutOfBoundsException(i);
  }

  @Override
  public @Nullable Contribution<Tensor> pull(
      int i, Tensor dy, @Nullable Destination<Tensor> destination) {
    throw new IndexOutOfBoundsException(i);
  }
}

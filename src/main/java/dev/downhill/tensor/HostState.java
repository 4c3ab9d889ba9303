package dev.downhill.tensor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the body of a step reads and leaves on the host, where its calls on the device do not show
 * it: whether a leaf has a gradient, whether a layer trains. A recording of the calls stands for
 * the body only while what it read is as it was then.
 */
final class HostState implements AutoCloseable {
  private static final ThreadLocal<@Nullable HostState> CURRENT = new ThreadLocal<>();

  /** Something that was read, and what it was. */
  private record Read(BooleanSupplier state, boolean value) {
    boolean holds() {
      return state.getAsBoolean() == value;
    }
  }

  /** A leaf, where its gradient lies, and whether it has one at the end. */
  private record Left(LeafNode leaf, @Nullable Tensor place, boolean present) {}

  private final List<Read> read = new ArrayList<>();
  private final Set<LeafNode> leaves = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Tensor> plain = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<Left> left = new ArrayList<>();

  private HostState() {}

  /** Starts to note what this thread reads, until it is closed. */
  static HostState start() {
    HostState state = new HostState();
    CURRENT.set(state);
    return state;
  }

  /** The one that notes what this thread reads, or null. */
  static @Nullable HostState current() {
    return CURRENT.get();
  }

  /** Notes a state that was read. */
  void read(BooleanSupplier state) {
    read.add(new Read(state, state.getAsBoolean()));
  }

  /** Notes that it matters whether a leaf has a gradient, unless that was decided since. */
  void readGradient(LeafNode leaf) {
    if (leaves.add(leaf)) {
      read(leaf::isPresent);
    }
  }

  /** Notes that a leaf was given a gradient, or lost it. */
  void wroteGradient(LeafNode leaf) {
    leaves.add(leaf);
  }

  /** Notes that it matters that a tensor requires no gradient. */
  void readPlain(Tensor t) {
    plain.add(t);
  }

  /** Ends the notes. */
  @Override
  public void close() {
    CURRENT.remove();
    for (LeafNode leaf : leaves) {
      left.add(new Left(leaf, leaf.place(), leaf.isPresent()));
    }
    for (Tensor t : plain) {
      if (!t.isEnded()) {
        read(() -> !t.requiresGrad());
      }
    }
    leaves.clear();
    plain.clear();
  }

  /** Whether all that was read is as it was. */
  boolean holds() {
    for (int i = 0; i < read.size(); i++) {
      if (!read.get(i).holds()) {
        return false;
      }
    }
    return true;
  }

  /** Whether gradients are kept where they were at the end. */
  boolean isInPlace() {
    for (int i = 0; i < left.size(); i++) {
      if (left.get(i).leaf.place() != left.get(i).place) {
        return false;
      }
    }
    return true;
  }

  /** Leaves the host as the body left it. */
  void leave() {
    for (int i = 0; i < left.size(); i++) {
      Left l = left.get(i);
      if (l.present) {
        l.leaf.written();
      } else {
        l.leaf.clear();
      }
    }
  }
}

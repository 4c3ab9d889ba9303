package dev.downhill.tensor;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The lifetime of the tensors made inside it, on its thread: they end when it closes, and their
 * memory is used again.
 *
 * <pre>{@code
 * try (var scope = Scope.open()) {
 *   var loss = Loss.mse(model.forward(x), y);
 *   loss.backward();
 *   adam.step();
 *   return scope.keep(loss.detach());
 * }
 * }</pre>
 *
 * <p>Scopes nest. What belongs to an owner is not touched: parameters, their gradients, the state
 * of optimisers and layers. A tensor made outside any scope ends when it is closed, or some time
 * after it became unreachable.
 */
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<@Nullable Scope> CURRENT = new ThreadLocal<>();

  private final @Nullable Scope parent;
  private final boolean named;
  private final @Nullable Thread thread;
  private final List<Lease> leases = new ArrayList<>();
  private boolean closed;

  private Scope(@Nullable Scope parent, boolean named, @Nullable Thread thread) {
    this.parent = parent;
    this.named = named;
    this.thread = thread;
  }

  /** Opens a scope inside the current one of this thread. Close it with try-with-resources. */
  public static Scope open() {
    return push(true);
  }

  /** A scope of the library's own, for the temporaries of one operator. */
  static Scope internal() {
    return push(false);
  }

  /** Whether it is the library's own. */
  boolean isInternal() {
    return !named;
  }

  /** A scope that is nobody's current one: things are moved into it. */
  static Scope detached() {
    return new Scope(null, false, null);
  }

  private static Scope push(boolean named) {
    Scope scope = new Scope(CURRENT.get(), named, Thread.currentThread());
    CURRENT.set(scope);
    return scope;
  }

  /** The innermost open scope of this thread, or null. */
  static @Nullable Scope current() {
    return CURRENT.get();
  }

  /** Runs with no scope open, so that what is made belongs to whoever keeps it. */
  static <T> T outside(java.util.function.Supplier<T> body) {
    Scope scope = CURRENT.get();
    CURRENT.set(null);
    try {
      return body.get();
    } finally {
      CURRENT.set(scope);
    }
  }

  /**
   * Moves a tensor, and what the graph that made it has saved, to the enclosing scope (or out of
   * all scopes), so that it outlives this one. Use {@code keep(t.detach())} to keep the values
   * alone.
   *
   * @return {@code t}
   */
  public Tensor keep(Tensor t) {
    t.check("keep");
    if (isInternal() && (parent == null || !parent.isInternal())) {
      Anomaly.kept(t);
    }
    move(t.lease());
    if (t.node() instanceof OpNode first) {
      Deque<OpNode> todo = new ArrayDeque<>();
      todo.push(first);
      while (!todo.isEmpty()) {
        OpNode node = todo.pop();
        // A node that is not of this scope was kept before, with all that it depends on.
        if (move(node.lease())) {
          for (int i = 0; i < node.arity(); i++) {
            if (node.input(i) instanceof OpNode input) {
              todo.push(input);
            }
          }
        }
      }
    }
    return t;
  }

  private boolean move(Lease lease) {
    if (lease.owner != this) {
      return false;
    }
    lease.moveTo(parent);
    return true;
  }

  void add(Lease lease) {
    lease.owner = this;
    lease.index = leases.size();
    leases.add(lease);
  }

  void remove(Lease lease) {
    if (thread != null && !thread.equals(Thread.currentThread())) {
      throw new IllegalStateException(
          "scope: a tensor can be closed or kept only on the thread of its scope, "
              + thread.getName());
    }
    // The last one takes the place that becomes free.
    Lease last = leases.removeLast();
    if (lease.index < leases.size()) {
      leases.set(lease.index, last);
      last.index = lease.index;
    }
    lease.owner = null;
  }

  private boolean isInnermost() {
    return Thread.currentThread().equals(thread) && CURRENT.get() == this;
  }

  /**
   * Ends the tensors made inside. Closing twice does nothing.
   *
   * @throws IllegalStateException on another thread, or while a scope opened later is still open
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (thread != null) {
      if (!isInnermost()) {
        throw new IllegalStateException(
            "scope: expected the innermost open scope of thread %s to be closed first, on that thread"
                .formatted(thread.getName()));
      }
      CURRENT.set(parent);
    }
    closed = true;
    String reason = named ? "its scope was closed at " + Site.caller() : "its operator had ended";
    for (Lease lease : leases) {
      lease.owner = null;
      lease.release(reason);
    }
    leases.clear();
  }
}

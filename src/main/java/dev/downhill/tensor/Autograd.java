package dev.downhill.tensor;

import dev.downhill.autograd.Contribution;
import dev.downhill.autograd.Destination;
import dev.downhill.autograd.Engine;
import dev.downhill.autograd.Node;
import dev.downhill.autograd.Sink;
import dev.downhill.autograd.Space;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Gradients of tensors: the graph-building mode of a thread and the backward pass. */
public final class Autograd {
  private static final ThreadLocal<Boolean> ENABLED = ThreadLocal.withInitial(() -> true);
  private static final ThreadLocal<Engine.@Nullable Observer<Tensor>> OBSERVER =
      new ThreadLocal<>();

  private Autograd() {}

  /** Restores the mode of the thread when closed. */
  public interface Mode extends AutoCloseable {
    @Override
    void close();
  }

  /** Whether operators of this thread record a graph. */
  public static boolean isEnabled() {
    return ENABLED.get();
  }

  /**
   * Stops recording on this thread until the result is closed: for evaluation, and for changing
   * parameters in place.
   *
   * <pre>{@code
   * try (var _ = Autograd.noGrad()) {
   *   accuracy = evaluate(model);
   * }
   * }</pre>
   */
  public static Mode noGrad() {
    return mode(false);
  }

  private static Mode mode(boolean enabled) {
    boolean before = ENABLED.get();
    ENABLED.set(enabled);
    return () -> ENABLED.set(before);
  }

  /**
   * Lets {@code observer} see, and replace, every contribution of the backward passes of this
   * thread until the result is closed.
   */
  public static Mode observe(Engine.Observer<Tensor> observer) {
    Engine.@Nullable Observer<Tensor> before = OBSERVER.get();
    OBSERVER.set(observer);
    return () -> OBSERVER.set(before);
  }

  /** Whether an observer sees the backward passes of this thread. */
  static boolean isObserved() {
    return OBSERVER.get() != null;
  }

  /**
   * Looks, on this thread and until the result is closed, for the first operator that makes NaN or
   * an infinity of finite numbers, forward or backward, and throws there. The message names the
   * operator, which pass it was, and the line that called the operator.
   *
   * <pre>{@code
   * try (var _ = Autograd.detectAnomaly()) {
   *   loss(model, batch).backward();
   * }
   * }</pre>
   *
   * <p>Every result is read back, so that this is slow. What was asked for is no anomaly: an
   * infinite scalar argument, such as that of a mask, and whatever infinite inputs lead to. Writing
   * in place, optimisers included, is not watched. Inside it, a {@link Step} does not compare runs.
   *
   * @return closes the mode; operators then throw no {@link ArithmeticException} any more
   */
  public static Mode detectAnomaly() {
    return Anomaly.start();
  }

  /**
   * How a backward pass runs.
   *
   * @param gradient the gradient with respect to the root; null is 1, for a root with one element
   * @param retainGraph whether the graph can be used again
   * @param createGraph whether the gradients get a graph themselves, for second derivatives;
   *     retains
   */
  public record Backward(@Nullable Tensor gradient, boolean retainGraph, boolean createGraph) {
    /** From 1, using the graph up. */
    public static final Backward DEFAULT = new Backward(null, false, false);

    /** Starts from this gradient. */
    public Backward withGradient(Tensor g) {
      return new Backward(g, retainGraph, createGraph);
    }

    /** Keeps the graph for another pass. */
    public Backward withRetainGraph() {
      return new Backward(gradient, true, createGraph);
    }

    /** Gives the gradients a graph. */
    public Backward withCreateGraph() {
      return new Backward(gradient, true, true);
    }
  }

  /** {@link Tensor#backward(Backward)}: adds the gradient of every leaf to its {@code grad()}. */
  static void backward(Tensor root, Backward options) {
    try (Scope scope = Scope.internal();
        Mode _ = mode(options.createGraph())) {
      Sink<Tensor> leaves =
          new Sink<>() {
            @Override
            public boolean wants(Node<Tensor> node) {
              return node instanceof LeafNode;
            }

            @Override
            public void accept(Node<Tensor> node, Tensor gradient) {
              if (options.createGraph()) {
                ((LeafNode) node).acceptGraph(gradient, scope);
              } else {
                ((LeafNode) node).accept(gradient);
              }
            }

            @Override
            public @Nullable Destination<Tensor> destination(Node<Tensor> leaf) {
              return options.createGraph() ? null : ((LeafNode) leaf).destination();
            }

            @Override
            public void written(Node<Tensor> leaf) {
              ((LeafNode) leaf).written();
            }
          };
      run(
          "backward",
          List.of(root),
          Arrays.asList(options.gradient()),
          leaves,
          options.retainGraph());
    }
  }

  private static Tensor alias(Tensor t) {
    return Tensor.alias(t.storage(), t.layout(), t.node());
  }

  /**
   * The gradients of {@code y} with respect to some tensors, leaving every {@code grad()} alone.
   *
   * @param y what to differentiate
   * @param xs leaves or intermediate results
   * @return one gradient per x, of its shape; null where y does not depend on x
   * @throws IllegalArgumentException if y has no graph, or more than one element and no gradient
   *     given
   */
  public static List<@Nullable Tensor> grad(Tensor y, List<Tensor> xs, Backward options) {
    return grad(List.of(y), xs, Arrays.asList(options.gradient()), options);
  }

  /**
   * The gradients of the sum over several outputs of ⟨seed, output⟩.
   *
   * @param ys what to differentiate
   * @param seeds the gradient with respect to each y, null for 1
   */
  public static List<@Nullable Tensor> grad(
      List<Tensor> ys, List<Tensor> xs, List<@Nullable Tensor> seeds, Backward options) {
    if (seeds.size() != ys.size()) {
      throw new IllegalArgumentException(
          "grad: expected one gradient or null for each result, got %s for %s"
              .formatted(seeds.size(), ys.size()));
    }
    IdentityHashMap<Node<Tensor>, @Nullable Tensor> found = new IdentityHashMap<>();
    for (Tensor x : xs) {
      x.check("grad");
      if (x.node() == null) {
        throw new IllegalArgumentException(
            "grad: expected tensors that need a gradient, got one %s that does not"
                .formatted(x.shape()));
      }
      found.put(x.node(), null);
    }
    try (Scope scope = Scope.internal();
        Mode _ = mode(options.createGraph())) {
      Sink<Tensor> wanted =
          new Sink<>() {
            @Override
            public boolean wants(Node<Tensor> node) {
              return found.containsKey(node);
            }

            @Override
            public void accept(Node<Tensor> node, Tensor gradient) {
              found.put(node, alias(gradient));
            }
          };
      run("grad", ys, seeds, wanted, options.retainGraph());
      List<@Nullable Tensor> result = new ArrayList<>();
      for (Tensor x : xs) {
        Tensor g = found.get(x.node());
        result.add(g == null ? null : scope.keep(g));
      }
      return result;
    }
  }

  private static void run(
      String op,
      List<Tensor> roots,
      List<@Nullable Tensor> seeds,
      Sink<Tensor> sink,
      boolean retain) {
    List<Node<Tensor>> nodes = new ArrayList<>();
    List<Tensor> starts = new ArrayList<>();
    for (int i = 0; i < roots.size(); i++) {
      Tensor root = roots.get(i);
      root.check(op);
      if (root.node() == null) {
        throw new IllegalArgumentException(
            "%s: the tensor %s has no graph, expected the result of operators on a tensor that requires a gradient"
                .formatted(op, root.shape()));
      }
      Tensor seed = seeds.get(i);
      if (seed == null) {
        if (root.shape().numel() != 1) {
          throw new IllegalArgumentException(
              "%s: expected a tensor with one element, such as a loss, or a gradient to start from, got shape %s"
                  .formatted(op, root.shape()));
        }
        seed = Tensor.full(root.device(), root.dtype(), 1, root.shape().toArray());
      }
      seed.check(op);
      if (!seed.shape().equals(root.shape()) || seed.dtype() != root.dtype()) {
        throw new IllegalArgumentException(
            "%s: expected a gradient of the tensor's shape and dtype, got %s %s for %s %s"
                .formatted(op, seed.dtype(), seed.shape(), root.dtype(), root.shape()));
      }
      if (seed.device() != root.device()) {
        throw new IllegalArgumentException(
            "%s: expected a gradient on the tensor's device, got %s for %s on %s (shape %s)"
                .formatted(op, seed.device(), root.dtype(), root.device(), root.shape()));
      }
      nodes.add(Objects.requireNonNull(root.node()));
      starts.add(seed);
    }
    try (Held held = new Held(Objects.requireNonNull(Scope.current()))) {
      new Engine<>(held, OBSERVER.get()).backward(nodes, starts, sink, retain);
    }
  }

  /**
   * The engine's arithmetic on tensors. What it holds is in a scope of its own; what rules return
   * is first in the scope of the pass and moves over when held.
   */
  private static final class Held implements Space<Tensor>, AutoCloseable {
    private final Scope pass;
    private final Scope scope = Scope.detached();

    Held(Scope pass) {
      this.pass = pass;
    }

    @Override
    public Tensor hold(Tensor value) {
      Tensor held = value.lease().owner == pass ? value : alias(value);
      held.lease().moveTo(scope);
      return held;
    }

    @Override
    public void release(Tensor value) {
      value.close();
    }

    @Override
    public boolean isExclusive(Tensor value) {
      return !isEnabled()
          && value.node() == null
          && value.storage().isExclusive()
          && !value.layout().overlaps();
    }

    @Override
    public Tensor add(Tensor a, Tensor b) {
      return hold(a.add(b));
    }

    @Override
    public void addInto(Tensor total, Tensor x) {
      total.addInPlace(x);
    }

    @Override
    public Tensor place(
        Node<Tensor> node, @Nullable Tensor whole, Tensor value, Contribution.Place<Tensor> place) {
      Region region = (Region) place;
      Shape shape = node instanceof OpNode n ? n.shape() : ((LeafNode) node).leaf().shape();
      Tensor y = Tensor.empty(value.device(), value.dtype(), shape);
      if (whole == null) {
        y.fill(0);
      } else {
        y.copyFrom(whole.detach());
      }
      region.add(y, value);
      Rule dvalue = p -> region.reading(p).take(p.dy());
      Tensor sum =
          whole == null
              ? Op.of("place", value).saving(region.reads()).record(y, dvalue)
              : Op.of("place", value, whole).saving(region.reads()).record(y, dvalue, p -> p.dy());
      return hold(sum);
    }

    @Override
    public void close() {
      scope.close();
    }
  }
}

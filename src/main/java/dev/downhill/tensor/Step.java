package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A training step that makes the same calls on the device every time, so that it can be recorded
 * and replayed.
 *
 * <pre>{@code
 * var step = Step.of((x, y) -> {
 *   var loss = Loss.mse(model.forward(x), y);
 *   adam.zeroGrad();
 *   loss.backward();
 *   adam.step();
 *   return loss;
 * });
 * for (var b : houses.batches(256, seed)) step.run(b.x(), b.y());
 * }</pre>
 *
 * <p>The body must depend on the inputs' values through tensors alone. Its first two runs for each
 * combination of shapes and dtypes are recorded, and must agree call by call and number by number;
 * if they do not, the error names the call that differs: make that value a tensor, or an input.
 * Reading a value inside the body is an error. With {@code -Ddownhill.step.check=N} every N-th
 * later run is compared too.
 *
 * <p>What the body makes ends with it. The result has no graph, and is valid until the next run.
 */
public final class Step implements AutoCloseable {
  private static final int MOST_RECORDINGS = 16;
  private static final ThreadLocal<Boolean> RUNNING = ThreadLocal.withInitial(() -> false);

  private final Function<List<Tensor>, Tensor> body;
  private final int check = Integer.getInteger("downhill.step.check", 0);
  private final Map<Key, Recorded> recorded =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Recorded> eldest) {
          boolean full = size() > MOST_RECORDINGS;
          if (full) {
            eldest.getValue().inputs.close();
          }
          return full;
        }
      };
  private @Nullable Lease result;
  private boolean closed;

  private record Key(
      @Nullable Object mode, List<Shape> shapes, List<DType> dtypes, List<Device> devices) {
    static Key of(@Nullable Object mode, List<Tensor> inputs) {
      return new Key(
          mode,
          inputs.stream().map(Tensor::shape).toList(),
          inputs.stream().map(Tensor::dtype).toList(),
          inputs.stream().map(Tensor::device).toList());
    }
  }

  /** What is known of one key: its own inputs, how often it ran, the calls it makes. */
  private static final class Recorded {
    final Owner inputs = new Owner();
    final List<Tensor> tensors;
    long runs;
    @Nullable Recording calls;

    Recorded(List<Tensor> like) {
      tensors =
          like.stream()
              .map(t -> inputs.own(Tensor.empty(t.device(), t.dtype(), t.shape())))
              .toList();
    }
  }

  private Step(Function<List<Tensor>, Tensor> body) {
    this.body = body;
  }

  /** A step of one input. */
  public static Step of(UnaryOperator<Tensor> body) {
    return new Step(in -> body.apply(in.get(0)));
  }

  /** A step of two inputs, such as features and targets. */
  public static Step of(BinaryOperator<Tensor> body) {
    return new Step(in -> body.apply(in.get(0), in.get(1)));
  }

  /** A step of any number of inputs. */
  public static Step ofList(Function<List<Tensor>, Tensor> body) {
    return new Step(body);
  }

  /**
   * Runs the body on a copy of the inputs.
   *
   * @return what the body returned, without a graph, valid until the next run
   * @throws IllegalStateException if two runs made different calls, or the body read a value
   */
  public Tensor run(Tensor... inputs) {
    return runAs(null, inputs);
  }

  /**
   * {@link #run} of a body that does one of several things: the first or a later micro-batch,
   * training or evaluation. Each is recorded for itself.
   *
   * @param mode tells them apart by {@code equals}; may be null
   */
  public Tensor runAs(@Nullable Object mode, Tensor... inputs) {
    List<Tensor> given = List.of(inputs);
    given.forEach(t -> t.check("step"));
    if (closed) {
      throw new IllegalStateException("step: it was closed and cannot run any more");
    }
    Key key = Key.of(mode, given);
    Recorded known = recorded.get(key);
    if (known == null) {
      known = new Recorded(given);
      recorded.put(key, known);
    }
    try (Autograd.Mode _ = Autograd.noGrad()) {
      for (int i = 0; i < inputs.length; i++) {
        known.tensors.get(i).copyFrom(inputs[i]);
      }
    }
    // A run that fails does not count.
    long run = known.runs + 1;
    // Looking for anomalies reads values, which a recording refuses.
    boolean due = run <= 2 || (check > 0 && run % check == 0);
    boolean compared = due && !Anomaly.isOn();
    Tensor y = compared ? recordedRun(known) : bodyOf(known);
    known.runs = run;
    return y;
  }

  private Tensor recordedRun(Recorded known) {
    Tensor y;
    Recording now = Recording.start();
    try (now) {
      try {
        y = bodyOf(known);
      } finally {
        now.finish();
      }
    }
    Recording before = known.calls;
    known.calls = now;
    String difference = before == null ? null : before.difference(now);
    if (difference != null) {
      throw new IllegalStateException(
          "step: two runs of the body made different calls; make what differs a tensor or an input:"
              + " "
              + difference);
    }
    return y;
  }

  private Tensor bodyOf(Recorded known) {
    if (result != null) {
      result.end("its step ran again");
    }
    boolean nested = RUNNING.get();
    RUNNING.set(true);
    try (Scope _ = Scope.open()) {
      Tensor y = body.apply(known.tensors).detach();
      // Out of all scopes: the step owns its result.
      y.lease().moveTo(null);
      result = y.lease();
      return y;
    } finally {
      RUNNING.set(nested);
    }
  }

  /** Throws inside the body of a step, where values cannot cross between host and device. */
  static void refuseInside(String crossing) {
    if (RUNNING.get()) {
      throw new IllegalStateException(
          "step: values cannot cross between host and device inside a step (%s); make them inputs of the step, or read outputs after it"
              .formatted(crossing));
    }
  }

  /** The calls that the step makes for these inputs, after its second run; for inspection. */
  public List<Recording.Call> calls(Tensor... inputs) {
    Recorded known = recorded.get(Key.of(null, List.of(inputs)));
    return known == null || known.calls == null ? List.of() : known.calls.calls();
  }

  /** Ends the inputs it holds and the last result. */
  @Override
  public void close() {
    closed = true;
    if (result != null) {
      result.end("its step was closed");
    }
    recorded.values().forEach(r -> r.inputs.close());
    recorded.clear();
  }
}

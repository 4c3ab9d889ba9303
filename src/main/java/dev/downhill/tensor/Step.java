package dev.downhill.tensor;

import dev.downhill.backend.Recording;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A training step that makes the same calls on the device every time, so that they are recorded
 * once and replayed: from the third run on the body itself does not run any more, nothing is
 * allocated, and on a GPU the whole step is one launch. The numbers are the same to the last bit.
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
 * <p>The body must depend on the inputs' values through tensors alone; reading a value inside it is
 * an error. Its first two runs for each combination of shapes and dtypes are recorded, and must
 * agree call by call and number by number; if they do not, the error names the call that differs:
 * make that value a tensor, or an input. With {@code -Ddownhill.step.check=N} every N-th later run
 * is a run of the body, compared too.
 *
 * <p>Whether layers train, which parameters are frozen, and which leaves have a gradient already is
 * noticed: other combinations are recorded for themselves. What else the body reads on the host
 * must not change; tell {@link #runAs} if it does. The learning rate may: it lies on the device.
 *
 * <p>What the body makes ends with it. The result has no graph, and is valid until the next run;
 * using it afterwards is an error, until its object serves one of the later runs.
 */
public final class Step implements AutoCloseable {
  private static final int MOST_RECORDINGS = 16;
  private static final ThreadLocal<Boolean> RUNNING = ThreadLocal.withInitial(() -> false);

  private final Function<List<Tensor>, Tensor> body;
  private final int check = Integer.getInteger("downhill.step.check", 0);

  /** The latest used first. */
  private final List<RecordedStep> recorded = new ArrayList<>();

  private @Nullable Tensor result;

  /** Whether the object of the result serves later runs too. */
  private boolean reused;

  private boolean closed;

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
   * Tells the step whose body runs on this thread, if there is one, that it reads a state of the
   * host which may be another one in a later run: {@code Step.depends(() -> training)}.
   */
  public static void depends(BooleanSupplier state) {
    HostState host = HostState.current();
    if (host != null) {
      host.read(state);
    }
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
    for (Tensor t : inputs) {
      t.check("step");
    }
    if (closed) {
      throw new IllegalStateException("step: it was closed and cannot run any more");
    }
    if (RUNNING.get()) {
      throw new IllegalStateException("step: another one is already running on this thread");
    }
    RecordedStep known = find(mode, inputs);
    endResult("its step ran again");
    // A run that fails does not count.
    boolean due = check > 0 && (known.runs + 1) % check == 0;
    if (known.isReplayed() && !due && !isWatched()) {
      result = known.replay(inputs);
      reused = true;
    } else {
      known.copy(inputs);
      boolean recording = (!known.isSettled() || due) && !isWatched();
      result = recording ? record(known) : bodyOf(known);
    }
    known.runs++;
    return result;
  }

  private void endResult(String reason) {
    if (result != null) {
      if (reused) {
        result.lease().suspend(reason);
      } else {
        result.lease().end(reason);
      }
    }
    result = null;
    reused = false;
  }

  /** What is known of such a run; what was used least recently makes room for it if it is new. */
  private RecordedStep find(@Nullable Object mode, Tensor[] inputs) {
    for (int i = 0; i < recorded.size(); i++) {
      RecordedStep r = recorded.get(i);
      if (r.isOf(mode, inputs)) {
        if (i > 0) {
          recorded.addFirst(recorded.remove(i));
        }
        return r;
      }
    }
    if (recorded.size() == MOST_RECORDINGS) {
      recorded.removeLast().close();
    }
    recorded.addFirst(new RecordedStep(mode, inputs));
    return recorded.getFirst();
  }

  /** Whether somebody looks at every operator, which a replay does not show. */
  private static boolean isWatched() {
    return Anomaly.isOn() || Autograd.isObserved();
  }

  private Tensor record(RecordedStep known) {
    Recording calls = Recording.start();
    HostState host = HostState.start();
    Tensor y;
    try (calls;
        host) {
      try {
        y = bodyOf(known);
      } finally {
        calls.finish();
      }
    }
    known.add(calls, host, y);
    return y;
  }

  private Tensor bodyOf(RecordedStep known) {
    RUNNING.set(true);
    try (Scope _ = Scope.open()) {
      Tensor y = body.apply(known.inputs()).detach();
      // Out of all scopes: the step owns its result.
      y.lease().moveTo(null);
      return y;
    } finally {
      RUNNING.set(false);
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
    return recorded.stream()
        .filter(r -> r.isOf(null, inputs))
        .findFirst()
        .map(RecordedStep::calls)
        .orElse(List.of());
  }

  /** Ends the inputs and memory it holds, and the last result. */
  @Override
  public void close() {
    closed = true;
    recorded.forEach(RecordedStep::close);
    recorded.clear();
    endResult("its step was closed");
  }
}

package dev.downhill.tensor;

import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.backend.Replay;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a {@link Step} for inputs of one kind: the calls that its body makes, and their
 * replay once two recordings agreed.
 */
final class RecordedStep implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Step.class.getName());

  // A replay writes the same memory each time, but a result that was handed out has to end. Its
  // object serves again after so many runs, so that a run needs no new one.
  private static final int RESULTS = 16;

  private static final Tensor[] NOTHING = {};

  private final @Nullable Object mode;
  private final boolean gradients = Autograd.isEnabled();
  private final Owner owner = new Owner();
  private final List<Tensor> inputs;
  private final Device.Work[] copies;
  private Tensor[] given = NOTHING;

  private @Nullable List<Recording.Call> calls;
  private @Nullable HostState host;
  private boolean settled;
  private Replay[] replays = {};
  private @Nullable Tensor output;
  private final @Nullable Tensor[] results = new Tensor[RESULTS];

  /** How often it ran. */
  long runs;

  RecordedStep(@Nullable Object mode, Tensor[] like) {
    this.mode = mode;
    inputs =
        Arrays.stream(like)
            .map(t -> owner.own(Tensor.empty(t.device(), t.dtype(), t.shape())))
            .toList();
    copies =
        IntStream.range(0, like.length)
            .<Device.Work>mapToObj(i -> b -> b.copy(given[i].view(), inputs.get(i).view()))
            .toArray(Device.Work[]::new);
  }

  /** Whether it is about runs with such inputs, as the host is now. */
  boolean isOf(@Nullable Object otherMode, Tensor[] others) {
    boolean same =
        others.length == inputs.size()
            && gradients == Autograd.isEnabled()
            && (mode == null ? otherMode == null : mode.equals(otherMode));
    for (int i = 0; same && i < others.length; i++) {
      Tensor own = inputs.get(i);
      same =
          own.shape().equals(others[i].shape())
              && own.dtype() == others[i].dtype()
              && own.device() == others[i].device();
    }
    return same && (host == null || (host.holds() && (!isReplayed() || host.isInPlace())));
  }

  /** The step's own inputs, which the body gets. */
  List<Tensor> inputs() {
    return inputs;
  }

  /** The calls of the last recording. */
  List<Recording.Call> calls() {
    return calls == null ? List.of() : calls;
  }

  /** Whether there is nothing left to record. */
  boolean isSettled() {
    return settled;
  }

  boolean isReplayed() {
    return replays.length > 0;
  }

  /** Copies the inputs of a run to the step's own. */
  void copy(Tensor[] from) {
    given = from;
    for (int i = 0; i < copies.length; i++) {
      inputs.get(i).device().run(copies[i]);
      inputs.get(i).storage().changed();
    }
    given = NOTHING;
  }

  /**
   * Takes a recorded run.
   *
   * @param y its result
   * @throws IllegalStateException if the one before made other calls
   */
  void add(Recording now, HostState state, Tensor y) {
    List<Recording.Call> before = calls;
    calls = now.calls();
    host = state;
    if (before == null) {
      return;
    }
    String difference = Recording.difference(before, calls);
    if (difference != null) {
      // What was replayed so far is no longer what the body does.
      forget();
      throw new IllegalStateException(
          "step: two runs of the body made different calls; make what differs a tensor or an input:"
              + " "
              + difference);
    }
    if (!settled) {
      prepare(now, y);
    }
  }

  private void prepare(Recording now, Tensor y) {
    settled = true;
    output = owner.own(y.detach());
    try {
      replays = now.replays().toArray(Replay[]::new);
    } catch (IllegalStateException e) {
      LOG.log(System.Logger.Level.WARNING, "a step runs its body each time: {0}", e.getMessage());
    }
  }

  /** Makes the calls again; the result is valid until its lease is suspended. */
  Tensor replay(Tensor[] from) {
    copy(from);
    Tensor y = result();
    for (Replay r : replays) {
      r.run();
    }
    if (host != null) {
      host.leave();
    }
    return y;
  }

  private Tensor result() {
    Tensor source = Objects.requireNonNull(output);
    // Whoever saved the result of an earlier run for a gradient has to know.
    source.storage().changed();
    int next = (int) (runs % RESULTS);
    Tensor y = results[next];
    if (y == null || !y.lease().resume()) {
      y = Scope.outside(source::detach);
      results[next] = y;
    }
    return y;
  }

  private void forget() {
    for (Replay r : replays) {
      r.close();
    }
    replays = new Replay[0];
    settled = false;
  }

  /** Ends what it holds. */
  @Override
  public void close() {
    forget();
    owner.close();
    for (Tensor y : results) {
      if (y != null) {
        y.lease().end("its step was closed");
      }
    }
  }
}

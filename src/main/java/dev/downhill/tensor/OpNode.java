package dev.downhill.tensor;

import dev.downhill.autograd.Contribution;
import dev.downhill.autograd.Destination;
import dev.downhill.autograd.Node;
import dev.downhill.backend.Device;
import dev.downhill.backend.Storage;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One application of an operator in the graph: its inputs, what it saved, its rules. */
final class OpNode extends Node<Tensor> {
  private final String op;
  private final Device device;
  private final Shape shape;
  private final DType dtype;
  private final @Nullable Node<Tensor>[] inputs;
  private final Shape[] shapes;
  private final Rule[] rules;
  private final Lease lease;
  // Where the operator was called; known while anomalies are looked for.
  private final @Nullable String site = Anomaly.isOn() ? Site.caller() : null;
  private Saved[] saved = {};
  // What Rule.together has computed, from the first rule of a visit to the last.
  private @Nullable Tensor @Nullable [] together;

  /** A value as it was when the operator ran; a later change shows in the version. */
  private record Saved(Storage storage, Layout layout, int version, @Nullable Node<Tensor> node) {}

  OpNode(String op, Tensor output, @Nullable Node<Tensor>[] inputs, Shape[] shapes, Rule[] rules) {
    this.op = op;
    this.device = output.device();
    this.shape = output.shape();
    this.dtype = output.dtype();
    this.inputs = inputs;
    this.shapes = shapes;
    this.rules = rules;
    this.lease = new Lease(this, device);
  }

  /** Keeps tensors for the rules; {@code self} marks the output, whose node is this. */
  void save(Tensor[] tensors, Tensor self) {
    saved = new Saved[tensors.length];
    for (int i = 0; i < tensors.length; i++) {
      Tensor t = tensors[i];
      lease.hold(t.storage().retain());
      saved[i] =
          new Saved(t.storage(), t.layout(), t.storage().version(), t == self ? this : t.node());
    }
  }

  Tensor saved(int i) {
    Saved s = saved[i];
    return Tensor.alias(s.storage(), s.layout(), s.node());
  }

  @Nullable Tensor[] together(Rule.Pull pull, Function<Rule.Pull, @Nullable Tensor[]> gradients) {
    if (together == null) {
      together = gradients.apply(pull);
    }
    return together;
  }

  /** Lets what the other rules will take outlive the rule that computed it. */
  private void keepTogether(Scope scope) {
    if (together != null) {
      for (Tensor t : together) {
        if (t != null) {
          scope.keep(t);
        }
      }
    }
  }

  Lease lease() {
    return lease;
  }

  Device device() {
    return device;
  }

  Shape shape() {
    return shape;
  }

  @Nullable String site() {
    return site;
  }

  DType dtype() {
    return dtype;
  }

  @Override
  public String op() {
    return op;
  }

  @Override
  public int arity() {
    return inputs.length;
  }

  @Override
  public @Nullable Node<Tensor> input(int i) {
    return inputs[i];
  }

  @Override
  public void open() {
    together = null;
    String ended = lease.ended();
    if (ended != null) {
      throw new IllegalStateException(
          "backward: the graph of %s %s is gone: %s".formatted(op, shape, ended));
    }
    for (int i = 0; i < saved.length; i++) {
      int now = saved[i].storage().version();
      if (now != saved[i].version()) {
        throw new IllegalStateException(
            "backward: %s saved a tensor %s that was changed in place since, expected version %s, got %s"
                .formatted(op, saved[i].layout().shape(), saved[i].version(), now));
      }
    }
  }

  @Override
  public void done() {
    lease.end("backward has used it already; ask for retainGraph to use it again");
    saved = new Saved[0];
    together = null;
  }

  /** Whether a rule reads the destination's memory: an old gradient can be a value like others. */
  private boolean isRead(@Nullable Destination<Tensor> destination, Tensor dy) {
    if (destination == null) {
      return false;
    }
    Storage into = destination.into().storage();
    return dy.storage() == into || Arrays.stream(saved).anyMatch(s -> s.storage() == into);
  }

  @Override
  public @Nullable Contribution<Tensor> pull(
      int i, Tensor dy, @Nullable Destination<Tensor> destination) {
    try (Scope scope = Scope.internal()) {
      // A destination has the layout of the whole input; a rule that writes there must fill it.
      // What is written there would pass unseen.
      boolean withheld = Anomaly.isOn() || isRead(destination, dy);
      Destination<Tensor> into = withheld ? null : destination;
      Rule.Pull pull = new Rule.Pull(this, dy, into);
      boolean first = together == null;
      Tensor value = rules[i].apply(pull);
      if (first) {
        keepTogether(scope);
      }
      if (value == null) {
        return pull.wrote() ? new Contribution.Written<>() : null;
      }
      Region place = rules[i].place(pull);
      if (place == null && !value.shape().equals(shapes[i])) {
        value = value.sumTo(shapes[i]);
      }
      if (Anomaly.isOn()) {
        List<Tensor> read = IntStream.range(0, saved.length).mapToObj(this::saved).toList();
        Anomaly.backward(this, dy, read, value);
      }
      if (place != null && into != null && value.storage() != into.into().storage()) {
        if (!into.accumulate()) {
          into.into().fill(0);
        }
        place.add(into.into(), value);
        return new Contribution.Written<>();
      }
      if (place != null) {
        return new Contribution.Placed<>(scope.keep(value), place);
      }
      return new Contribution.Whole<>(scope.keep(value));
    }
  }
}

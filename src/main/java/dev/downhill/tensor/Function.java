package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operator of your own, with a gradient of your own.
 *
 * <pre>{@code
 * // y = x^3, dx = 3 x^2 dy
 * Function cube = new Function("cube") {
 *   public Tensor forward(Context c, List<Tensor> in) {
 *     Tensor x = in.get(0);
 *     c.save(x);
 *     return x.mul(x).mul(x);
 *   }
 *
 *   public List<Tensor> backward(Context c, Tensor dy) {
 *     Tensor x = c.saved(0);
 *     return List.of(x.mul(x).mul(3).mul(dy));
 *   }
 * };
 * Tensor y = cube.apply(x);
 * }</pre>
 *
 * <p>Check it with {@link GradientCheck}. If backward is made of operators that have gradients,
 * second derivatives work too.
 */
public abstract class Function {
  private final String name;

  /**
   * Names the operator for messages.
   *
   * @param name as it should appear in errors, such as {@code cube}
   */
  protected Function(String name) {
    this.name = name;
  }

  /**
   * Computes the result; nothing in here records a graph.
   *
   * @param c keeps what backward needs
   * @param inputs as given to {@link #apply}
   */
  public abstract Tensor forward(Context c, List<Tensor> inputs);

  /**
   * The gradient with respect to each input, in order; null for none.
   *
   * @param c has what forward kept
   * @param dy the gradient with respect to the result
   */
  public abstract List<@Nullable Tensor> backward(Context c, Tensor dy);

  /** What passes from forward to backward. */
  public static final class Context {
    private Tensor[] kept = {};
    private Rule.@Nullable Pull pull;

    private Context() {}

    /**
     * Keeps tensors for backward: inputs, the result, or others. They are held until backward has
     * run, and a later change in place is noticed.
     */
    public void save(Tensor... tensors) {
      kept = tensors;
    }

    /** The {@code i}-th tensor that was saved. */
    public Tensor saved(int i) {
      if (pull == null) {
        throw new IllegalStateException("saved: can be asked in backward only");
      }
      return pull.saved(i);
    }
  }

  /**
   * Runs the operator and records it in the graph.
   *
   * @throws IllegalArgumentException if backward later returns another number of gradients than
   *     there are inputs, or one of another shape
   */
  public final Tensor apply(Tensor... inputs) {
    if (inputs.length == 0) {
      throw new IllegalArgumentException(name + ": expected at least one input, got none");
    }
    Op op = Op.of(name, inputs);
    Context forward = new Context();
    try (Scope scope = Scope.internal()) {
      Tensor y;
      try (Autograd.Mode _ = Autograd.noGrad()) {
        // An alias, since forward may return an input itself, whose graph must stay as it is.
        Tensor result = forward(forward, List.of(inputs));
        result.check(name);
        y = Tensor.alias(result.storage(), result.layout(), null);
        for (int i = 0; i < forward.kept.length; i++) {
          forward.kept[i].check(name);
          forward.kept[i] = forward.kept[i] == result ? y : forward.kept[i];
        }
      }
      List<Kind> kinds = Arrays.stream(inputs).map(t -> new Kind(t.dtype(), t.shape())).toList();
      Rule[] rules = new Rule[inputs.length];
      for (int i = 0; i < rules.length; i++) {
        int input = i;
        rules[i] = p -> gradient(p, input, kinds);
      }
      return scope.keep(op.saving(forward.kept).record(y, rules));
    }
  }

  /** What the gradient of an input must be. */
  private record Kind(DType dtype, Shape shape) {}

  // Each input's rule runs backward anew: simple, and operators of one's own mostly have one input.
  private @Nullable Tensor gradient(Rule.Pull p, int i, List<Kind> kinds) {
    Context c = new Context();
    c.pull = p;
    List<@Nullable Tensor> gradients = backward(c, p.dy());
    if (gradients.size() != kinds.size()) {
      throw new IllegalArgumentException(
          "%s: expected backward to return %s gradients, got %s"
              .formatted(name, kinds.size(), gradients.size()));
    }
    Tensor dx = gradients.get(i);
    Kind kind = kinds.get(i);
    if (dx != null && (dx.dtype() != kind.dtype() || !dx.shape().equals(kind.shape()))) {
      throw new IllegalArgumentException(
          "%s: expected backward to return %s %s for input %s, got %s %s"
              .formatted(name, kind.dtype(), kind.shape(), i + 1, dx.dtype(), dx.shape()));
    }
    return dx;
  }
}

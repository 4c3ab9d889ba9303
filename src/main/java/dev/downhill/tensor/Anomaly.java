package dev.downhill.tensor;

import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Looks for the operator that makes the first number that is not finite; see {@link
 * Autograd#detectAnomaly}.
 *
 * <p>An operator made of others may make an infinity on its way that it drops again, such as 1/0
 * under a mask. What happens inside is therefore only suspected, and reported when the result that
 * leaves the operator is not finite.
 */
final class Anomaly {
  private static final ThreadLocal<@Nullable Anomaly> CURRENT = new ThreadLocal<>();

  private @Nullable String suspicion;
  private boolean looking;

  private Anomaly() {}

  static Autograd.Mode start() {
    Anomaly before = CURRENT.get();
    CURRENT.set(new Anomaly());
    return () -> CURRENT.set(before);
  }

  static boolean isOn() {
    return CURRENT.get() != null;
  }

  /** The result of an operator. */
  static void forward(String op, Tensor[] inputs, Tensor y) {
    Anomaly a = CURRENT.get();
    if (a == null || a.looking) {
      return;
    }
    Scope scope = Scope.current();
    boolean inside = scope != null && scope.isInternal();
    if (inside && a.suspicion != null) {
      return;
    }
    a.suspicion = null;
    double got = a.largest(y);
    if (!Double.isFinite(got) && a.allFinite(Arrays.asList(inputs))) {
      String problem = problem(op, "forward", got, List.of(inputs), "at " + Site.caller());
      if (!inside) {
        throw new ArithmeticException(problem);
      }
      a.suspicion = problem;
    }
  }

  /** A tensor leaves the outermost operator. */
  static void kept(Tensor y) {
    Anomaly a = CURRENT.get();
    if (a == null || a.suspicion == null || a.looking) {
      return;
    }
    String problem = a.suspicion;
    a.suspicion = null;
    if (!Double.isFinite(a.largest(y))) {
      throw new ArithmeticException(problem);
    }
  }

  /** What a rule gives for an input, from the gradient of the result and what was saved. */
  static void backward(OpNode node, Tensor dy, List<Tensor> saved, Tensor dx) {
    Anomaly a = CURRENT.get();
    if (a == null || a.looking) {
      return;
    }
    a.suspicion = null;
    double got = a.largest(dx);
    if (!Double.isFinite(got) && a.allFinite(saved) && a.allFinite(List.of(dy))) {
      String made = node.site() == null ? "" : "of the result made at " + node.site();
      throw new ArithmeticException(problem(node.op(), "backward", got, List.of(dy), made));
    }
  }

  private static String problem(
      String op, String pass, double got, List<Tensor> inputs, String where) {
    String shapes =
        inputs.stream().map(t -> t.shape().toString()).collect(Collectors.joining(" and "));
    return "%s: its %s %s gave a number that is not finite for numbers that are, expected finite numbers, got %s (shapes %s)"
        .formatted(op, pass, where, Double.isNaN(got) ? "NaN" : "Infinity", shapes)
        .replace("  ", " ");
  }

  private boolean allFinite(List<Tensor> tensors) {
    return tensors.stream().allMatch(t -> Double.isFinite(largest(t)));
  }

  /** The largest magnitude; NaN if there is one. */
  private double largest(Tensor x) {
    if (!x.dtype().isFloating() || x.numel() == 0) {
      return 0;
    }
    looking = true;
    try (Scope _ = Scope.internal();
        Autograd.Mode _ = Autograd.noGrad()) {
      Tensor dense = x.contiguous();
      Tensor y = Tensor.empty(x.device(), DType.F64, Shape.SCALAR);
      x.device().run(b -> b.norm(Double.POSITIVE_INFINITY, List.of(dense.view()), y.view()));
      MemorySegment target = MemorySegment.ofArray(new long[1]);
      x.device().await(b -> b.download(y.view(), target));
      return target.get(ValueLayout.JAVA_DOUBLE, 0);
    } finally {
      looking = false;
    }
  }
}

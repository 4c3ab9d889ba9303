package dev.downhill.tensor;

import dev.downhill.backend.Philox;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Holds the gradients of a function to central differences, as {@code torch.autograd.gradcheck}:
 * use it on an operator or layer of your own.
 *
 * <pre>{@code
 * Tensor x = Tensor.of(device, new double[] {0.3, -1.2, 2}, 3).requireGrad();
 * GradientCheck.check(in -> cube.apply(in.get(0)), List.of(x)).assertPasses();
 * }</pre>
 *
 * <p>The inputs that require a gradient are checked; they are {@code float64} and may be views of
 * any kind. Their memory is moved by {@code eps} and put back, so a layer that holds the same
 * parameters is checked too. An input of at most 64 elements is moved element by element, a larger
 * one along random directions; gradients start from random numbers and, for a result of at most 64
 * elements, from each element alone. The points must keep away from kinks by more than {@code eps}.
 */
public final class GradientCheck {
  private GradientCheck() {}

  /**
   * How close is close enough: {@code |analytic - numeric| <= atol + rtol |numeric|}.
   *
   * @param eps how far an input is moved, each way
   * @param atol the absolute tolerance
   * @param rtol the relative tolerance
   * @param seed of the random directions and starts
   */
  public record Options(double eps, double atol, double rtol, long seed) {
    /** PyTorch's: eps 1e-6, atol 1e-5, rtol 1e-3. */
    public static final Options DEFAULT = new Options(1e-6, 1e-5, 1e-3, 0);

    /** Checks that the step is positive and the tolerances are not negative. */
    public Options {
      if (!(eps > 0 && atol >= 0 && rtol >= 0)) {
        throw new IllegalArgumentException(
            "gradientCheck: expected eps above 0 and tolerances of 0 or more, got %s, %s and %s"
                .formatted(eps, atol, rtol));
      }
    }

    /** Moves inputs by this much. */
    public Options withEps(double value) {
      return new Options(value, atol, rtol, seed);
    }

    /** Allows these differences. */
    public Options withTolerance(double absolute, double relative) {
      return new Options(eps, absolute, relative, seed);
    }

    /** Draws other directions and starts. */
    public Options withSeed(long value) {
      return new Options(eps, atol, rtol, value);
    }
  }

  /**
   * What was found, and the comparison that was worst.
   *
   * @param passed whether all comparisons were within the tolerance
   * @param comparisons how many there were; none if all inputs are empty
   * @param error the worst difference in units of what is allowed, so that 1 just passes
   * @param input the place of the worst in the list of inputs
   * @param element the element of that input, row-major; -1 for a random direction
   * @param output the element of the result, row-major; -1 for all, weighted at random
   * @param analytic the derivative that the backward pass gave
   * @param numeric the derivative by differences
   */
  public record Report(
      boolean passed,
      long comparisons,
      double error,
      int input,
      long element,
      long output,
      double analytic,
      double numeric) {
    static final Report NOTHING = new Report(true, 0, 0, 0, -1, -1, 0, 0);

    /**
     * Does nothing if the check passed.
     *
     * @throws AssertionError with {@link #toString} if it did not
     */
    public void assertPasses() {
      if (!passed) {
        throw new AssertionError(toString());
      }
    }

    /** Both, with the worse of their worst. */
    Report and(Report other) {
      // A NaN is the worst there is.
      boolean worse = Double.isNaN(other.error) || other.error > error;
      Report worst = worse && !Double.isNaN(error) ? other : this;
      return new Report(
          passed && other.passed,
          comparisons + other.comparisons,
          worst.error,
          worst.input,
          worst.element,
          worst.output,
          worst.analytic,
          worst.numeric);
    }

    /** The worst comparison in words. */
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "gradientCheck: %s, %s comparisons, worst %.3g of the tolerance: analytic %.9g, numeric"
              + " %.9g (input %s, %s; %s)",
          passed ? "passed" : "the gradient is wrong",
          comparisons,
          error,
          analytic,
          numeric,
          input,
          element < 0 ? "a random direction" : "element " + element,
          output < 0 ? "all outputs, weighted" : "output " + output);
    }
  }

  /** {@link #check(Function, List, Options)} with PyTorch's tolerances. */
  public static Report check(Function<List<Tensor>, Tensor> f, List<Tensor> inputs) {
    return check(f, inputs, Options.DEFAULT);
  }

  /**
   * Checks first derivatives.
   *
   * @param f the function; gives the same result for the same inputs, of dtype {@code float64}
   * @param inputs its inputs, of which at least one requires a gradient
   * @throws IllegalArgumentException if no input requires a gradient, one that does is not {@code
   *     float64}, the result is not, or two runs gave different results
   */
  public static Report check(
      Function<List<Tensor>, Tensor> f, List<Tensor> inputs, Options options) {
    try (Scope _ = Scope.open()) {
      return new Jacobian(f, inputs, options).compare();
    }
  }

  /** {@link #checkSecond(Function, List, Options)} with PyTorch's tolerances. */
  public static Report checkSecond(Function<List<Tensor>, Tensor> f, List<Tensor> inputs) {
    return checkSecond(f, inputs, Options.DEFAULT);
  }

  /**
   * Checks second derivatives: the gradient of f, weighted at random, is differentiated once more,
   * with respect to the inputs and to the gradient it starts from. In the report that start counts
   * as one more input.
   *
   * @param f the function; gives the same result for the same inputs, of dtype {@code float64}
   * @param inputs its inputs, of which at least one requires a gradient
   * @throws IllegalArgumentException as {@link #check}
   */
  public static Report checkSecond(
      Function<List<Tensor>, Tensor> f, List<Tensor> inputs, Options options) {
    try (Scope _ = Scope.open()) {
      List<Tensor> all = new ArrayList<>(inputs);
      Tensor y = result(f, inputs);
      all.add(random(y, Philox.generator(options.seed(), 0)).requireGrad());
      return new Jacobian(in -> weightedGradient(f, in, options.seed()), all, options).compare();
    }
  }

  /** The sum of random numbers times the gradient of f, whose start is the last of {@code in}. */
  private static Tensor weightedGradient(
      Function<List<Tensor>, Tensor> f, List<Tensor> in, long seed) {
    List<Tensor> inputs = in.subList(0, in.size() - 1);
    Tensor start = in.getLast();
    Philox.Generator random = Philox.generator(seed, 1);
    List<Tensor> wanted = inputs.stream().filter(Tensor::requiresGrad).toList();
    Tensor y = result(f, inputs);
    Tensor sum = Tensor.zeros(start.device(), DType.F64);
    if (y.requiresGrad()) {
      Autograd.Backward options = Autograd.Backward.DEFAULT.withGradient(start).withCreateGraph();
      for (@Nullable Tensor dx : Autograd.grad(y, wanted, options)) {
        sum = dx == null ? sum : sum.add(dx.mul(random(dx, random)).sum());
      }
    }
    return sum;
  }

  /** f of the inputs, in double precision. */
  static Tensor result(Function<List<Tensor>, Tensor> f, List<Tensor> inputs) {
    Tensor y = f.apply(inputs);
    if (y.dtype() != DType.F64) {
      throw new IllegalArgumentException(
          "gradientCheck: expected a float64 result, since differences need the digits, got %s %s"
              .formatted(y.dtype(), y.shape()));
    }
    return y;
  }

  /** Numbers of either sign and never near 0, of the shape of a tensor. */
  private static Tensor random(Tensor like, Philox.Generator random) {
    return Tensor.of(
        like.device(), random(Math.toIntExact(like.numel()), random), like.shape().toArray());
  }

  /** Numbers of either sign and never near 0. */
  static double[] random(int n, Philox.Generator random) {
    double[] values = new double[n];
    Arrays.setAll(values, i -> (0.5 + random.nextDouble()) * (random.nextInt(2) == 0 ? 1 : -1));
    return values;
  }
}

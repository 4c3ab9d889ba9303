package dev.downhill.tensor;

import dev.downhill.backend.Philox;
import dev.downhill.backend.Storage;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Holds the gradients of a function to central differences, as {@code torch.autograd.gradcheck}: use it
 * on an operator or layer of your own.
 *
 * <pre>{@code
 * Tensor x = Tensor.of(device, new double[] {0.3, -1.2, 2}, 3).requireGrad();
 * GradientCheck.check(in -> cube.apply(in.get(0)), List.of(x)).assertPasses();
 * }</pre>
 *
 * <p>The inputs that require a gradient are checked; they are {@code float64} and may be views of any
 * kind. Their memory is moved by {@code eps} and put back, so a layer that holds the same parameters is
 * checked too. An input of at most 64 elements is moved element by element, a larger one along random
 * directions; gradients start from random numbers and, for a result of at most 64 elements, from each
 * element alone. The points must keep away from kinks by more than {@code eps}.
 */
public final class GradientCheck {
  private static final int FEW = 64;
  private static final int DIRECTIONS = 8;

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
    private static final Report NOTHING = new Report(true, 0, 0, 0, -1, -1, 0, 0);

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

    private Report and(Report other) {
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
      return "gradientCheck: %s, %d comparisons, worst %.3g of the tolerance: analytic %.9g, numeric %.9g (input %d, %s; %s)"
          .formatted(
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
   * Checks second derivatives: the gradient of f, weighted at random, is differentiated once more, with
   * respect to the inputs and to the gradient it starts from. In the report that start counts as one
   * more input.
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

  private static Tensor result(Function<List<Tensor>, Tensor> f, List<Tensor> inputs) {
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

  private static double[] random(int n, Philox.Generator random) {
    double[] values = new double[n];
    Arrays.setAll(values, i -> (0.5 + random.nextDouble()) * (random.nextInt(2) == 0 ? 1 : -1));
    return values;
  }

  /** Memory that checked inputs read. */
  private static final class Block {
    final Tensor whole;
    final double[] values;
    final boolean[] read;

    Block(Storage storage) {
      whole = Tensor.alias(storage, Layout.contiguous(Shape.of(storage.buffer().numel())), null);
      values = whole.toDoubles();
      read = new boolean[values.length];
    }

    void set(double[] to) {
      try (Scope _ = Scope.internal()) {
        whole.copyFrom(Tensor.of(whole.device(), to, to.length));
      }
    }
  }

  /**
   * An input that requires a gradient.
   *
   * @param index its place among the inputs
   * @param leaf the input, or another leaf on its memory if an operator made it
   * @param block its memory
   * @param cells where each of its elements lies in the block
   */
  private record Checked(int index, Tensor leaf, Block block, int[] cells) {}

  /** A direction to move memory in; {@code element} of {@code input} alone, or -1 for many. */
  private record Probe(Block block, double[] direction, int input, long element) {}

  /** The matrix of derivatives, looked at from both sides. */
  private static final class Jacobian {
    private final Function<List<Tensor>, Tensor> f;
    private final Options options;
    private final List<Tensor> inputs = new ArrayList<>();
    private final List<Checked> checked = new ArrayList<>();
    private final Philox.Generator random;

    Jacobian(Function<List<Tensor>, Tensor> f, List<Tensor> given, Options options) {
      this.f = f;
      this.options = options;
      this.random = Philox.generator(options.seed(), 0);
      Map<Storage, Block> blocks = new IdentityHashMap<>();
      for (int i = 0; i < given.size(); i++) {
        Tensor x = leaf(given.get(i));
        inputs.add(x);
        // The gradient of an input that occurs twice is the sum for both places.
        if (x.requiresGrad() && checked.stream().noneMatch(c -> c.leaf() == x)) {
          Block block = blocks.computeIfAbsent(x.storage(), Block::new);
          int[] cells = cells(x.layout());
          for (int cell : cells) {
            block.read[cell] = true;
          }
          checked.add(new Checked(i, x, block, cells));
        }
      }
      if (checked.isEmpty()) {
        throw new IllegalArgumentException(
            "gradientCheck: expected an input that requires a gradient, got none of " + given.size());
      }
    }

    private static Tensor leaf(Tensor x) {
      x.check("gradientCheck");
      if (x.requiresGrad() && x.dtype() != DType.F64) {
        throw new IllegalArgumentException(
            "gradientCheck: expected float64 inputs, since differences need the digits, got %s %s"
                .formatted(x.dtype(), x.shape()));
      }
      if (x.isLeaf()) {
        return x;
      }
      Tensor alias = x.detach();
      alias.setNode(new LeafNode(alias));
      return alias;
    }

    /** The position in memory of every element, row-major. */
    private static int[] cells(Layout layout) {
      int[] cells = new int[Math.toIntExact(layout.shape().numel())];
      for (int i = 0; i < cells.length; i++) {
        long rest = i;
        long at = layout.offset();
        for (int d = layout.shape().rank() - 1; d >= 0; d--) {
          at += rest % layout.shape().size(d) * layout.stride(d);
          rest /= layout.shape().size(d);
        }
        cells[i] = Math.toIntExact(at);
      }
      return cells;
    }

    Report compare() {
      double[] y = values();
      if (!Arrays.equals(y, values())) {
        throw new IllegalArgumentException(
            "gradientCheck: expected a function that gives the same result for the same inputs, got another one the second time");
      }
      List<Probe> probes = probes();
      List<double[]> differences = probes.stream().map(this::difference).toList();
      double[] weights = random(y.length, random);
      try (Scope _ = Scope.internal()) {
        Tensor result = result(f, inputs);
        Report report = compare(result, weights, -1, probes, differences);
        for (int k = 0; k < y.length && y.length <= FEW; k++) {
          double[] one = new double[y.length];
          one[k] = weights[k];
          report = report.and(compare(result, one, k, probes, differences));
        }
        return report;
      }
    }

    private double[] values() {
      try (Scope _ = Scope.internal()) {
        return result(f, inputs).toDoubles();
      }
    }

    private List<Probe> probes() {
      List<Probe> probes = new ArrayList<>();
      for (Block block : checked.stream().map(Checked::block).distinct().toList()) {
        Checked first = checked.stream().filter(c -> c.block() == block).findFirst().orElseThrow();
        int count = 0;
        for (boolean read : block.read) {
          count += read ? 1 : 0;
        }
        for (int n = 0; n < DIRECTIONS && count > FEW; n++) {
          double[] direction = random(block.read.length, random);
          for (int cell = 0; cell < direction.length; cell++) {
            direction[cell] = block.read[cell] ? direction[cell] : 0;
          }
          probes.add(new Probe(block, direction, first.index(), -1));
        }
        for (int cell = 0; cell < block.read.length && count <= FEW; cell++) {
          if (block.read[cell]) {
            probes.add(element(block, cell));
          }
        }
      }
      return probes;
    }

    private Probe element(Block block, int cell) {
      double[] direction = new double[block.read.length];
      direction[cell] = 1;
      for (Checked c : checked) {
        for (int e = 0; e < c.cells().length && c.block() == block; e++) {
          if (c.cells()[e] == cell) {
            return new Probe(block, direction, c.index(), e);
          }
        }
      }
      throw new AssertionError("no input reads element " + cell);
    }

    /** The change of every output along a direction, by central differences. */
    private double[] difference(Probe probe) {
      Block block = probe.block();
      try {
        block.set(moved(probe, options.eps()));
        double[] above = values();
        block.set(moved(probe, -options.eps()));
        double[] below = values();
        Arrays.setAll(above, k -> (above[k] - below[k]) / (2 * options.eps()));
        return above;
      } finally {
        block.set(block.values);
      }
    }

    private static double[] moved(Probe probe, double step) {
      double[] to = probe.block().values.clone();
      Arrays.setAll(to, i -> to[i] + step * probe.direction()[i]);
      return to;
    }

    private Report compare(
        Tensor y, double[] start, int output, List<Probe> probes, List<double[]> differences) {
      double[][] gradients = gradients(y, start);
      Report report = Report.NOTHING;
      for (int i = 0; i < probes.size(); i++) {
        Probe probe = probes.get(i);
        double analytic = 0;
        for (int c = 0; c < gradients.length; c++) {
          Checked in = checked.get(c);
          for (int e = 0; e < gradients[c].length && in.block() == probe.block(); e++) {
            analytic += gradients[c][e] * probe.direction()[in.cells()[e]];
          }
        }
        double numeric = 0;
        for (int k = 0; k < start.length; k++) {
          numeric += start[k] * differences.get(i)[k];
        }
        double allowed = options.atol() + options.rtol() * Math.abs(numeric);
        double error = analytic == numeric ? 0 : Math.abs(analytic - numeric) / allowed;
        report =
            report.and(
                new Report(
                    error <= 1, 1, error, probe.input(), probe.element(), output, analytic, numeric));
      }
      return report;
    }

    /** The gradient of every checked input, row-major; zeros where the result does not depend on it. */
    private double[][] gradients(Tensor y, double[] start) {
      try (Scope _ = Scope.internal()) {
        List<Tensor> leaves = checked.stream().map(Checked::leaf).toList();
        List<@Nullable Tensor> found = new ArrayList<>();
        if (y.requiresGrad()) {
          Tensor dy = Tensor.of(y.device(), start, y.shape().toArray());
          found.addAll(
              Autograd.grad(
                  y, leaves, Autograd.Backward.DEFAULT.withGradient(dy).withRetainGraph()));
        }
        double[][] gradients = new double[leaves.size()][];
        for (int i = 0; i < gradients.length; i++) {
          Tensor dx = i < found.size() ? found.get(i) : null;
          gradients[i] = dx == null ? new double[checked.get(i).cells().length] : dx.toDoubles();
        }
        return gradients;
      }
    }
  }
}

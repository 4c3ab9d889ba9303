package dev.downhill.tensor;

import dev.downhill.backend.Philox;
import dev.downhill.backend.Storage;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.GradientCheck.Options;
import dev.downhill.tensor.GradientCheck.Report;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The matrix of derivatives of a function, looked at from both sides: from the inputs by
 * differences, along a direction in their memory, and from the outputs by the backward pass, from a
 * weight for each.
 */
final class Jacobian {
  private static final int FEW = 64;
  private static final int DIRECTIONS = 8;

  /** Memory that checked inputs read, its numbers, and which of them are read. */
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

  /** An input that requires a gradient, or another leaf on its memory if an operator made it. */
  private static final class Checked {
    final int index;
    final Tensor leaf;
    final Block block;
    // Where each of its elements lies in the block.
    final int[] cells;

    Checked(int index, Tensor leaf, Block block) {
      this.index = index;
      this.leaf = leaf;
      this.block = block;
      this.cells = positions(leaf.layout());
    }
  }

  /** A direction to move memory in: one element of an input, or -1 for many. */
  private static final class Probe {
    final Block block;
    final double[] direction;
    final int input;
    final long element;

    Probe(Block block, double[] direction, int input, long element) {
      this.block = block;
      this.direction = direction;
      this.input = input;
      this.element = element;
    }
  }

  private final Function<List<Tensor>, Tensor> f;
  private final Options options;
  private final List<Tensor> inputs = new ArrayList<>();
  private final List<Checked> checked = new ArrayList<>();
  private final Philox.Generator random;

  Jacobian(Function<List<Tensor>, Tensor> f, List<Tensor> given, Options options) {
    this.f = f;
    this.options = options;
    this.random = Philox.generator(options.seed(), 0);
    Map<Storage, Block> blocks = new HashMap<>();
    for (int i = 0; i < given.size(); i++) {
      Tensor x = leaf(given.get(i));
      inputs.add(x);
      // The gradient of an input that occurs twice is the sum for both places.
      if (x.requiresGrad() && checked.stream().noneMatch(c -> c.leaf == x)) {
        Checked c = new Checked(i, x, blocks.computeIfAbsent(x.storage(), Block::new));
        for (int cell : c.cells) {
          c.block.read[cell] = true;
        }
        checked.add(c);
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
  private static int[] positions(Layout layout) {
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
          "gradientCheck: expected a function that gives the same result for the same inputs, got"
              + " another one the second time");
    }
    List<Probe> probes = probes();
    List<double[]> differences = probes.stream().map(this::difference).toList();
    double[] weights = GradientCheck.random(y.length, random);
    try (Scope _ = Scope.internal()) {
      Tensor result = GradientCheck.result(f, inputs);
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
      return GradientCheck.result(f, inputs).toDoubles();
    }
  }

  private List<Probe> probes() {
    List<Probe> probes = new ArrayList<>();
    for (Block block : checked.stream().map(c -> c.block).distinct().toList()) {
      int[] cells = IntStream.range(0, block.read.length).filter(i -> block.read[i]).toArray();
      if (cells.length <= FEW) {
        Arrays.stream(cells).mapToObj(cell -> element(block, cell)).forEach(probes::add);
      } else {
        for (int n = 0; n < DIRECTIONS; n++) {
          probes.add(direction(block));
        }
      }
    }
    return probes;
  }

  private Probe direction(Block block) {
    double[] direction = GradientCheck.random(block.read.length, random);
    Arrays.setAll(direction, cell -> block.read[cell] ? direction[cell] : 0);
    Checked first = checked.stream().filter(c -> c.block == block).findFirst().orElseThrow();
    return new Probe(block, direction, first.index, -1);
  }

  private Probe element(Block block, int cell) {
    double[] direction = new double[block.read.length];
    direction[cell] = 1;
    for (Checked c : checked) {
      for (int e = 0; e < c.cells.length && c.block == block; e++) {
        if (c.cells[e] == cell) {
          return new Probe(block, direction, c.index, e);
        }
      }
    }
    throw new AssertionError("no input reads element " + cell);
  }

  /** The change of every output along a direction, by central differences. */
  private double[] difference(Probe probe) {
    Block block = probe.block;
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
    double[] to = probe.block.values.clone();
    Arrays.setAll(to, i -> to[i] + step * probe.direction[i]);
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
        for (int e = 0; e < gradients[c].length && in.block == probe.block; e++) {
          analytic += gradients[c][e] * probe.direction[in.cells[e]];
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
                  error <= 1, 1, error, probe.input, probe.element, output, analytic, numeric));
    }
    return report;
  }

  /**
   * The gradient of every checked input, row-major; zeros where the result does not depend on it.
   */
  private double[][] gradients(Tensor y, double[] start) {
    try (Scope _ = Scope.internal()) {
      List<Tensor> leaves = checked.stream().map(c -> c.leaf).toList();
      List<@Nullable Tensor> found = new ArrayList<>();
      if (y.requiresGrad()) {
        Tensor dy = Tensor.of(y.device(), start, y.shape().toArray());
        found.addAll(
            Autograd.grad(y, leaves, Autograd.Backward.DEFAULT.withGradient(dy).withRetainGraph()));
      }
      double[][] gradients = new double[leaves.size()][];
      for (int i = 0; i < gradients.length; i++) {
        Tensor dx = i < found.size() ? found.get(i) : null;
        gradients[i] = dx == null ? new double[checked.get(i).cells.length] : dx.toDoubles();
      }
      return gradients;
    }
  }
}

package dev.downhill.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Update;
import dev.downhill.backend.UpdateTable;
import dev.downhill.backend.UpdateTable.Row;
import dev.downhill.backend.View;
import dev.downhill.shape.DType;
import dev.downhill.shape.Layout;
import dev.downhill.shape.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Eight steps against the formulas of PyTorch's optimisers in double. */
final class CpuUpdateTest {
  private static final int STEPS = 8;

  private final SplittableRandom random = new SplittableRandom(3);
  private final View skip = Elements.zeros(DType.BOOL, 1);

  /** One parameter and what the formulas say it should be. */
  private final class Parameter {
    final Update update;
    final double[] scalars;
    final View value;
    final View gradient;
    final View counters;
    final List<View> states = new ArrayList<>();
    final int group;
    final double[] p;
    final double[] b;
    final double[] m;
    final double[] v;
    final double[] w;
    double product = 1;
    int steps;

    Parameter(Update update, DType dtype, int size, int group, double[] scalars) {
      this.update = update;
      this.scalars = scalars;
      this.group = group;
      value = normal(inside(dtype, size));
      gradient = inside(dtype, size);
      for (int i = 0; i < update.states(); i++) {
        states.add(inside(dtype, update.keeps(i, scalars) ? size : 0));
      }
      View all = Elements.zeros(DType.F64, 4 + update.counters());
      double[] around = {9, 9, 9, 9, 9, 9, 9, 9};
      System.arraycopy(update.firstCounters(), 0, around, 2, update.counters());
      Elements.set(all, Arrays.copyOf(around, 4 + update.counters()));
      counters = all.with(Layout.of(Shape.of(update.counters()), new long[] {1}, 2));
      p = Elements.get(value);
      b = new double[size];
      m = new double[size];
      v = new double[size];
      w = new double[size];
    }

    /** Contiguous, but not at the start of its buffer. */
    private View inside(DType dtype, int size) {
      View all = Elements.zeros(dtype, size + 5);
      return all.with(all.layout().slice(0, 3, size, 1));
    }

    private View normal(View view) {
      double[] values = new double[(int) view.shape().numel()];
      Arrays.setAll(values, i -> random.nextGaussian());
      return Elements.set(view, values);
    }

    Row row() {
      return new Row(value, gradient, states, counters, group);
    }

    void step() {
      steps++;
      double[] g = Elements.get(gradient);
      if (update == Update.NADAM) {
        product *= mu(steps);
      }
      for (int i = 0; i < p.length; i++) {
        switch (update) {
          case SGD -> sgd(i, g[i]);
          case ADAM -> adam(i, g[i]);
          case RMSPROP -> rmsProp(i, g[i]);
          case ADAGRAD -> adagrad(i, g[i]);
          case NADAM -> nadam(i, g[i]);
        }
      }
    }

    private void sgd(int i, double g) {
      double lr = scalars[0];
      double momentum = scalars[1];
      g = scalars[5] != 0 ? -g : g;
      g += scalars[3] * p[i];
      if (momentum != 0) {
        b[i] = steps == 1 ? g : momentum * b[i] + (1 - scalars[2]) * g;
        g = scalars[4] != 0 ? g + momentum * b[i] : b[i];
      }
      p[i] -= lr * g;
    }

    private void adam(int i, double g) {
      double lr = scalars[0];
      double beta1 = scalars[1];
      double beta2 = scalars[2];
      g = scalars[6] != 0 ? -g : g;
      if (scalars[5] != 0) {
        p[i] -= lr * scalars[4] * p[i];
      } else {
        g += scalars[4] * p[i];
      }
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      w[i] = Math.max(w[i], v[i]);
      double square = scalars[7] != 0 ? w[i] : v[i];
      double root = Math.sqrt(square) / Math.sqrt(1 - Math.pow(beta2, steps)) + scalars[3];
      p[i] -= lr / (1 - Math.pow(beta1, steps)) * m[i] / root;
    }

    private void rmsProp(int i, double g) {
      double alpha = scalars[1];
      g = (scalars[6] != 0 ? -g : g) + scalars[3] * p[i];
      v[i] = alpha * v[i] + (1 - alpha) * g * g;
      m[i] = alpha * m[i] + (1 - alpha) * g;
      double square = scalars[5] != 0 ? v[i] - m[i] * m[i] : v[i];
      b[i] = scalars[4] * b[i] + g / (Math.sqrt(square) + scalars[2]);
      p[i] -= scalars[0] * b[i];
    }

    private void adagrad(int i, double g) {
      g = (scalars[4] != 0 ? -g : g) + scalars[3] * p[i];
      v[i] += g * g;
      p[i] -= scalars[0] / (1 + (steps - 1) * scalars[1]) * g / (Math.sqrt(v[i]) + scalars[2]);
    }

    private double mu(int t) {
      return scalars[1] * (1 - 0.5 * Math.pow(scalars[7], t));
    }

    private void nadam(int i, double g) {
      double lr = scalars[0];
      double beta1 = scalars[1];
      double beta2 = scalars[2];
      g = scalars[6] != 0 ? -g : g;
      if (scalars[5] != 0) {
        p[i] -= lr * scalars[4] * p[i];
      } else {
        g += scalars[4] * p[i];
      }
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      double root = Math.sqrt(v[i] / (1 - Math.pow(beta2, steps))) + scalars[3];
      double next = mu(steps + 1);
      p[i] -= lr * (1 - mu(steps)) / (1 - product) * g / root;
      p[i] -= lr * next / (1 - product * next) * m[i] / root;
    }
  }

  private static View groups(double[]... rows) {
    double[] all = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    return Elements.set(Elements.zeros(DType.F64, rows.length, rows[0].length), all);
  }

  /** Three parameters in two groups; now and then one has no gradient. */
  private void assertFollowsTheFormula(Update update, DType dtype, double[] scalars, int threads) {
    double[] slow = scalars.clone();
    slow[0] /= 10;
    View groups = groups(slow, scalars);
    List<Parameter> parameters =
        List.of(
            new Parameter(update, dtype, 37, 1, scalars),
            new Parameter(update, dtype, CpuUpdate.MOST + 19, 0, slow),
            new Parameter(update, dtype, 0, 0, slow),
            new Parameter(update, dtype, 16, 1, scalars));
    try (Workers workers = new Workers(threads)) {
      CpuUpdate updater = new CpuUpdate(workers);
      for (int step = 0; step < STEPS; step++) {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
          if ((step + i) % 3 != 0) {
            Parameter parameter = parameters.get(i);
            parameter.normal(parameter.gradient);
            rows.add(parameter.row());
            parameter.step();
          }
        }
        updater.update(update, new UpdateTable(rows), groups, skip);
      }
    }
    double tolerance = dtype == DType.F64 ? 1e-12 : 1e-5;
    for (Parameter parameter : parameters) {
      double[] actual = Elements.get(parameter.value);
      for (int i = 0; i < actual.length; i++) {
        double expected = parameter.p[i];
        assertThat(actual[i]).isCloseTo(expected, within(tolerance * (Math.abs(expected) + 0.1)));
      }
      assertThat(Elements.get(parameter.counters)[0]).isEqualTo(parameter.steps);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0.1, 0, 0, 0, 0, 0", "0.1, 0, 0, 0.1, 0, 1", "0.05, 0.9, 0, 0, 0, 0",
    "0.05, 0.9, 0.3, 0.01, 0, 0", "0.05, 0.9, 0, 0.01, 1, 0", "0.05, 0.5, 0.5, 0, 0, 1"
  })
  void sgd(
      double lr, double momentum, double dampening, double decay, double nesterov, double max) {
    double[] scalars = {lr, momentum, dampening, decay, nesterov, max};
    assertFollowsTheFormula(Update.SGD, DType.F32, scalars, 1);
    assertFollowsTheFormula(Update.SGD, DType.F64, scalars, 2);
  }

  @ParameterizedTest
  @CsvSource({
    "0.001, 0.9, 0.999, 1e-8, 0, 0, 0, 0", "0.01, 0.9, 0.999, 1e-8, 0.1, 0, 0, 0",
    "0.01, 0.8, 0.95, 1e-3, 0.1, 1, 0, 0", "0.01, 0, 0.9, 1e-8, 0.01, 1, 1, 0",
    "0.001, 0.9, 0.4, 1e-8, 0, 0, 0, 1", "0.01, 0.9, 0.2, 1e-3, 0.1, 1, 0, 1"
  })
  void adam(
      double lr,
      double beta1,
      double beta2,
      double eps,
      double decay,
      double decoupled,
      double max,
      double amsgrad) {
    double[] scalars = {lr, beta1, beta2, eps, decay, decoupled, max, amsgrad};
    assertFollowsTheFormula(Update.ADAM, DType.F32, scalars, 1);
    assertFollowsTheFormula(Update.ADAM, DType.F64, scalars, 2);
  }

  @ParameterizedTest
  @CsvSource({
    "0.01, 0.99, 1e-8, 0, 0, 0, 0", "0.01, 0.9, 1e-3, 0.1, 0.9, 0, 0",
    "0.01, 0.9, 1e-3, 0, 0, 1, 1", "0.01, 0.5, 1e-2, 0.01, 0.5, 1, 0"
  })
  void rmsProp(
      double lr,
      double alpha,
      double eps,
      double decay,
      double momentum,
      double centered,
      double max) {
    double[] scalars = {lr, alpha, eps, decay, momentum, centered, max};
    assertFollowsTheFormula(Update.RMSPROP, DType.F32, scalars, 1);
    assertFollowsTheFormula(Update.RMSPROP, DType.F64, scalars, 2);
  }

  @ParameterizedTest
  @CsvSource({"0.01, 0, 1e-10, 0, 0", "0.1, 0.5, 1e-10, 0.1, 0", "0.1, 0.1, 1e-2, 0, 1"})
  void adagrad(double lr, double lrDecay, double eps, double decay, double max) {
    double[] scalars = {lr, lrDecay, eps, decay, max};
    assertFollowsTheFormula(Update.ADAGRAD, DType.F32, scalars, 1);
    assertFollowsTheFormula(Update.ADAGRAD, DType.F64, scalars, 2);
  }

  @ParameterizedTest
  @CsvSource({
    "0.002, 0.9, 0.999, 1e-8, 0, 0, 0, 0.9998", "0.01, 0.9, 0.99, 1e-3, 0.1, 0, 1, 0.5",
    "0.01, 0.8, 0.9, 1e-8, 0.1, 1, 0, 0.9", "0.01, 0, 0, 1e-3, 0, 0, 0, 1"
  })
  void nadam(
      double lr,
      double beta1,
      double beta2,
      double eps,
      double decay,
      double decoupled,
      double max,
      double factor) {
    double[] scalars = {lr, beta1, beta2, eps, decay, decoupled, max, factor};
    assertFollowsTheFormula(Update.NADAM, DType.F32, scalars, 1);
    assertFollowsTheFormula(Update.NADAM, DType.F64, scalars, 2);
  }

  @Test
  void adam_keepsThePowersOfItsBetas() {
    double[] scalars = {0.01, 0.9, 0.99, 1e-8, 0, 0, 0, 0};
    Parameter parameter = new Parameter(Update.ADAM, DType.F32, 5, 0, scalars);
    CpuUpdate updater = new CpuUpdate(new Workers(1));
    for (int i = 0; i < 3; i++) {
      updater.update(Update.ADAM, new UpdateTable(List.of(parameter.row())), groups(scalars), skip);
    }
    assertThat(Elements.get(parameter.counters))
        .containsExactly(3, 0.9 * 0.9 * 0.9, 0.99 * 0.99 * 0.99);
  }

  @Test
  void skip_changesNothing() {
    double[] scalars = {0.01, 0.9, 0.99, 1e-8, 0, 0, 0, 0};
    Parameter parameter = new Parameter(Update.ADAM, DType.F32, 50, 0, scalars);
    parameter.normal(parameter.gradient);
    View flags = Elements.set(Elements.zeros(DType.BOOL, 2), 0, 1);
    View skipped = flags.with(Layout.of(Shape.SCALAR, new long[0], 1));
    new CpuUpdate(new Workers(1))
        .update(Update.ADAM, new UpdateTable(List.of(parameter.row())), groups(scalars), skipped);
    assertThat(Elements.get(parameter.value)).isEqualTo(parameter.p);
    assertThat(Elements.get(parameter.counters)).containsExactly(0, 1, 1);
    assertThat(parameter.states)
        .allSatisfy(s -> assertThat(Arrays.stream(Elements.get(s))).allMatch(x -> x == 0));
  }

  static Stream<Arguments> everyUpdate() {
    return IntStream.of(16, 37, 100)
        .boxed()
        .flatMap(
            size ->
                Stream.of(
                    Arguments.of(Update.SGD, size, new double[] {0.1, 0.9, 0.1, 0.1, 0, 0}),
                    Arguments.of(
                        Update.ADAM, size, new double[] {0.01, 0.9, 0.4, 1e-8, 0.1, 1, 0, 1}),
                    Arguments.of(
                        Update.RMSPROP, size, new double[] {0.01, 0.9, 1e-8, 0.1, 0.9, 1, 0}),
                    Arguments.of(Update.ADAGRAD, size, new double[] {0.01, 0.1, 1e-8, 0.1, 0}),
                    Arguments.of(
                        Update.NADAM, size, new double[] {0.01, 0.9, 0.99, 1e-8, 0.1, 1, 0, 0.9})));
  }

  @ParameterizedTest
  @MethodSource("everyUpdate")
  void elements_doNotDependOnTheirPlace(Update update, int size, double[] scalars) {
    // One in a vector, the other in what is left over.
    Parameter one = new Parameter(update, DType.F32, size, 0, scalars);
    Parameter other = new Parameter(update, DType.F32, size + 1, 0, scalars);
    double[] values = Elements.get(one.value);
    double[] shifted = new double[size + 1];
    CpuUpdate updater = new CpuUpdate(new Workers(1));
    System.arraycopy(values, 0, shifted, 1, size);
    Elements.set(other.value, shifted);
    for (int step = 0; step < 3; step++) {
      one.normal(one.gradient);
      System.arraycopy(Elements.get(one.gradient), 0, shifted, 1, size);
      Elements.set(other.gradient, shifted);
      UpdateTable table = new UpdateTable(List.of(one.row(), other.row()));
      updater.update(update, table, groups(scalars), skip);
    }
    double[] result = Elements.get(other.value);
    assertThat(Elements.get(one.value)).isEqualTo(Arrays.copyOfRange(result, 1, size + 1));
  }
}

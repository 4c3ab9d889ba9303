package dev.downhill.optim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.tensor.HostRandom;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The optimisers against their formulas in plain doubles. */
class UpdatesTest {
  private static final long[][] SHAPES = {{3, 4}, {5}, {}, {0, 2}, {1}, {7, 1, 19}};
  private static final int STEPS = 8;

  /** The definition for one parameter; it counts its own steps. */
  @FunctionalInterface
  private interface Definition {
    void step(double[] p, double[] g);
  }

  private record Case(
      String name, Function<List<Tensor>, Optimizer> optimizer, Supplier<Definition> definition) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case sgd(String name, Sgd.Options o) {
    return new Case("sgd " + name, p -> new Sgd(p, o), () -> sgdDefinition(o));
  }

  private static Definition sgdDefinition(Sgd.Options o) {
    double[][] buffer = new double[1][];
    return (p, gradient) -> {
      boolean first = buffer[0] == null;
      if (first) {
        buffer[0] = new double[p.length];
      }
      for (int i = 0; i < p.length; i++) {
        double g = (o.maximize() ? -gradient[i] : gradient[i]) + o.weightDecay() * p[i];
        if (o.momentum() != 0) {
          double b = first ? g : o.momentum() * buffer[0][i] + (1 - o.dampening()) * g;
          buffer[0][i] = b;
          g = o.nesterov() ? g + o.momentum() * b : b;
        }
        p[i] -= o.lr() * g;
      }
    };
  }

  private static Definition adamDefinition(Adam.Options o, boolean decoupled) {
    double[][] moments = new double[2][];
    int[] t = {0};
    return (p, gradient) -> {
      if (t[0]++ == 0) {
        moments[0] = new double[p.length];
        moments[1] = new double[p.length];
      }
      for (int i = 0; i < p.length; i++) {
        double g = o.maximize() ? -gradient[i] : gradient[i];
        if (decoupled) {
          p[i] -= o.lr() * o.weightDecay() * p[i];
        } else {
          g += o.weightDecay() * p[i];
        }
        double m = moments[0][i] = o.beta1() * moments[0][i] + (1 - o.beta1()) * g;
        double v = moments[1][i] = o.beta2() * moments[1][i] + (1 - o.beta2()) * g * g;
        double scale = Math.sqrt(1 - Math.pow(o.beta2(), t[0]));
        p[i] -= o.lr() / (1 - Math.pow(o.beta1(), t[0])) * m / (Math.sqrt(v) / scale + o.eps());
      }
    };
  }

  private static Case adam(String name, Adam.Options o) {
    return new Case("adam " + name, p -> new Adam(p, o), () -> adamDefinition(o, false));
  }

  private static Case adamW(String name, Adam.Options o) {
    return new Case("adamw " + name, p -> new AdamW(p, o), () -> adamDefinition(o, true));
  }

  static Stream<Arguments> cases() {
    Sgd.Options sgd = Sgd.Options.DEFAULT.withLr(0.1);
    Sgd.Options momentum = sgd.withMomentum(0.9);
    Adam.Options adam = Adam.Options.DEFAULT.withLr(0.01);
    return Stream.of(
            sgd("plain", sgd),
            sgd("decay", sgd.withWeightDecay(0.1)),
            sgd("momentum", momentum),
            sgd("dampening", momentum.withDampening(0.5)),
            sgd("nesterov", momentum.withNesterov().withWeightDecay(0.05)),
            sgd("maximize", momentum.withMaximize()),
            adam("plain", adam),
            adam("other betas", adam.withBetas(0.5, 0.6).withEps(1e-3)),
            adam("no memory", adam.withBetas(0, 0)),
            adam("decay", adam.withWeightDecay(0.3)),
            adam("maximize", adam.withMaximize()),
            adamW("default", AdamW.DEFAULT.withLr(0.01)),
            adamW("decay", adam.withWeightDecay(0.3)))
        .flatMap(c -> Stream.of(DType.F64, DType.F32).map(dtype -> Arguments.of(c, dtype)));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("cases")
  void followsItsFormulaWhereGradientsAreMissingNowAndThen(Case c, DType dtype) {
    Device cpu = Device.cpu();
    HostRandom random = new HostRandom(1, c.name());
    try (Scope _ = Scope.open()) {
      List<Tensor> parameters = new ArrayList<>();
      List<double[]> expected = new ArrayList<>();
      List<Definition> definitions = new ArrayList<>();
      for (long[] sizes : SHAPES) {
        double[] start = numbers(random, sizes);
        expected.add(start);
        parameters.add(Tensor.of(cpu, start, sizes).to(dtype).requireGrad());
        definitions.add(c.definition.get());
      }
      try (Optimizer optimizer = c.optimizer.apply(parameters)) {
        for (int k = 0; k < STEPS; k++) {
          optimizer.zeroGrad();
          for (int i = 0; i < SHAPES.length; i++) {
            // Each parameter misses some steps, one of them its first; step 4 misses all.
            if ((k + i) % 3 == 0 || k == 4) {
              continue;
            }
            double[] g = numbers(random, SHAPES[i]);
            Tensor weight = Tensor.of(cpu, g, SHAPES[i]).to(dtype);
            parameters.get(i).mul(weight).sum().backward();
            definitions.get(i).step(expected.get(i), g);
          }
          optimizer.step();
          for (int i = 0; i < SHAPES.length; i++) {
            assertThat(parameters.get(i).toDoubles())
                .as("parameter %d after step %d", i, k)
                .containsExactly(expected.get(i), tolerance(dtype));
          }
        }
      }
    }
  }

  private static Offset<Double> tolerance(DType dtype) {
    return Offset.offset(dtype == DType.F64 ? 1e-12 : 1e-5);
  }

  private static double[] numbers(HostRandom random, long... sizes) {
    double[] x = new double[(int) Shape.of(sizes).numel()];
    // float32 values, so that both dtypes start from the same numbers.
    Arrays.setAll(x, _ -> (float) random.normal());
    return x;
  }
}

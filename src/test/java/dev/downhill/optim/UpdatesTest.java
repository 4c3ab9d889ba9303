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
    double[][] moments = new double[3][];
    int[] t = {0};
    return (p, gradient) -> {
      if (t[0]++ == 0) {
        Arrays.setAll(moments, _ -> new double[p.length]);
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
        double largest = moments[2][i] = Math.max(moments[2][i], v);
        v = o.amsgrad() ? largest : v;
        double scale = Math.sqrt(1 - Math.pow(o.beta2(), t[0]));
        p[i] -= o.lr() / (1 - Math.pow(o.beta1(), t[0])) * m / (Math.sqrt(v) / scale + o.eps());
      }
    };
  }

  private static Definition rmsPropDefinition(RmsProp.Options o) {
    double[][] states = new double[3][];
    return (p, gradient) -> {
      if (states[0] == null) {
        Arrays.setAll(states, _ -> new double[p.length]);
      }
      for (int i = 0; i < p.length; i++) {
        double g = (o.maximize() ? -gradient[i] : gradient[i]) + o.weightDecay() * p[i];
        double v = states[0][i] = o.alpha() * states[0][i] + (1 - o.alpha()) * g * g;
        double a = states[1][i] = o.alpha() * states[1][i] + (1 - o.alpha()) * g;
        double step = g / (Math.sqrt(o.centered() ? v - a * a : v) + o.eps());
        step = states[2][i] = o.momentum() * states[2][i] + step;
        p[i] -= o.lr() * step;
      }
    };
  }

  private static Definition adagradDefinition(Adagrad.Options o) {
    double[][] sum = new double[1][];
    int[] t = {0};
    return (p, gradient) -> {
      if (t[0]++ == 0) {
        sum[0] = new double[p.length];
        Arrays.fill(sum[0], o.initialAccumulator());
      }
      for (int i = 0; i < p.length; i++) {
        double g = (o.maximize() ? -gradient[i] : gradient[i]) + o.weightDecay() * p[i];
        sum[0][i] += g * g;
        double lr = o.lr() / (1 + (t[0] - 1) * o.lrDecay());
        p[i] -= lr * g / (Math.sqrt(sum[0][i]) + o.eps());
      }
    };
  }

  private static Definition nadamDefinition(NAdam.Options o) {
    double[][] moments = new double[2][];
    int[] t = {0};
    double[] product = {1};
    return (p, gradient) -> {
      if (t[0]++ == 0) {
        Arrays.setAll(moments, _ -> new double[p.length]);
      }
      double now = o.beta1() * (1 - 0.5 * Math.pow(0.96, t[0] * o.momentumDecay()));
      double next = o.beta1() * (1 - 0.5 * Math.pow(0.96, (t[0] + 1) * o.momentumDecay()));
      product[0] *= now;
      for (int i = 0; i < p.length; i++) {
        double g = o.maximize() ? -gradient[i] : gradient[i];
        if (o.decoupled()) {
          p[i] -= o.lr() * o.weightDecay() * p[i];
        } else {
          g += o.weightDecay() * p[i];
        }
        double m = moments[0][i] = o.beta1() * moments[0][i] + (1 - o.beta1()) * g;
        double v = moments[1][i] = o.beta2() * moments[1][i] + (1 - o.beta2()) * g * g;
        double d = Math.sqrt(v / (1 - Math.pow(o.beta2(), t[0]))) + o.eps();
        p[i] -= o.lr() * (1 - now) / (1 - product[0]) * g / d;
        p[i] -= o.lr() * next / (1 - product[0] * next) * m / d;
      }
    };
  }

  private static Case rmsProp(String name, RmsProp.Options o) {
    return new Case("rmsprop " + name, p -> new RmsProp(p, o), () -> rmsPropDefinition(o));
  }

  private static Case adagrad(String name, Adagrad.Options o) {
    return new Case("adagrad " + name, p -> new Adagrad(p, o), () -> adagradDefinition(o));
  }

  private static Case nadam(String name, NAdam.Options o) {
    return new Case("nadam " + name, p -> new NAdam(p, o), () -> nadamDefinition(o));
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
    RmsProp.Options rms = RmsProp.Options.DEFAULT;
    Adagrad.Options adagrad = Adagrad.Options.DEFAULT.withLr(0.1);
    NAdam.Options nadam = NAdam.Options.DEFAULT.withLr(0.01);
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
            adamW("decay", adam.withWeightDecay(0.3)),
            adam("amsgrad", adam.withAmsgrad().withBetas(0.9, 0.3)),
            adamW("amsgrad", AdamW.DEFAULT.withLr(0.01).withAmsgrad().withBetas(0.9, 0.3)),
            rmsProp("plain", rms),
            rmsProp("decay", rms.withWeightDecay(0.1).withAlpha(0.5).withEps(1e-3)),
            rmsProp("momentum", rms.withMomentum(0.9)),
            rmsProp("centered", rms.withCentered().withMaximize()),
            rmsProp("all", rms.withCentered().withMomentum(0.5).withWeightDecay(0.1)),
            adagrad("plain", adagrad),
            adagrad("decays", adagrad.withLrDecay(0.5).withWeightDecay(0.1)),
            adagrad("start", adagrad.withInitialAccumulator(0.3).withEps(1e-3).withMaximize()),
            nadam("plain", nadam),
            nadam("decay", nadam.withWeightDecay(0.1).withMomentumDecay(0.5)),
            nadam("no memory", nadam.withBetas(0, 0).withMomentumDecay(0)),
            nadam("decoupled", nadam.withWeightDecay(0.1).withDecoupled().withMaximize()))
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

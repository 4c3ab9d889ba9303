package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LayersTest {
  private static final Device CPU = Device.cpu();

  @Test
  void linearIsXTimesTransposedWeightPlusBias() {
    try (Linear linear = new Linear(2, 3).on(CPU, 1, DType.F64);
        Scope _ = Scope.open()) {
      linear.weight().tensor().detach().copyFrom(tensor(1, 2, 3, 4, 5, 6).reshape(3, 2));
      linear.state().get("bias").detach().copyFrom(tensor(10, 20, 30));
      Tensor y = linear.forward(tensor(1, -1).reshape(1, 1, 2));
      assertThat(y.shape()).isEqualTo(Shape.of(1, 1, 3));
      assertThat(y.toDoubles()).containsExactly(9, 19, 29);
    }
  }

  private static Tensor tensor(double... values) {
    return Tensor.of(CPU, values, values.length);
  }

  @Test
  void linearStartsUniformAsInPyTorch() {
    try (Linear linear = new Linear(400, 50).on(CPU, 3)) {
      double bound = 1 / 20.;
      for (Tensor t : linear.parameters()) {
        double[] x = t.toDoubles();
        double most = Arrays.stream(x).map(Math::abs).max().orElseThrow();
        assertThat(most).isBetween(0.9 * bound, bound * (1 + 1e-7));
      }
      double[] w = linear.weight().tensor().toDoubles();
      double square = Arrays.stream(w).map(x -> x * x).average().orElseThrow();
      assertThat(Math.sqrt(square)).isCloseTo(bound / Math.sqrt(3), within(0.001));
    }
  }

  @Test
  void linearOptions() {
    Linear.Options o =
        Linear.Options.DEFAULT.withWeightInit(Init.constant(2)).withBiasInit(Init.zeros());
    try (Linear linear = new Linear(2, 1, o).on(CPU, 1);
        Linear plain = new Linear(2, 1, o.withoutBias()).on(CPU, 1)) {
      assertThat(linear.forward(Tensor.ones(CPU, DType.F32, 2)).toFloats()).containsExactly(4);
      assertThat(plain.state()).containsOnlyKeys("weight");
      assertThat(plain.forward(Tensor.ones(CPU, DType.F32, 2)).toFloats()).containsExactly(4);
      assertThat(plain).hasToString("Linear(2, 1, no bias)");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Linear(0, -3))
        .withMessage("Linear: expected 1 or more features, got in 0 and out -3");
  }

  @Test
  void embeddingPicksRowsAndLeavesThePaddingAlone() {
    Embedding.Options o = Embedding.Options.DEFAULT.withPaddingIdx(-4);
    try (Embedding table = new Embedding(5, 3, o).on(CPU, 1);
        Embedding plain = new Embedding(5, 3).on(CPU, 1);
        Scope _ = Scope.open()) {
      double[] w = table.weight().tensor().toDoubles();
      double[] v = plain.weight().tensor().toDoubles();
      for (int i = 0; i < w.length; i++) {
        assertThat(w[i]).isEqualTo(i / 3 == 1 ? 0 : v[i]);
      }
      Tensor y = table.forward(Tensor.of(CPU, new long[] {4, 1, 4, 0}, 2, 2));
      assertThat(y.shape()).isEqualTo(Shape.of(2, 2, 3));
      assertThat(y.toDoubles()).startsWith(w[12], w[13], w[14], 0, 0, 0, w[12]);
      y.sum().backward();
      assertThat(table.weight().tensor().grad().toDoubles())
          .containsExactly(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Embedding(5, 3, Embedding.Options.DEFAULT.withPaddingIdx(5)))
        .withMessageContaining("padding 5");
  }

  @ParameterizedTest
  @CsvSource({"1,-1,2 60", "0,-1,120", "0,1,6 4 5", "2,3,2 3 20", "-1,-1,2 3 4 5"})
  void flattenJoinsDimensions(int first, int last, String expected) {
    Tensor x = Tensor.ones(CPU, DType.F32, 2, 3, 4, 5);
    long[] sizes = Arrays.stream(expected.split(" ")).mapToLong(Long::parseLong).toArray();
    assertThat(new Flatten(first, last).forward(x).shape()).isEqualTo(Shape.of(sizes));
  }

  @Test
  void flattenOfOddShapes() {
    assertThat(new Flatten(0, -1).forward(Tensor.ones(CPU, DType.F32)).shape())
        .isEqualTo(Shape.of(1));
    assertThat(new Flatten().forward(Tensor.ones(CPU, DType.F32, 0, 3, 2)).shape())
        .isEqualTo(Shape.of(0, 6));
    assertThatThrownBy(() -> new Flatten(2, 1).forward(Tensor.ones(CPU, DType.F32, 1, 2, 3)))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("(1, 2, 3)");
  }

  // Dropout

  @Test
  void dropoutDropsInTrainingOnlyAndKeepsTheMean() {
    try (Sequential model = new Sequential(new Dropout(0.25)).on(CPU, 5);
        Scope _ = Scope.open()) {
      Tensor x = Tensor.ones(CPU, DType.F64, 100, 100);
      double[] y = model.forward(x).toDoubles();
      assertThat(y).containsOnly(0, 1 / 0.75);
      assertThat(Arrays.stream(y).average().orElseThrow()).isCloseTo(1, within(0.03));
      assertThat(model.forward(x).toDoubles()).isNotEqualTo(y);
      model.eval();
      assertThat(model.forward(x)).isSameAs(x);
    }
  }

  @Test
  void dropoutMasksDependOnSeedAndPath() {
    Tensor x = Tensor.ones(CPU, DType.F32, 200);
    try (Sequential a = new Sequential(new Dropout(0.5), new Dropout(0.5)).on(CPU, 5);
        Sequential b = new Sequential(new Dropout(0.5), new Dropout(0.5)).on(CPU, 5);
        Sequential c = new Sequential(new Dropout(0.5), new Dropout(0.5)).on(CPU, 6)) {
      float[] first = a.forward(x).toFloats();
      assertThat(b.forward(x).toFloats()).isEqualTo(first);
      assertThat(c.forward(x).toFloats()).isNotEqualTo(first);
      // Two independent masks leave a quarter.
      long left = IntStream.range(0, 200).filter(i -> first[i] != 0).count();
      assertThat(left).isBetween(30L, 70L);
      float[] second = a.forward(x).toFloats();
      b.generators().forEach((name, g) -> g.seek(200));
      assertThat(b.forward(x).toFloats()).isEqualTo(second);
    }
  }

  @Test
  void dropoutDrawsNewMasksInEachRunOfAStep() {
    try (Sequential model = new Sequential(new Dropout(0.5)).on(CPU, 5);
        Sequential eager = new Sequential(new Dropout(0.5)).on(CPU, 5);
        Step step = Step.of(x -> model.forward(x))) {
      Tensor x = Tensor.ones(CPU, DType.F32, 50);
      Set<String> masks = new HashSet<>();
      for (int k = 0; k < 4; k++) {
        float[] y = step.run(x).toFloats();
        assertThat(y).isEqualTo(eager.forward(x).toFloats());
        masks.add(Arrays.toString(y));
      }
      assertThat(masks).hasSize(4);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, -0.1, 1.1, Double.POSITIVE_INFINITY})
  void badProbabilitiesAreRefused(double p) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Dropout(p))
        .withMessageContaining("got p " + p);
  }

  // Activations

  @Test
  void activationsAreTheirFunctions() {
    Tensor x = tensor(-2, 0.5);
    double e = Math.exp(-2);
    assertThat(new Relu().forward(x).toDoubles()).containsExactly(0, 0.5);
    assertLayer(Activations.leakyRelu(0.1), x, -0.2, 0.5);
    assertLayer(Activations.elu(2), x, 2 * (e - 1), 0.5);
    assertLayer(Activations.selu(), x, -1.5201664685956, 0.5253504936777);
    assertLayer(Activations.gelu(), x, -0.0455002638964, 0.3457312306370);
    assertLayer(Activations.geluTanh(), x, -0.0454022897000, 0.3457140038150);
    assertLayer(Activations.silu(), x, -2 * e / (1 + e), 0.5 / (1 + Math.exp(-0.5)));
    assertLayer(Activations.softplus(2, 0.9), x, Math.log1p(Math.exp(-4)) / 2, 0.5);
    assertLayer(Activations.mish(), x, -2 * Math.tanh(Math.log1p(e)), 0.3752);
    assertLayer(Activations.hardtanh(-1, 0.25), x, -1, 0.25);
    assertLayer(Activations.hardsigmoid(), x, 1 / 6., 3.5 / 6);
    assertLayer(Activations.hardswish(), x, -2 / 6., 0.5 * 3.5 / 6);
    assertLayer(Activations.relu6(), tensor(-1, 7), 0, 6);
    assertLayer(Activations.tanh(), x, Math.tanh(-2), Math.tanh(0.5));
    assertLayer(Activations.sigmoid(), x, e / (1 + e), 1 / (1 + Math.exp(-0.5)));
    assertThat(Activations.leakyRelu(0.1)).hasToString("LeakyRelu(0.1)");
  }

  private static void assertLayer(Layer layer, Tensor x, double... expected) {
    assertThat(layer.forward(x).toDoubles())
        .as(layer.toString())
        .containsExactly(expected, within(1e-4));
  }

  @Test
  void aFunctionCanBeALayer() {
    try (Sequential model =
        new Sequential(Layer.of("Twice()", x -> x.mul(2)), new Sequential()).on(CPU, 0)) {
      assertThat(model.forward(tensor(1, 2)).toDoubles()).containsExactly(2, 4);
      assertThat(model).hasToString("Sequential(\n  (0): Twice()\n  (1): Sequential()\n)");
      assertThat(model.parameters()).isEmpty();
    }
  }
}

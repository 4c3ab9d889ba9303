package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Attention;
import dev.downhill.tensor.Recurrent;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Layers of normalisation, attention and recurrent networks. */
class NetworkLayersTest {
  private static final Device CPU = Device.cpu();

  private static Tensor ones(long... sizes) {
    return Tensor.ones(CPU, DType.F64, sizes);
  }

  /** Different numbers around 0. */
  private static Tensor some(long... sizes) {
    Shape shape = Shape.of(sizes);
    return Tensor.arange(CPU, DType.F64, shape.numel()).mul(0.7).sin().reshape(sizes);
  }

  private static Tensor of(Map<String, Tensor> state, String name) {
    return Objects.requireNonNull(state.get(name), name);
  }

  private static String shapes(Module model) {
    return model.state().entrySet().stream()
        .map(e -> e.getKey() + e.getValue().shape())
        .collect(Collectors.joining(" "));
  }

  private static double[] gradient(Tensor leaf) {
    return Objects.requireNonNull(leaf.grad()).toDoubles();
  }

  // Normalisation

  @Test
  void batchNormKeepsRunningStatisticsInTrainingOnly() {
    try (BatchNorm1d norm = new BatchNorm1d(2).on(CPU, 1, DType.F64);
        Scope _ = Scope.open()) {
      assertThat(norm.state().keySet())
          .containsExactly("weight", "bias", "running_mean", "running_var", "num_batches_tracked");
      assertThat(norm.namedParameters()).containsOnlyKeys("weight", "bias");
      Tensor x = Tensor.of(CPU, new double[] {1, 10, 3, 30}, 2, 2);
      assertThat(norm.forward(x).toDoubles())
          .containsExactly(new double[] {-1, -1, 1, 1}, within(1e-5));
      Map<String, Tensor> state = norm.state();
      assertThat(of(state, "running_mean").toDoubles()).containsExactly(0.1 * 2, 0.1 * 20);
      assertThat(of(state, "running_var").toDoubles())
          .containsExactly(new double[] {1.1, 20.9}, within(1e-14));
      Tensor counted = of(state, "num_batches_tracked");
      assertThat(counted.dtype()).isEqualTo(DType.I64);
      assertThat(counted.item()).isEqualTo(1);
      norm.eval();
      double r = 1 / Math.sqrt(1.1 + 1e-5);
      assertThat(norm.forward(x).toDoubles()[0]).isCloseTo(0.8 * r, within(1e-14));
      assertThat(counted.item()).isEqualTo(1);
    }
  }

  @Test
  void batchNormInAStepCountsEveryRun() {
    try (BatchNorm2d norm = new BatchNorm2d(3).on(CPU, 1, DType.F64);
        BatchNorm2d eager = new BatchNorm2d(3).on(CPU, 1, DType.F64);
        Step step = Step.of(x -> norm.forward(x))) {
      for (int k = 1; k <= 4; k++) {
        try (Scope _ = Scope.open()) {
          Tensor x = some(2, 3, 2, 2).mul(k);
          assertThat(step.run(x).toDoubles()).isEqualTo(eager.forward(x).toDoubles());
        }
      }
      assertThat(of(norm.state(), "num_batches_tracked").item()).isEqualTo(4);
      assertThat(of(norm.state(), "running_mean").toDoubles())
          .isEqualTo(of(eager.state(), "running_mean").toDoubles());
    }
  }

  @Test
  void batchNormOptions() {
    BatchNorm.Options o = BatchNorm.Options.DEFAULT.withEps(0).withMomentum(0.5);
    try (BatchNorm1d plain =
            new BatchNorm1d(1, o.withoutAffine().withoutRunningStats()).on(CPU, 1);
        Scope _ = Scope.open()) {
      assertThat(plain.state()).isEmpty();
      plain.eval();
      Tensor x = Tensor.of(CPU, new float[] {4, 8}, 2, 1);
      assertThat(plain.forward(x).toFloats()).containsExactly(-1, 1);
      assertThat(plain)
          .hasToString(
              "BatchNorm1d(1, eps=0.0, momentum=0.5, affine=false, track_running_stats=false)");
      assertThatThrownBy(() -> plain.forward(Tensor.ones(CPU, DType.F32, 2, 1, 2, 2)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("(2, 1, 2, 2)");
      assertThatThrownBy(() -> new BatchNorm2d(1).forward(ones(2, 1)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("(2, 1)");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BatchNorm2d(0))
        .withMessage("BatchNorm2d: expected 1 or more channels, got 0");
  }

  @Test
  void layerGroupAndRmsNorm() {
    try (LayerNorm layer = new LayerNorm(2, 3).on(CPU, 1, DType.F64);
        GroupNorm group = new GroupNorm(1, 2).on(CPU, 1, DType.F64);
        RmsNorm rms = new RmsNorm(3).on(CPU, 1, DType.F64);
        Scope _ = Scope.open()) {
      Tensor x = some(4, 2, 3);
      assertThat(shapes(layer)).isEqualTo("weight(2, 3) bias(2, 3)");
      assertThat(shapes(group)).isEqualTo("weight(2) bias(2)");
      assertThat(shapes(rms)).isEqualTo("weight(3)");
      // One group of all channels is what a layer normalises over.
      assertThat(layer.forward(x).toDoubles())
          .containsExactly(group.forward(x).toDoubles(), within(1e-13));
      Tensor y = rms.forward(x);
      for (double mean : y.square().mean(2).toDoubles()) {
        assertThat(mean).isCloseTo(1, within(1e-13));
      }
      assertThat(layer).hasToString("LayerNorm((2, 3), eps=1.0E-5, elementwise_affine=true)");
      assertThat(group).hasToString("GroupNorm(1, 2, eps=1.0E-5, affine=true)");
      assertThat(rms).hasToString("RmsNorm((3), eps=none, elementwise_affine=true)");
    }
    assertThatIllegalArgumentException().isThrownBy(() -> new LayerNorm());
    assertThatIllegalArgumentException().isThrownBy(() -> new RmsNorm(3, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new GroupNorm(2, 3))
        .withMessageContaining("2 groups of 3 channels");
  }

  @Test
  void normsWithoutParameters() {
    LayerNorm.Options layer = LayerNorm.Options.DEFAULT.withEps(0.5);
    Shape two = Shape.of(2);
    try (LayerNorm noBias = new LayerNorm(two, layer.withoutBias()).on(CPU, 1);
        LayerNorm plain = new LayerNorm(two, layer.withoutAffine()).on(CPU, 1);
        GroupNorm group =
            new GroupNorm(2, 2, GroupNorm.Options.DEFAULT.withEps(1).withoutAffine()).on(CPU, 1);
        RmsNorm rms =
            new RmsNorm(two, RmsNorm.Options.DEFAULT.withEps(3).withoutAffine()).on(CPU, 1)) {
      assertThat(noBias.state()).containsOnlyKeys("weight");
      assertThat(noBias.toString()).endsWith("elementwise_affine=true, bias=false)");
      assertThat(plain.state()).isEmpty();
      assertThat(group.state()).isEmpty();
      assertThat(rms.state()).isEmpty();
      Tensor x = Tensor.of(CPU, new float[] {1, 1}, 1, 2);
      assertThat(rms.forward(x).toFloats()).containsExactly(0.5f, 0.5f);
      assertThat(group.forward(x).toFloats()).containsExactly(0, 0);
      assertThat(plain.forward(x).toFloats()).containsExactly(0, 0);
    }
  }

  // Attention

  @Test
  void attentionStartsAsInPyTorch() {
    try (MultiHeadAttention attention = new MultiHeadAttention(24, 4).on(CPU, 1)) {
      assertThat(shapes(attention))
          .isEqualTo(
              "in_proj_weight(72, 24) in_proj_bias(72) out_proj.weight(24, 24) out_proj.bias(24)");
      Map<String, Tensor> state = attention.state();
      assertThat(of(state, "in_proj_bias").toDoubles()).containsOnly(0);
      assertThat(of(state, "out_proj.bias").toDoubles()).containsOnly(0);
      assertLargest(of(state, "in_proj_weight"), Math.sqrt(6 / (24. + 72)));
      assertLargest(of(state, "out_proj.weight"), 1 / Math.sqrt(24));
    }
    assertThat(new MultiHeadAttention(4, 2, MultiHeadAttention.Options.DEFAULT.withoutBias()))
        .hasToString("MultiHeadAttention(4, 2, bias=false)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MultiHeadAttention(4, 3))
        .withMessageContaining("3 heads and 4 features");
  }

  private static void assertLargest(Tensor t, double bound) {
    double most = Arrays.stream(t.toDoubles()).map(Math::abs).max().orElseThrow();
    assertThat(most).isBetween(0.95 * bound, bound * (1 + 1e-6));
  }

  @Test
  void attentionIsProjectionsAndHeads() {
    try (MultiHeadAttention attention = new MultiHeadAttention(4, 2).on(CPU, 3, DType.F64);
        Scope _ = Scope.open()) {
      Tensor x = some(2, 3, 4);
      Map<String, Tensor> state = attention.state();
      List<Tensor> w = of(state, "in_proj_weight").detach().split(4, 0);
      Tensor[] heads = new Tensor[2];
      for (int h = 0; h < 2; h++) {
        Tensor[] p = new Tensor[3];
        for (int i = 0; i < 3; i++) {
          p[i] = x.matmul(w.get(i).narrow(0, 2L * h, 2).transpose(0, 1));
        }
        heads[h] = Attention.scaledDotProductAttention(p[0], p[1], p[2]);
      }
      Tensor out = of(state, "out_proj.weight").detach().transpose(0, 1);
      double[] expected = Tensor.cat(List.of(heads), 2).matmul(out).toDoubles();
      assertThat(attention.forward(x).toDoubles()).containsExactly(expected, within(1e-14));
      // The same through three maps in place of one.
      Tensor same = x.mul(1);
      assertThat(attention.forward(x, same, same).toDoubles())
          .containsExactly(expected, within(1e-14));
      Tensor seen = Tensor.ones(CPU, DType.F64, 3).gt(0);
      assertThat(attention.forward(x, x, x, seen).toDoubles())
          .containsExactly(expected, within(1e-14));
      assertThat(attention.forward(some(2, 5, 4), x, x).shape()).isEqualTo(Shape.of(2, 5, 4));
      assertThatThrownBy(() -> attention.forward(some(2, 3, 5)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("(N, T, 4)");
    }
  }

  @Test
  void bothFormsOfAttentionHaveTheSameGradients() {
    try (MultiHeadAttention attention = new MultiHeadAttention(4, 2).on(CPU, 3, DType.F64);
        Scope _ = Scope.open()) {
      Tensor x = some(2, 3, 4);
      Tensor weight = of(attention.state(), "in_proj_weight");
      attention.forward(x).square().sum().backward();
      double[] expected = gradient(weight);
      weight.zeroGrad();
      attention.forward(x, x.mul(1), x).square().sum().backward();
      assertThat(gradient(weight)).containsExactly(expected, within(1e-13));
    }
  }

  @Test
  void aCausalBlockDoesNotSeeWhatFollows() {
    TransformerBlock.Options o = TransformerBlock.Options.DEFAULT.withCausal(true);
    try (TransformerBlock block = new TransformerBlock(4, 2, o).on(CPU, 3, DType.F64);
        TransformerBlock seeing = new TransformerBlock(4, 2).on(CPU, 3, DType.F64);
        Scope _ = Scope.open()) {
      Tensor x = some(2, 5, 4);
      Tensor head = x.narrow(1, 0, 3);
      double[] expected = block.forward(head).toDoubles();
      assertThat(block.forward(x).narrow(1, 0, 3).toDoubles())
          .containsExactly(expected, within(1e-13));
      assertThat(seeing.forward(x).narrow(1, 0, 3).toDoubles()[0])
          .isNotCloseTo(seeing.forward(head).toDoubles()[0], within(1e-6));
    }
  }

  @Test
  void aBlockHasTheStateOfPyTorchsEncoderLayer() {
    try (TransformerBlock block = new TransformerBlock(4, 2).on(CPU, 3, DType.F64);
        Scope _ = Scope.open()) {
      assertThat(shapes(block))
          .isEqualTo(
              "self_attn.in_proj_weight(12, 4) self_attn.in_proj_bias(12)"
                  + " self_attn.out_proj.weight(4, 4) self_attn.out_proj.bias(4)"
                  + " linear1.weight(16, 4) linear1.bias(16) linear2.weight(4, 16) linear2.bias(4)"
                  + " norm1.weight(4) norm1.bias(4) norm2.weight(4) norm2.bias(4)");
      block.forward(some(1, 3, 4)).square().sum().backward();
      for (Tensor p : block.parameters()) {
        assertThat(p.grad()).isNotNull();
      }
    }
    TransformerBlock.Options o =
        TransformerBlock.Options.DEFAULT.withoutBias().withHidden(3).withDropout(1);
    try (TransformerBlock block = new TransformerBlock(2, 1, o).on(CPU, 3, DType.F64);
        Scope _ = Scope.open()) {
      assertThat(shapes(block)).contains("linear1.weight(3, 2)").doesNotContain("bias");
      Tensor x = some(1, 3, 2);
      // All is omitted but what passes around the parts.
      assertThat(block.forward(x).toDoubles()).isEqualTo(x.toDoubles());
      block.eval();
      assertThat(block.forward(x).toDoubles()).isNotEqualTo(x.toDoubles());
    }
  }

  @Test
  void aBlocksActivation_standsBetweenItsMaps() {
    TransformerBlock.Options o =
        TransformerBlock.Options.DEFAULT.withoutBias().withActivation(x -> x.mul(0));
    try (TransformerBlock block = new TransformerBlock(4, 2, o).on(CPU, 3, DType.F64);
        Scope _ = Scope.open()) {
      block.forward(some(1, 3, 4)).square().sum().backward();
      // The first map learns nothing, the attention before it does.
      assertThat(gradient(block.parameters().get(2))).containsOnly(0.0);
      assertThat(gradient(block.parameters().get(0))).doesNotContain(0.0);
    }
  }

  // Positions, weights of other layers, ways around

  @Test
  void positionsAreAdded() {
    try (PositionalEmbedding positions = new PositionalEmbedding(5, 2).on(CPU, 1, DType.F64);
        Scope _ = Scope.open()) {
      Tensor y = positions.forward(Tensor.zeros(CPU, DType.F64, 4, 3, 2));
      double[] w = positions.weight().tensor().toDoubles();
      assertThat(y.select(0, 3).toDoubles()).isEqualTo(Arrays.copyOf(w, 6));
      y.sum().backward();
      assertThat(gradient(positions.weight().tensor()))
          .containsExactly(4, 4, 4, 4, 4, 4, 0, 0, 0, 0);
      assertThatThrownBy(() -> positions.forward(ones(6, 2)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("T up to 5");
      assertThat(positions).hasToString("PositionalEmbedding(5, 2)");
    }
    assertThatIllegalArgumentException().isThrownBy(() -> new PositionalEmbedding(0, 2));
  }

  @Test
  void aTiedWeightIsOneParameterWithTheGradientsOfBothUses() {
    Embedding table = new Embedding(3, 2);
    try (Sequential model =
            new Sequential(table, new TiedLinear(table.weight())).on(CPU, 1, DType.F64);
        Scope _ = Scope.open()) {
      assertThat(model.state()).containsOnlyKeys("0.weight");
      Tensor w = table.weight().tensor();
      model.forward(Tensor.of(CPU, new long[] {1, 1}, 2)).sum().backward();
      // The sum is 2 w[1] (w[0] + w[1] + w[2]).
      double[] v = w.toDoubles();
      double[] expected = new double[6];
      for (int i = 0; i < 6; i++) {
        expected[i] = 2 * v[2 + i % 2];
        expected[i] += i / 2 == 1 ? 2 * (v[i % 2] + v[2 + i % 2] + v[4 + i % 2]) : 0;
      }
      assertThat(gradient(w)).containsExactly(expected, within(1e-14));
      assertThat(model.toString()).contains("TiedLinear(2, 3)");
    }
    Parameter vector = new LayerNorm(3).parameter("other", Shape.of(3), Init.zeros());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new TiedLinear(vector))
        .withMessage("TiedLinear: expected a weight (out, in), got shape (3)");
  }

  @Test
  void residualAddsWhatPassesAround() {
    Layer twice = Layer.of("Twice()", x -> x.mul(2));
    try (Residual plain = new Residual(twice).on(CPU, 1);
        Residual both = new Residual(new Linear(2, 3), new Linear(2, 3)).on(CPU, 1)) {
      assertThat(plain.forward(ones(2)).toDoubles()).containsExactly(3, 3);
      assertThat(both.state())
          .containsOnlyKeys("body.weight", "body.bias", "shortcut.weight", "shortcut.bias");
    }
  }

  // Recurrent networks

  @Test
  void recurrentLayersStartAsInPyTorch() {
    try (Lstm lstm = new Lstm(3, 16).on(CPU, 1);
        Gru gru = new Gru(3, 16).on(CPU, 1)) {
      assertThat(shapes(lstm))
          .isEqualTo("weight_ih_l0(64, 3) weight_hh_l0(64, 16) bias_ih_l0(64) bias_hh_l0(64)");
      assertThat(shapes(gru))
          .isEqualTo("weight_ih_l0(48, 3) weight_hh_l0(48, 16) bias_ih_l0(48) bias_hh_l0(48)");
      for (Tensor p : lstm.parameters()) {
        assertLargest(p, 0.25);
      }
    }
    assertThat(new Lstm(2, 3, RecurrentLayer.Options.DEFAULT.withoutBias().withBatchFirst()))
        .hasToString("Lstm(2, 3, bias=false, batch_first=true)");
    assertThat(new Gru(2, 3)).hasToString("Gru(2, 3)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Gru(0, 3))
        .withMessage("Gru: expected 1 or more features, got in 0 and hidden 3");
  }

  @Test
  void recurrentLayersGiveOutputsAndStates() {
    RecurrentLayer.Options o = RecurrentLayer.Options.DEFAULT.withBatchFirst();
    try (Lstm lstm = new Lstm(3, 4, o).on(CPU, 1, DType.F64);
        Gru gru = new Gru(3, 4, o.withoutBias()).on(CPU, 1, DType.F64);
        Scope _ = Scope.open()) {
      Tensor x = some(2, 5, 3);
      Tensor zeros = Tensor.zeros(CPU, DType.F64, 1, 2, 4);
      Recurrent.LstmResult y = lstm.forward(x, zeros, zeros);
      assertThat(lstm.forward(x).toDoubles()).isEqualTo(y.output().toDoubles());
      assertThat(new LastStep().forward(y.output()).toDoubles()).isEqualTo(y.h().toDoubles());
      Recurrent.GruResult g = gru.forward(x, zeros);
      assertThat(gru.forward(x).toDoubles()).isEqualTo(g.output().toDoubles());
      assertThat(g.h().shape()).isEqualTo(Shape.of(1, 2, 4));
      assertThat(gru.state()).containsOnlyKeys("weight_ih_l0", "weight_hh_l0");
      assertThat(new LastStep()).hasToString("LastStep()");
    }
  }
}

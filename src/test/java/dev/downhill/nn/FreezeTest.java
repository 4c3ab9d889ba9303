package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.downhill.backend.Device;
import dev.downhill.optim.Adam;
import dev.downhill.optim.AdamW;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FreezeTest {
  private static final Device CPU = Device.cpu();

  /** {@code 0} is an encoder with a dropout inside, {@code 1} a dropout, {@code 2} the head. */
  private static Sequential model() {
    Sequential encoder = new Sequential(new Linear(2, 3), new Dropout(0.5));
    return new Sequential(encoder, new Dropout(0), new Linear(3, 1));
  }

  private static void backward(Sequential model) {
    try (Scope _ = Scope.open()) {
      Tensor x = Tensor.of(CPU, new float[] {1, 2, 3, 4}, 2, 2);
      Tensor y = Tensor.of(CPU, new float[] {1, 2}, 2, 1);
      Loss.mse(model.forward(x), y).backward();
    }
  }

  private static float[] values(Module model, String path) {
    return model.state().get(path).toFloats();
  }

  @Test
  void patternsMatchWholePathsAcrossDots() {
    try (Sequential model = model()) {
      assertThat(model.freeze("0.*")).containsExactly("0.0.weight", "0.0.bias");
      assertThat(model.unfreeze("*.weight")).containsExactly("0.0.weight", "2.weight");
      assertThat(model.freeze("*bias", "2.bias")).containsExactly("0.0.bias", "2.bias");
      model.on(CPU, 1);
      assertThat(model.namedParameters()).containsOnlyKeys("0.0.weight", "2.weight");
      assertThat(model.state()).containsOnlyKeys("0.0.weight", "0.0.bias", "2.weight", "2.bias");
      model.unfreeze("*");
      assertThat(model.parameters()).hasSize(4).allMatch(Tensor::requiresGrad);
    }
  }

  @Test
  void aPatternThatMatchesNothingChangesNothing() {
    try (Sequential model = model().on(CPU, 1)) {
      for (String none :
          new String[] {"1.*", "0", "", "weight", "0?0*", "[02]*", "\\E*", "2.bias "}) {
        assertThatIllegalArgumentException()
            .as(none)
            .isThrownBy(() -> model.freeze("2.*", none))
            .withMessage(
                "freeze: expected patterns of parameters, got '%s', which matches none of"
                    + " [0.0.weight, 0.0.bias, 2.weight, 2.bias]",
                none);
        assertThatIllegalArgumentException().isThrownBy(() -> model.unfreeze(none));
      }
      assertThat(model.parameters()).hasSize(4);
    }
  }

  @Test
  void anOptimizerMadeBeforeLeavesThemAloneAndGoesOnAfterwards() {
    try (Sequential model = model().on(CPU, 1);
        AdamW adam = new AdamW(model.parameters(), 0.1)) {
      model.eval();
      backward(model);
      adam.step();
      backward(model);
      model.freeze("0.*");
      float[] weight = values(model, "0.0.weight");
      float[] head = values(model, "2.weight");
      float[] moment = adam.state().get("0.exp_avg").toFloats();
      adam.step();
      assertThat(values(model, "0.0.weight")).containsExactly(weight);
      assertThat(adam.state().get("0.exp_avg").toFloats()).containsExactly(moment);
      assertThat(values(model, "2.weight")).isNotEqualTo(head);
      adam.zeroGrad();
      backward(model);
      assertThat(adam.parameters().get(0).grad()).isNull();
      assertThat(adam.parameters().get(2).grad()).isNotNull();
      model.unfreeze("0.*");
      backward(model);
      adam.step();
      assertThat(values(model, "0.0.weight")).isNotEqualTo(weight);
      assertThat(adam.state().get("counters").toDoubles()[0]).isEqualTo(2);
      assertThat(adam.state().get("counters").toDoubles()[6]).isEqualTo(3);
    }
  }

  @Test
  void anOptimizerMadeAfterwardsKnowsTheOthersAlone() {
    try (Sequential model = model().on(CPU, 1)) {
      model.freeze("0.*");
      try (Adam adam = new Adam(model.parameters(), 0.1)) {
        Map<String, Tensor> state = adam.state();
        assertThat(state.keySet().stream().filter(k -> k.endsWith("exp_avg"))).hasSize(2);
        float[] weight = values(model, "0.0.weight");
        backward(model);
        adam.step();
        assertThat(values(model, "0.0.weight")).containsExactly(weight);
      }
    }
  }

  @Test
  void frozenValuesCanBeLoaded() {
    try (Sequential model = model().on(CPU, 1);
        Sequential other = model().on(CPU, 2)) {
      model.freeze("*");
      model.load(other.state());
      assertThat(values(model, "0.0.weight")).containsExactly(values(other, "0.0.weight"));
      model.unfreeze("*");
      assertThat(values(model, "0.0.weight")).containsExactly(values(other, "0.0.weight"));
    }
  }

  @Test
  void frozenPartsStayInEvaluationMode() {
    try (Sequential model = model()) {
      model.freeze("0.*");
      assertThat(training(model)).isEqualTo("true false false false true true");
      model.train();
      assertThat(training(model)).isEqualTo("true false false false true true");
      assertThat(model.isFrozen()).isFalse();
      assertThat(model.modules().get("0").isFrozen()).isTrue();
      model.freeze("*.weight", "*.bias");
      model.train();
      assertThat(training(model)).isEqualTo("false false false false false false");
      model.unfreeze("0.0.bias");
      assertThat(training(model)).doesNotContain("true");
      model.train();
      assertThat(training(model)).isEqualTo("true true true true true false");
    }
  }

  @Test
  void evaluatingGivesEveryPartItsModeBack() {
    try (Sequential model = model()) {
      model.modules().get("1").eval();
      try (Module.Mode _ = model.evaluating()) {
        assertThat(training(model)).doesNotContain("true");
      }
      assertThat(training(model)).isEqualTo("true true true true false true");
    }
  }

  private static String training(Module model) {
    return String.join(
        " ", model.modules().values().stream().map(m -> "" + m.isTraining()).toList());
  }
}

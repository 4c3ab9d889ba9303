package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.shape.DType;
import dev.downhill.shape.Shape;
import dev.downhill.shape.ShapeException;
import dev.downhill.tensor.Scope;
import dev.downhill.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModuleTest {
  private static final Device CPU = Device.cpu();

  /** Two inputs, a buffer, and an own declaration of forward. */
  private static final class TwoTowers extends Module {
    private final Linear user = part("user", new Linear(3, 2));
    private final Linear item;
    private final Parameter scale = parameter("scale", Shape.SCALAR, Init.constant(2));
    private final Parameter count = buffer("count", DType.I64, Shape.SCALAR, Init.zeros());

    TwoTowers(Linear item) {
      this.item = part("item", item);
    }

    Tensor forward(Tensor u, Tensor i) {
      return user.forward(u).mul(item.forward(i)).mul(scale.tensor());
    }
  }

  private static TwoTowers towers() {
    return new TwoTowers(new Linear(4, 2, Linear.Options.DEFAULT.withoutBias()));
  }

  @Test
  void namesArePathsInTheOrderOfDeclaration() {
    try (TwoTowers model = towers();
        Sequential nested =
            new Sequential(
                new Linear(2, 3), new Sequential(new Relu(), new Linear(3, 1)), new Dropout(0.5))) {
      model.on(CPU, 1);
      assertThat(model.namedParameters())
          .hasToString(model.namedParameters().toString())
          .containsOnlyKeys("scale", "user.weight", "user.bias", "item.weight");
      assertThat(model.state().keySet())
          .containsExactly("scale", "count", "user.weight", "user.bias", "item.weight");
      assertThat(model.state().get("count").dtype()).isEqualTo(DType.I64);
      assertThat(model.state().get("count").requiresGrad()).isFalse();
      nested.on(CPU, 1);
      assertThat(nested.namedParameters().keySet())
          .containsExactly("0.weight", "0.bias", "1.1.weight", "1.1.bias");
      assertThat(nested.modules().keySet()).containsExactly("", "0", "1", "1.0", "1.1", "2");
      assertThat(nested.generators().keySet()).containsExactly("2.mask");
      assertThat(nested.parameters()).allMatch(Tensor::requiresGrad).hasSize(4);
      assertThat(nested)
          .hasToString(
              """
              Sequential(
                (0): Linear(2, 3)
                (1): Sequential(
                  (0): Relu()
                  (1): Linear(3, 1)
                )
                (2): Dropout(0.5)
              )\
              """);
    }
  }

  @Test
  void forwardOfTwoInputsIsDifferentiable() {
    try (TwoTowers model = towers();
        Scope _ = Scope.open()) {
      model.on(CPU, 1);
      Tensor y =
          model.forward(Tensor.ones(CPU, DType.F32, 5, 3), Tensor.ones(CPU, DType.F32, 5, 4));
      assertThat(y.shape()).isEqualTo(Shape.of(5, 2));
      y.sum().backward();
      assertThat(model.parameters()).allMatch(p -> p.grad() != null);
    }
  }

  @Test
  void firstValuesDependOnSeedAndPathAlone() {
    try (Sequential a = new Sequential(new Linear(3, 4), new Linear(4, 5)).on(CPU, 9);
        Sequential b =
            new Sequential(new Linear(3, 4, Linear.Options.DEFAULT.withoutBias()), new Linear(4, 5))
                .on(CPU, 9);
        Sequential c = new Sequential(new Linear(3, 4), new Linear(4, 5)).on(CPU, 10);
        Linear d = new Linear(3, 4).on(CPU, 9)) {
      assertThat(floats(b, "0.weight")).isEqualTo(floats(a, "0.weight"));
      assertThat(floats(b, "1.weight")).isEqualTo(floats(a, "1.weight"));
      assertThat(floats(b, "1.bias")).isEqualTo(floats(a, "1.bias"));
      assertThat(floats(c, "0.weight")).isNotEqualTo(floats(a, "0.weight"));
      assertThat(floats(d, "weight")).isNotEqualTo(floats(a, "0.weight"));
    }
  }

  private static float[] floats(Module m, String name) {
    return m.state().get(name).toFloats();
  }

  @Test
  void float64StartsFromTheSameDraws() {
    try (Linear single = new Linear(3, 4).on(CPU, 9);
        Linear twice = new Linear(3, 4).on(CPU, 9, DType.F64)) {
      Tensor w = twice.weight().tensor();
      assertThat(w.dtype()).isEqualTo(DType.F64);
      assertThat(w.to(DType.F32).toFloats()).isEqualTo(floats(single, "weight"));
      assertThat(w.toDoubles()).isNotEqualTo(single.weight().tensor().toDoubles());
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Linear(1, 1).on(CPU, 0, DType.I64))
        .withMessageContaining("int64");
  }

  @Test
  void parametersOutliveTheScopeTheyAreMadeInAndEndWithTheModel() {
    Device cpu = Device.of("cpu:11"); // shared with no other test, so that memory can be counted
    long tensors = cpu.memory().tensors();
    long bytes = cpu.memory().bytes();
    Sequential model;
    try (Scope _ = Scope.open()) {
      model = new Sequential(new Linear(2, 3), new Dropout(0.5)).on(cpu, 1);
      model.forward(Tensor.ones(cpu, DType.F32, 4, 2)).sum().backward();
    }
    Tensor weight = model.parameters().get(0);
    assertThat(weight.toFloats()).hasSize(6);
    assertThat(weight.grad()).isNotNull();
    model.close();
    model.close();
    assertThat(cpu.memory().tensors()).isEqualTo(tensors);
    assertThat(cpu.memory().bytes()).isEqualTo(bytes);
    assertThatIllegalStateException()
        .isThrownBy(() -> weight.mul(2))
        .withMessageContaining("its owner was closed");
  }

  @Test
  void usingAModelBeforeOnSaysSo() {
    Tensor x = Tensor.ones(CPU, DType.F32, 1, 2);
    Sequential model = new Sequential(new Linear(2, 3), new Dropout(0.5));
    assertThatIllegalStateException()
        .isThrownBy(() -> model.forward(x))
        .withMessage(
            "Linear(2, 3): weight does not exist yet, expected a placed model; call on(device,"
                + " seed) first");
    assertThatIllegalStateException().isThrownBy(model::parameters);
    assertThatIllegalStateException().isThrownBy(() -> new Dropout(0.5).forward(x));
  }

  @Test
  void aModelIsPlacedOnce() {
    Linear part = new Linear(2, 3);
    try (Linear placed = part.on(CPU, 1)) {
      Sequential outer = new Sequential(new Linear(2, 2), placed);
      assertThatIllegalStateException()
          .isThrownBy(() -> outer.on(CPU, 1))
          .withMessage("on: expected a model that is not placed yet, but 1 is on cpu:0");
      assertThatIllegalStateException().isThrownBy(outer::parameters);
      assertThatIllegalStateException().isThrownBy(() -> placed.on(CPU, 1));
    }
    try (Linear again = part.on(CPU, 1)) {
      assertThat(again.weight().tensor().isEnded()).isFalse();
    }
  }

  @Test
  void aFailureWhilePlacingLeavesNothing() {
    Device cpu = Device.of("cpu:12"); // shared with no other test
    long before = cpu.memory().tensors();
    Linear bad = new Linear(2, 3, Linear.Options.DEFAULT.withBiasInit(Init.orthogonal(1)));
    Sequential model = new Sequential(new Linear(2, 2), bad);
    assertThatIllegalArgumentException().isThrownBy(() -> model.on(cpu, 1));
    assertThat(cpu.memory().tensors()).isEqualTo(before);
  }

  @Test
  void aPartUsedTwiceCountsOnce() {
    Linear shared = new Linear(2, 2);
    try (Sequential model = new Sequential(shared, new Relu(), shared).on(CPU, 1)) {
      assertThat(model.state().keySet()).containsExactly("0.weight", "0.bias");
    }
  }

  @Test
  void namesMustBeNewAndPlain() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Named("weight", "weight"));
    assertThatIllegalArgumentException().isThrownBy(() -> new Named("a", "b.c"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Named("a", ""))
        .withMessage("Named: expected new names without dots, before the model is placed, got ''");
  }

  private static final class Named extends Module {
    Named(String a, String b) {
      part(a, new Relu());
      parameter(b, Shape.SCALAR, Init.zeros());
    }
  }

  @Test
  void modeReachesAllParts() {
    Sequential inner = new Sequential(new Relu());
    Sequential model = new Sequential(inner);
    assertThat(inner.isTraining()).isTrue();
    model.eval();
    assertThat(model.modules().values()).noneMatch(Module::isTraining);
    model.train();
    assertThat(inner.isTraining()).isTrue();
  }

  // State

  @Test
  void loadedStateGivesTheSameOutput() {
    try (TwoTowers a = towers();
        TwoTowers b = towers();
        Scope _ = Scope.open()) {
      a.on(CPU, 1);
      b.on(CPU, 2);
      Tensor u = Tensor.ones(CPU, DType.F32, 1, 3);
      Tensor i = Tensor.ones(CPU, DType.F32, 1, 4);
      a.state().get("count").fill(7);
      assertThat(b.forward(u, i).toFloats()).isNotEqualTo(a.forward(u, i).toFloats());
      b.load(a.state());
      assertThat(b.forward(u, i).toFloats()).isEqualTo(a.forward(u, i).toFloats());
      assertThat(b.state().get("count").item()).isEqualTo(7);
      assertThat(b.parameters()).allMatch(Tensor::requiresGrad);
      assertThat(b.state().get("scale")).isNotSameAs(a.state().get("scale"));
    }
  }

  @Test
  void stateThatDoesNotFitIsListedInFullAndChangesNothing() {
    try (Sequential model = new Sequential(new Linear(2, 3), new Linear(3, 1)).on(CPU, 1);
        Scope _ = Scope.open()) {
      float[] before = floats(model, "1.weight");
      Map<String, Tensor> state = new LinkedHashMap<>();
      state.put("0.weight", Tensor.zeros(CPU, DType.F32, 2, 3));
      state.put("1.weight", Tensor.zeros(CPU, DType.F32, 1, 3));
      state.put("1.bias", Tensor.zeros(CPU, DType.F64, 1));
      state.put("2.weight", Tensor.zeros(CPU, DType.F32, 1));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> model.load(state))
          .withMessage(
              "load: the state does not fit:"
                  + " mismatched 0.weight, expected float32 (3, 2), got float32 (2, 3);"
                  + " missing 0.bias, expected float32 (3);"
                  + " mismatched 1.bias, expected float32 (1), got float64 (1);"
                  + " unexpected 2.weight, got float32 (1)");
      assertThat(floats(model, "1.weight")).isEqualTo(before);
    }
  }

  @Test
  void anEndedTensorIsFoundBeforeAnythingIsChanged() {
    try (Linear model = new Linear(2, 1).on(CPU, 1)) {
      Map<String, Tensor> state = new LinkedHashMap<>();
      state.put("weight", Tensor.zeros(CPU, DType.F32, 1, 2));
      state.put("bias", Tensor.zeros(CPU, DType.F32, 1));
      state.get("bias").close();
      float[] before = floats(model, "weight");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> model.load(state))
          .withMessageContaining("ended bias");
      assertThat(floats(model, "weight")).isEqualTo(before);
    }
  }

  @Test
  void aShapeErrorNamesTheLayer() {
    try (Sequential model =
        new Sequential(new Relu(), new Sequential(new Linear(2, 3), new Linear(4, 1))).on(CPU, 1)) {
      assertThatThrownBy(() -> model.forward(Tensor.ones(CPU, DType.F32, 5, 2)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContainingAll("(5, 3)", "(1, 4)")
          .hasMessageEndingWith("in layer 1, Linear(4, 1) in layer 1, Sequential");
    }
  }
}

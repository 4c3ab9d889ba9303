package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.nn.BatchNorm1d;
import dev.downhill.nn.Dropout;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * What holds of steps that are replayed, on any device: the same bits, no more runs of the body,
 * nothing allocated.
 */
abstract class Replays {
  private final Device device;

  Replays(Device device) {
    this.device = device;
  }

  private Tensor values(int seed, long... sizes) {
    int n = (int) Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
    float[] v = new float[n];
    for (int i = 0; i < n; i++) {
      v[i] = (float) Math.sin(1 + i + 31.0 * seed);
    }
    return Tensor.of(device, v, sizes);
  }

  private Sequential network() {
    return new Sequential(
            new Linear(5, 17), new BatchNorm1d(17), new Relu(), new Dropout(0.3), new Linear(17, 3))
        .on(device, 7);
  }

  /** Ten steps of training with dropout, clipping and a changing rate. */
  private List<float[]> trained(boolean replayed) {
    AtomicInteger bodies = new AtomicInteger();
    List<float[]> seen = new ArrayList<>();
    try (Sequential model = network();
        Adam adam = new Adam(model.parameters(), 1e-2);
        Step step =
            Step.of(
                (x, y) -> {
                  bodies.incrementAndGet();
                  return train(model, adam, x, y);
                })) {
      for (int i = 0; i < 10; i++) {
        adam.rate(0, 0.01 / (i + 1));
        try (var _ = Scope.open()) {
          Tensor x = values(i, 13, 5);
          Tensor y = values(100 + i, 13, 3);
          Tensor loss = replayed ? step.run(x, y) : train(model, adam, x, y);
          seen.add(loss.toFloats());
        }
        model.parameters().forEach(p -> seen.add(p.toFloats()));
        model.parameters().forEach(p -> seen.add(p.grad().toFloats()));
        adam.state().values().forEach(s -> seen.add(s.to(DType.F32).toFloats()));
      }
      assertThat(bodies).hasValue(replayed ? 2 : 0);
    }
    return seen;
  }

  private static Tensor train(Sequential model, Adam adam, Tensor x, Tensor y) {
    Tensor loss = Loss.mse(model.forward(x), y);
    adam.zeroGrad();
    loss.backward();
    adam.clipGradNorm(0.5);
    adam.step();
    return loss;
  }

  @Test
  void replaysGiveTheBitsOfTheBody() {
    List<float[]> eager = trained(false);
    List<float[]> replayed = trained(true);
    assertThat(replayed).hasSameSizeAs(eager);
    for (int i = 0; i < eager.size(); i++) {
      assertThat(replayed.get(i)).containsExactly(eager.get(i));
    }
  }

  @Test
  void modeAndGradientsOfTheHostAreNoticed() {
    AtomicInteger bodies = new AtomicInteger();
    Tensor w = values(1, 4).requireGrad();
    try (Step step =
        Step.of(
            x -> {
              bodies.incrementAndGet();
              Tensor loss = x.mul(w).sum();
              loss.backward();
              return loss;
            })) {
      // Accumulates: the first run of three finds no gradient, the others do.
      Tensor x = Tensor.ones(device, DType.F32, 4);
      for (int epoch = 0; epoch < 5; epoch++) {
        w.zeroGrad();
        for (int micro = 1; micro <= 3; micro++) {
          step.run(x);
          assertThat(w.grad().toFloats()).containsOnly(micro);
        }
      }
      assertThat(bodies).hasValue(4);
      // A gradient elsewhere is another recording.
      w.bindGrad(Tensor.zeros(device, DType.F32, 4));
      w.zeroGrad();
      step.run(x);
      assertThat(w.grad().toFloats()).containsOnly(1);
      assertThat(bodies).hasValue(5);
    }
  }

  @Test
  void layersInAnotherModeAreRecordedApart() {
    AtomicInteger bodies = new AtomicInteger();
    try (Sequential model = network();
        Step step =
            Step.of(
                x -> {
                  bodies.incrementAndGet();
                  return model.forward(x).sum();
                })) {
      Tensor x = values(1, 6, 5);
      for (int round = 0; round < 3; round++) {
        model.eval();
        float first = (float) step.run(x).item();
        assertThat((float) step.run(x).item()).isEqualTo(first);
        assertThat((float) step.run(x).item()).isEqualTo(first);
        assertThat((float) model.forward(x).sum().item()).isEqualTo(first);
        model.train();
        step.run(x);
        step.run(x);
        step.run(x);
      }
      assertThat(bodies).hasValue(4);
    }
  }

  @Test
  void frozenParametersAreRecordedApart() {
    AtomicInteger bodies = new AtomicInteger();
    try (Sequential model = new Sequential(new Linear(2, 2), new Linear(2, 1)).on(device, 1);
        Step step =
            Step.of(
                x -> {
                  bodies.incrementAndGet();
                  Tensor loss = model.forward(x).sum();
                  loss.backward();
                  return loss;
                })) {
      Tensor x = values(1, 3, 2);
      List<Tensor> all = model.parameters();
      for (int run = 0; run < 3; run++) {
        all.forEach(Tensor::zeroGrad);
        step.run(x);
        assertThat(all).allMatch(p -> p.grad() != null);
      }
      assertThat(bodies).hasValue(2);
      model.freeze("0.*");
      for (int run = 0; run < 3; run++) {
        all.forEach(Tensor::zeroGrad);
        step.run(x);
        assertThat(all.get(0).grad()).isNull();
        assertThat(all.get(2).grad()).isNotNull();
      }
      assertThat(bodies).hasValue(4);
    }
  }

  @Test
  void aTensorThatBecomesALeafIsNoticed() {
    Tensor w = values(1, 4);
    Tensor v = values(2, 4).requireGrad();
    try (Step step =
        Step.of(
            x -> {
              Tensor loss = x.mul(w).mul(v).sum();
              loss.backward();
              return loss;
            })) {
      Tensor x = Tensor.ones(device, DType.F32, 4);
      for (int run = 0; run < 3; run++) {
        v.zeroGrad();
        step.run(x);
      }
      w.requireGrad();
      v.zeroGrad();
      step.run(x);
      assertThat(w.grad()).isNotNull();
    }
  }

  @Test
  void aResultEndsWithTheNextRunAlsoWhenReplayed() {
    try (Step step = Step.of(x -> x.mul(2))) {
      List<Tensor> results = new ArrayList<>();
      for (int run = 0; run < 40; run++) {
        Tensor y = step.run(values(run, 3));
        float x = (float) Math.sin(1 + 31.0 * run);
        assertThat(y.toFloats()[0]).isEqualTo(2 * x);
        if (!results.isEmpty()) {
          assertThatThrownBy(results.getLast()::toFloats)
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining(run % 7 == 1 ? "it was closed" : "its step ran again");
        }
        results.add(y);
        if (run % 7 == 0) {
          y.close();
        }
      }
    }
  }

  @Test
  void aGraphOnAResultThatWasOverwrittenIsRefused() {
    try (Step step = Step.of(x -> x.mul(2))) {
      for (int run = 0; run < 4; run++) {
        step.run(values(run, 3));
      }
      Tensor w = values(9, 3).requireGrad();
      Tensor loss = step.run(values(5, 3)).mul(w).sum();
      step.run(values(6, 3));
      assertThatThrownBy(loss::backward)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("changed in place");
    }
  }

  @Test
  void aStepOnAModelThatWasClosedIsRefused() {
    Sequential model = network();
    try (Step step = Step.of(x -> model.forward(x).sum())) {
      Tensor x = values(1, 6, 5);
      for (int run = 0; run < 4; run++) {
        step.run(x);
      }
      model.close();
      assertThatThrownBy(() -> step.run(x))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("step: a tensor that its body uses has ended");
    }
  }

  @Test
  void aLeafChangedByAReplayHasAnotherVersion() {
    Tensor w = values(1, 3).requireGrad();
    try (Step step =
        Step.of(
            x -> {
              try (var _ = Autograd.noGrad()) {
                w.addInPlace(x);
              }
              return x.sum();
            })) {
      for (int run = 0; run < 4; run++) {
        Tensor loss = w.mul(w).sum();
        step.run(Tensor.ones(device, DType.F32, 3));
        assertThatThrownBy(loss::backward).hasMessageContaining("changed in place");
      }
    }
  }

  @Test
  void valuesOnTheWayShareMemory() {
    long before = device.memory().bytes();
    long bytes = 1000 * 4;
    try (Step step =
            Step.of(
                x -> {
                  Tensor y = x;
                  for (int i = 0; i < 50; i++) {
                    y = y.mul(1.01).add(1);
                  }
                  return y.sum();
                });
        Tensor x = Tensor.ones(device, DType.F32, 1000)) {
      double eager = step.run(x).item();
      step.run(x);
      assertThat(step.run(x).item()).isEqualTo(eager);
      // The input, its copy, and one value that changes in place. What other tests left may be
      // collected meanwhile, so that there is no lower bound.
      assertThat(device.memory().bytes() - before).isLessThanOrEqualTo(3 * bytes + 64);
    }
    assertThat(device.memory().bytes()).isLessThanOrEqualTo(before);
  }

  @Test
  void aValueThatIsReadThroughAnotherLayoutIsNotOverwritten() {
    try (Step step =
            Step.of(
                x -> {
                  Tensor y = x.mul(2);
                  // Reads y twice, as it lies and turned round.
                  Tensor z = y.add(y.transpose(0, 1));
                  return z.mul(z.select(0, 0));
                });
        Tensor x = values(4, 20, 20)) {
      float[] eager = step.run(x).toFloats();
      step.run(x);
      for (int run = 0; run < 3; run++) {
        assertThat(step.run(x).toFloats()).containsExactly(eager);
      }
    }
  }

  @Test
  void memoryOfAForgottenStepComesBack() throws InterruptedException {
    long before = device.memory().bytes();
    forget();
    for (int i = 0; i < 100 && device.memory().bytes() > before; i++) {
      System.gc();
      Thread.sleep(20);
    }
    // Other tests leave tensors to be collected as well.
    assertThat(device.memory().bytes()).isLessThanOrEqualTo(before);
  }

  private void forget() {
    Step step = Step.of(x -> x.mul(2).sum());
    try (Tensor x = Tensor.ones(device, DType.F32, 1000)) {
      for (int run = 0; run < 5; run++) {
        step.run(x);
      }
    }
    assertThat(device.memory().bytes()).isPositive();
  }

  @Test
  void aStepInsideAStepIsRefusedAlsoWhenReplayed() {
    try (Step inner = Step.of(x -> x.mul(2));
        Tensor one = Tensor.ones(device, DType.F32, 1)) {
      for (int run = 0; run < 3; run++) {
        inner.run(one);
      }
      try (Step outer = Step.of(x -> inner.run(x))) {
        assertThatThrownBy(() -> outer.run(one)).hasMessageContaining("already running");
      }
    }
  }

  @Test
  void anIndexOutOfRangeIsReportedInAReplayToo() {
    try (Tensor table = Tensor.ones(device, DType.F32, 3);
        Step step = Step.of(i -> table.indexSelect(0, i).sum())) {
      for (int run = 0; run < 4; run++) {
        assertThat(step.run(Tensor.of(device, new long[] {0, 2}, 2)).item()).isEqualTo(2);
      }
      assertThatThrownBy(() -> step.run(Tensor.of(device, new long[] {0, 3}, 2)).item())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("3");
      assertThat(step.run(Tensor.of(device, new long[] {1, 2}, 2)).item()).isEqualTo(2);
    }
  }
}

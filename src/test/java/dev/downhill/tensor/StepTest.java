package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.downhill.backend.Device;
import dev.downhill.backend.Recording;
import dev.downhill.shape.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** Steps that are recorded: what they may do, and that they change nothing. */
final class StepTest {
  private static final Device DEVICE = Device.of("cpu");

  private static Tensor of(double... values) {
    return Tensor.of(DEVICE, values, values.length);
  }

  @Test
  void stepComputesWhatItsBodySays() {
    try (Step step = Step.of((x, y) -> x.mul(y).sum())) {
      for (int run = 0; run < 5; run++) {
        assertThat(step.run(of(1, 2, run), of(4, 5, 6)).item()).isEqualTo(14 + 6 * run);
      }
    }
  }

  /** One step of descent on a leaf, by hand. */
  private static Tensor descend(Tensor w, Tensor x, Tensor target) {
    Tensor error = Matmul.linear(x, w, null).add(target.mul(-1));
    Tensor loss = error.mul(error).sum();
    w.zeroGrad();
    loss.backward();
    try (var _ = Autograd.noGrad()) {
      Tensor grad = w.grad();
      if (grad != null) {
        w.addInPlace(grad.mul(-0.01));
      }
    }
    return loss;
  }

  private static Tensor input(int batch, int rows, int columns) {
    double[] v = new double[rows * columns];
    Arrays.setAll(v, i -> Math.cos(1 + i + 31 * batch));
    return Tensor.of(DEVICE, v, rows, columns);
  }

  @Test
  void trainingInAStepGivesTheSameBits() {
    Tensor plain = Tensor.ones(DEVICE, DType.F64, 1, 3).requireGrad();
    Tensor stepped = Tensor.ones(DEVICE, DType.F64, 1, 3).requireGrad();
    try (Step step = Step.of((x, y) -> descend(stepped, x, y))) {
      for (int batch = 0; batch < 8; batch++) {
        // The last batch of an epoch is smaller.
        int rows = batch % 4 == 3 ? 3 : 7;
        try (var _ = Scope.open()) {
          Tensor x = input(batch, rows, 3);
          Tensor y = input(batch + 100, rows, 1);
          double expected = descend(plain, x, y).item();
          assertThat(step.run(x, y).item()).isEqualTo(expected);
        }
        assertThat(stepped.toDoubles()).containsExactly(plain.toDoubles());
      }
    }
  }

  @Test
  void runsThatDifferAreRefusedWithTheCall() {
    AtomicInteger runs = new AtomicInteger();
    try (Step step = Step.of(x -> x.mul(2).add(runs.incrementAndGet()))) {
      Tensor x = of(1, 2);
      assertThat(step.run(x).toDoubles()).containsExactly(3, 5);
      assertThatThrownBy(() -> step.run(x))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("step: two runs of the body made different calls")
          .hasMessageContaining("binary")
          .hasMessageContaining("ADD")
          .hasMessageContaining("1.0")
          .hasMessageContaining("2.0");
    }
  }

  @Test
  void runsWithMoreCallsAreRefused() {
    AtomicInteger runs = new AtomicInteger();
    try (Step step = Step.of(x -> runs.incrementAndGet() == 1 ? x.mul(2) : x.mul(2).mul(2))) {
      step.run(of(1, 2));
      assertThatThrownBy(() -> step.run(of(1, 2))).hasMessageContaining("call 1 was none, now");
    }
  }

  @Test
  @ResourceLock(Resources.SYSTEM_PROPERTIES)
  void checkIsRepeatedOnDemand() {
    AtomicInteger runs = new AtomicInteger();
    System.setProperty("downhill.step.check", "4");
    Step step;
    try {
      step = Step.of(x -> x.add(runs.incrementAndGet() < 3 ? 0 : 1));
    } finally {
      System.clearProperty("downhill.step.check");
    }
    Tensor x = of(1);
    step.run(x);
    step.run(x);
    step.run(x);
    assertThatThrownBy(() -> step.run(x)).hasMessageContaining("different calls");
    // From then on it is what the body does now that counts.
    for (int run = 0; run < 5; run++) {
      assertThat(step.run(x).item()).isEqualTo(2);
    }
    step.close();
  }

  @Test
  void readingAValueInsideIsRefusedInTheSecondRunToo() {
    boolean[] read = {false};
    try (Step step =
            Step.of(
                x -> {
                  if (read[0]) {
                    x.sum().item();
                  }
                  return x.mul(2);
                });
        Tensor x = Tensor.ones(DEVICE, DType.F32, 2)) {
      step.run(x);
      read[0] = true;
      assertThatThrownBy(() -> step.run(x))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("inside a step (download)");
      read[0] = false;
      for (int i = 0; i < 3; i++) {
        assertThat(step.run(x).toFloats()).containsExactly(2, 2);
      }
    }
  }

  @Test
  void aClosedStepDoesNotRun() {
    Step step = Step.of(x -> x.mul(2));
    step.close();
    try (Tensor x = Tensor.ones(DEVICE, DType.F32, 2)) {
      assertThatThrownBy(() -> step.run(x))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("step: it was closed and cannot run any more");
    }
  }

  @Test
  void readingAValueInsideIsRefused() {
    try (Step step = Step.of(x -> x.mul(x.sum().item()))) {
      assertThatThrownBy(() -> step.run(of(1, 2)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("values cannot cross between host and device inside a step")
          .hasMessageContaining("download");
      // The failure ends the recording: the thread can go on.
      assertThat(Recording.current()).isNull();
      assertThat(of(1, 2).sum().item()).isEqualTo(3);
    }
  }

  @Test
  void uploadingInsideIsRefused() {
    try (Step step = Step.of(x -> x.add(of(1, 2)))) {
      assertThatThrownBy(() -> step.run(of(1, 2))).hasMessageContaining("upload");
    }
  }

  @Test
  void resultIsValidUntilTheNextRun() {
    Step step = Step.of(x -> x.mul(2));
    Tensor first;
    try (var _ = Scope.open()) {
      first = step.run(of(1, 2));
    }
    assertThat(first.toDoubles()).containsExactly(2, 4);
    assertThat(first.requiresGrad()).isFalse();
    Tensor second = step.run(of(3, 4));
    assertThatThrownBy(() -> first.add(1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("its step ran again");
    assertThat(second.toDoubles()).containsExactly(6, 8);
    step.close();
    assertThatThrownBy(second::toDoubles).hasMessageContaining("its step was closed");
  }

  @Test
  void whatTheBodyMakesEndsWithIt() {
    List<Tensor> made = new ArrayList<>();
    try (Step step =
        Step.of(
            x -> {
              made.add(x.mul(3));
              return made.getLast().sum();
            })) {
      step.run(of(1, 2));
      assertThatThrownBy(() -> made.get(0).add(1)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void inputsAreCopied() {
    try (Step step = Step.of(x -> x.add(0))) {
      Tensor x = of(1, 2);
      Tensor y = step.run(x);
      x.fill(9);
      assertThat(y.toDoubles()).containsExactly(1, 2);
      // Views are inputs like others.
      assertThat(step.run(of(1, 2, 3, 4).slice(0, 0, 4, 3)).toDoubles()).containsExactly(1, 4);
      assertThat(step.run(of(5).expand(2)).toDoubles()).containsExactly(5, 5);
      x.close();
      assertThatThrownBy(() -> step.run(x)).hasMessageStartingWith("step: the tensor (2)");
    }
  }

  @Test
  void shapesDtypesAndModesAreRecordedApart() {
    AtomicInteger runs = new AtomicInteger();
    try (Step step =
        Step.of(
            x -> {
              runs.incrementAndGet();
              return x.mul(x.numel()).sum();
            })) {
      // The factor differs between the keys, which would be refused within one.
      for (int i = 0; i < 3; i++) {
        assertThat(step.run(of(1, 1)).item()).isEqualTo(4);
        assertThat(step.run(of(1, 1, 1)).item()).isEqualTo(9);
        assertThat(step.run(Tensor.ones(DEVICE, DType.F32, 2)).dtype()).isEqualTo(DType.F32);
        assertThat(step.run(Tensor.ones(DEVICE, DType.F64, 2, 1)).item()).isEqualTo(4);
      }
      assertThat(step.calls(of(1, 1, 1)))
          .extracting(Recording.Call::method)
          .containsExactly("binary", "reduce");
      assertThat(step.calls(of(1))).isEmpty();
    }
    AtomicInteger first = new AtomicInteger(1);
    try (Step step = Step.of(x -> first.get() == 1 ? x.add(1) : x.mul(10))) {
      for (int i = 0; i < 3; i++) {
        first.set(1);
        assertThat(step.runAs("first", of(2)).item()).isEqualTo(3);
        first.set(0);
        assertThat(step.runAs("later", of(2)).item()).isEqualTo(20);
      }
    }
  }

  @Test
  void oldRecordingsMakeRoomForNewOnes() {
    try (Step step = Step.of(x -> x.sum())) {
      for (int pass = 0; pass < 3; pass++) {
        for (int n = 1; n <= 40; n++) {
          assertThat(step.run(Tensor.ones(DEVICE, DType.F64, n)).item()).isEqualTo(n);
        }
      }
      assertThat(step.calls(Tensor.ones(DEVICE, DType.F64, 1))).isEmpty();
      assertThat(step.calls(Tensor.ones(DEVICE, DType.F64, 40))).isNotEmpty();
    }
  }

  @Test
  void stepsDoNotNest() {
    try (Step inner = Step.of(x -> x.mul(2));
        Step outer = Step.of(x -> inner.run(x))) {
      assertThatThrownBy(() -> outer.run(of(1)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("already running");
    }
  }

  @Test
  void bodyThatThrowsLeavesTheStepUsable() {
    AtomicInteger runs = new AtomicInteger();
    try (Step step =
        Step.of(
            x -> {
              if (runs.incrementAndGet() == 2) {
                throw new IllegalStateException("mine");
              }
              return x.mul(2);
            })) {
      assertThat(step.run(of(1)).item()).isEqualTo(2);
      assertThatThrownBy(() -> step.run(of(1))).hasMessage("mine");
      assertThat(step.run(of(3)).item()).isEqualTo(6);
      assertThat(step.run(of(4)).item()).isEqualTo(8);
    }
  }

  @Test
  void twoRunsMustAgreeWhateverFailedBefore() {
    AtomicInteger runs = new AtomicInteger();
    try (Step step =
        Step.of(
            x -> {
              if (runs.incrementAndGet() == 1) {
                throw new IllegalStateException("mine");
              }
              return x.mul(runs.get());
            })) {
      assertThatThrownBy(() -> step.run(of(1))).hasMessage("mine");
      assertThat(step.run(of(1)).item()).isEqualTo(2);
      assertThatThrownBy(() -> step.run(of(1))).hasMessageContaining("different calls");
      assertThatThrownBy(() -> step.run(of(1))).hasMessageContaining("different calls");
    }
  }

  @Test
  void runThatFailsAfterADrawMovesTheGeneratorOn() {
    AtomicInteger runs = new AtomicInteger();
    try (Generator inside = new Generator(DEVICE, 2);
        Generator outside = new Generator(DEVICE, 2);
        Step step =
            Step.of(
                x -> {
                  Tensor y = x.add(inside.uniform(DType.F64, 2));
                  if (runs.incrementAndGet() == 1) {
                    throw new IllegalStateException("mine");
                  }
                  return y;
                })) {
      assertThatThrownBy(() -> step.run(of(0, 0))).hasMessage("mine");
      outside.uniform(DType.F64, 2).close();
      for (int run = 2; run < 6; run++) {
        assertThat(step.run(of(0, 0)).toDoubles())
            .containsExactly(outside.uniform(DType.F64, 2).toDoubles());
        assertThat(inside.position()).isEqualTo(2L * run);
      }
    }
  }
}

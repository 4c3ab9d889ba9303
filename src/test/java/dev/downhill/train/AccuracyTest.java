package dev.downhill.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.tensor.Tensor;
import org.junit.jupiter.api.Test;

class AccuracyTest {
  private final Device cpu = Device.cpu();

  @Test
  void ofClasses_countsTheHighestScores_inAnyNumberOfDimensions() {
    Tensor scores = Tensor.of(cpu, new float[] {1, 3, 2, 5, 4, 0, 0, 1, 2, 2, 1, 0}, 4, 3);
    Tensor classes = Tensor.of(cpu, new long[] {1, 1, 2, 0}, 4);
    assertThat(Accuracy.ofClasses(scores, classes).item()).isEqualTo(0.75);
    assertThat(Accuracy.ofClasses(scores.reshape(2, 2, 3), classes.reshape(2, 2)).item())
        .isEqualTo(0.75);
  }

  @Test
  void ofLogits_takesZeroForNo() {
    Tensor logits = Tensor.of(cpu, new float[] {0.1f, -2, 0, 7, -0f}, 5, 1);
    Tensor truth = Tensor.of(cpu, new float[] {1, 1, 0, 1, 0}, 5, 1);
    assertThat(Accuracy.ofLogits(logits, truth).item())
        .isCloseTo(0.8, org.assertj.core.api.Assertions.within(1e-7));
  }
}

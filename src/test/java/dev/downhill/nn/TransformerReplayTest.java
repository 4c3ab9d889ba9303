package dev.downhill.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.backend.Device;
import dev.downhill.optim.AdamW;
import dev.downhill.shape.DType;
import dev.downhill.tensor.Loss;
import dev.downhill.tensor.Step;
import dev.downhill.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Training with attention and normalisation: replayed steps give the bits of eager ones. */
final class TransformerReplayTest {
  private static final Device DEVICE = Device.of("cpu:57");

  private static List<Float> losses(boolean replayed) {
    List<Float> losses = new ArrayList<>();
    TransformerBlock.Options options = TransformerBlock.Options.DEFAULT.withCausal(true);
    try (TransformerBlock block = new TransformerBlock(12, 3, options).on(DEVICE, 7);
        AdamW adam = new AdamW(block.parameters(), 1e-2);
        Step step = Step.of(x -> train(block, adam, x))) {
      for (int i = 0; i < 8; i++) {
        Tensor x = Tensor.arange(DEVICE, DType.F32, 2 * 5 * 12).add(i).sin().reshape(2, 5, 12);
        losses.add((replayed ? step.run(x) : train(block, adam, x)).toFloats()[0]);
      }
    }
    return losses;
  }

  private static Tensor train(TransformerBlock block, AdamW adam, Tensor x) {
    Tensor loss = Loss.mse(block.forward(x), x);
    adam.zeroGrad();
    loss.backward();
    adam.step();
    return loss;
  }

  @Test
  void replayedStepsGiveTheBitsOfEagerOnes() {
    List<Float> eager = losses(false);
    assertThat(losses(true)).isEqualTo(eager);
    assertThat(eager.get(7)).isLessThan(eager.get(0));
  }
}

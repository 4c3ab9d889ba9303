package dev.downhill.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.downhill.Emulator;
import dev.downhill.backend.Device;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.shape.DType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Steps that are replayed as one graph of the driver. */
@Tag("cuda")
final class CudaReplayTest extends Replays {
  CudaReplayTest() {
    super(Device.of("cuda"));
  }

  @Test
  void aReplayAllocatesNothingOnTheHeap() {
    assertThat(ReplayAllocation.fewestBytes(Device.of("cuda"))).isZero();
  }

  @Test
  void aReplayIsOneLaunch() {
    Device cuda = Device.of("cuda");
    try (Sequential model = new Sequential(new Linear(4, 8), new Relu(), new Linear(8, 1));
        Tensor x = Tensor.ones(cuda, DType.F32, 6, 4);
        Tensor y = Tensor.ones(cuda, DType.F32, 6, 1)) {
      model.on(cuda, 1);
      try (Adam adam = new Adam(model.parameters(), 1e-2);
          Step step =
              Step.of(
                  (a, b) -> {
                    Tensor loss = Loss.mse(model.forward(a), b);
                    adam.zeroGrad();
                    loss.backward();
                    adam.step();
                    return loss;
                  })) {
        step.run(x, y);
        step.run(x, y);
        step.run(x, y);
        long graphs = Emulator.count("graph_launches");
        long launches = cuda.activity().launches();
        step.run(x, y);
        assertThat(Emulator.count("graph_launches") - graphs).isEqualTo(Emulator.isThere() ? 1 : 0);
        // Two copies of inputs, and the kernels of the graph, counted one by one.
        long each = cuda.activity().launches() - launches;
        assertThat(each).isGreaterThan(10);
        step.run(x, y);
        assertThat(cuda.activity().launches() - launches).isEqualTo(2 * each);
      }
    }
  }

  @Test
  void anOutgrownWorkspaceStaysWithTheGraphs() {
    Device cuda = Device.of("cuda:1");
    try (Tensor small = Tensor.arange(cuda, DType.F32, 3000);
        Tensor large = Tensor.arange(cuda, DType.F32, 300_000);
        Step step = Step.of(x -> x.sum().add(x.sort(0, true).values().sum()))) {
      for (int run = 0; run < 3; run++) {
        assertThat(step.run(small).item()).isEqualTo(2 * 2999 * 1500.0);
      }
      // Needs a larger one.
      assertThat(large.sort(0, false).values().sum().item()).isPositive();
      for (int run = 0; run < 3; run++) {
        assertThat(step.run(small).item()).isEqualTo(2 * 2999 * 1500.0);
      }
    }
  }
}

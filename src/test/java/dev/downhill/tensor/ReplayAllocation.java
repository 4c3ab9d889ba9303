package dev.downhill.tensor;

import com.sun.management.ThreadMXBean;
import dev.downhill.backend.Device;
import dev.downhill.nn.Linear;
import dev.downhill.nn.Relu;
import dev.downhill.nn.Sequential;
import dev.downhill.optim.Adam;
import dev.downhill.shape.DType;
import java.lang.management.ManagementFactory;

/** What a replayed step allocates on the Java heap, by the JDK's own count for the thread. */
final class ReplayAllocation {
  private static final int RUNS = 500;
  private static final int ROUNDS = 400;

  private ReplayAllocation() {}

  /**
   * The fewest bytes that a round of runs allocated. Loops that are not compiled yet allocate their
   * vectors; it is over with the first round that allocates nothing.
   */
  static long fewestBytes(Device device) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Sequential model =
            new Sequential(new Linear(5, 17), new Relu(), new Linear(17, 3)).on(device, 7);
        Adam adam = new Adam(model.parameters(), 1e-2);
        Generator random = new Generator(device, 1);
        Tensor x = random.normal(DType.F32, 13, 5);
        Tensor y = random.normal(DType.F32, 13, 3);
        Step step =
            Step.of(
                (a, b) -> {
                  Tensor loss = Loss.mse(model.forward(a), b);
                  adam.zeroGrad();
                  loss.backward();
                  adam.clipGradNorm(0.5);
                  adam.step();
                  return loss;
                })) {
      Tensor[] inputs = {x, y};
      long fewest = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && fewest > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int run = 0; run < RUNS; run++) {
          step.run(inputs);
        }
        fewest = Math.min(fewest, threads.getCurrentThreadAllocatedBytes() - before);
      }
      return fewest;
    }
  }

  /** Prints the bytes of {@link #fewestBytes} on the CPU. */
  public static void main(String[] args) {
    System.out.println(fewestBytes(Device.of("cpu")));
  }
}
